"""One HTTP/2 connection on a wire, through TLS or without: what both ends of gRPC have in common.

Bytes go up from the wire through the tunnel and the HTTP/2 state to ``act``, and down by ``flush``, all that is to
be said at once in one write. While the wire is full, data stays where it is and only answers to the peer's frames
are added, up to ``MOST_UNSENT``.
"""

import asyncio
import socket
import ssl
from typing import Final

from daos_control.net.grpc.tls import Tunnel
from daos_control.net.grpc.wire import Wire
from daos_control.net.http2.connection import MAX_HEADER_LIST, Connection, Event

MOST_UNSENT: Final = 1 << 20
"""Bytes that may wait for a peer that does not read; then the connection is over."""


class BrokenLink(ConnectionError):
    """The peer does not keep to HTTP/2."""


class Link:
    """A connection: ``wire.User``. Its owner makes it, lets it ``begin``, and hears by ``closed`` when it is gone."""

    def __init__(self, *, client: bool, tunnel: Tunnel | None, max_header_list: int = MAX_HEADER_LIST) -> None:
        self.http2 = Connection(client=client, max_header_list=max_header_list)
        self.loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self.loop.create_future()
        """Done when the wire is gone."""
        self.error: Exception | None = None
        """Why the connection ended or will end; nothing if one of both ends simply closed it."""
        self.since = self.loop.time()
        self.moved_at = self.since
        """When something last came, or room was made for something to go."""
        self._tunnel = tunnel
        self._wire: Wire | None = None

    # For whoever works with it.

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._wire is None or self._wire.is_closing

    def begin(self, sock: socket.socket) -> None:
        """Take over a connected socket, and begin: with the handshake, or with HTTP/2 at once."""
        self._wire = Wire(sock, self)
        if self._tunnel is None:
            self.flush()
        elif self.http2.is_client:
            self._tunnel.begin()
            self._wire.write(self._tunnel.output())

    def flush(self) -> None:
        """Send what is to be sent, as far as the wire takes it."""
        wire = self._wire
        if wire is None or wire.is_closing or (self._tunnel is not None and not self._tunnel.is_open):
            return
        http2 = self.http2
        while out := http2.take():
            self._send(wire, out)
        if http2.has_ended:
            self.close()

    def close(self, error: Exception | None = None) -> None:
        """Close the connection when what was flushed has been sent."""
        self.error = self.error or error
        if self._wire is not None and not self._wire.is_closing:
            if self._tunnel is not None:
                self._tunnel.close()
                self._wire.write(self._tunnel.output())
            self._wire.close()

    def abort(self, error: Exception | None = None) -> None:
        """Drop the connection at once."""
        self.error = self.error or error
        if self._wire is not None:
            self._wire.abort()

    # For those who build upon it.

    def act(self, event: Event) -> None:
        """Do what an event of HTTP/2 asks for."""
        raise NotImplementedError

    def secured(self, tunnel: Tunnel) -> None:
        """Look at the peer's certificate, which is good; raise NotTrusted if it is not good for us."""
        raise NotImplementedError

    def lost(self) -> None:
        """Do what is to be done when the connection is gone."""
        raise NotImplementedError

    # What the wire calls.

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self.moved_at = self.loop.time()
        if self._tunnel is not None and self._wire is not None:
            data = self._through(self._tunnel, self._wire, data)
            if not data:
                return
        for event in self.http2.receive(data):
            self.act(event)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody."""
        self.error = self.error or exc
        self.lost()
        self._wire = None
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """Hold data back: the wire is full."""
        self.http2.writable = False

    def resume_writing(self) -> None:
        """Let data flow again."""
        self.http2.writable = True
        self.moved_at = self.loop.time()
        self.flush()

    def _send(self, wire: Wire, out: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.send(out)
            out = self._tunnel.output()
        wire.write(out)
        if not self.http2.writable and wire.unsent > MOST_UNSENT:
            self.abort(BrokenLink("the peer does not read what it asked for"))

    def _through(self, tunnel: Tunnel, wire: Wire, data: bytes) -> bytes:
        """Return what the peer said through the tunnel; nothing if it said nothing, or something unacceptable."""
        was_open = tunnel.is_open
        try:
            said = tunnel.receive(data)
            if tunnel.is_open and not was_open:
                self.secured(tunnel)
        except ssl.SSLError as error:
            wire.write(tunnel.output())  # which tells the peer what is wrong
            self.close(error)
            return b""
        wire.write(tunnel.output())
        if tunnel.is_open and not was_open:
            self.flush()
        if tunnel.has_ended:
            self.close()
        return said
