"""A connected socket on the event loop: what a connection needs of a transport, and nothing else.

asyncio's own transports need a task and half a dozen turns of the loop to take a socket over and to let it go, and ask
the kernel what is known already. Hosts connect to say one sentence: that was a good part of what it costs to hear it.
"""

import asyncio
import socket
from typing import Final, Protocol

_TAKEN_AT_ONCE: Final = 256 << 10
_FULL: Final = 64 << 10
"""Bytes that wait for the kernel before the user is asked to hold back."""
_ROOMY: Final = _FULL // 4
"""So few have to wait before it may go on."""


class User(Protocol):
    """Who talks over a wire; what it is told is told as asyncio's protocols are."""

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        ...

    def pause_writing(self) -> None:
        """Hold back: the kernel does not take as much as it is given."""
        ...

    def resume_writing(self) -> None:
        """Go on."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the socket is closed, and by which error if by one."""
        ...


class Wire:
    """Reads from a socket from the beginning, and owns it: ``close`` or ``abort`` it, or the peer will."""

    __slots__ = ("_fd", "_is_full", "_is_lost", "_loop", "_sock", "_unsent", "_user", "is_closing")

    def __init__(self, sock: socket.socket, user: User) -> None:
        self._sock = sock
        self._user = user
        self._fd = sock.fileno()
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._is_full = False
        self._is_lost = False
        self.is_closing = False
        """Whether nothing can be sent any more."""
        self._loop.add_reader(self._fd, self._read)

    @property
    def unsent(self) -> int:
        """Bytes that wait for the kernel."""
        return len(self._unsent)

    def write(self, data: bytes) -> None:
        """Send bytes, now as far as that goes; nothing any more after ``close``."""
        if self.is_closing or not data:
            return
        if not self._unsent:
            sent = self._send(data)
            if sent == len(data) or self.is_closing:
                return
            data = data[sent:]
            self._loop.add_writer(self._fd, self._write_on)
        self._unsent += data
        if len(self._unsent) > _FULL and not self._is_full:
            self._is_full = True
            self._user.pause_writing()

    def close(self) -> None:
        """Take nothing more, and close when everything has been sent."""
        if not self.is_closing:
            self.is_closing = True
            self._loop.remove_reader(self._fd)
            if not self._unsent:
                self._lose(None)

    def abort(self) -> None:
        """Close at once."""
        self._lose(None)

    def _read(self) -> None:
        try:
            data = self._sock.recv(_TAKEN_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if not data:
            self.close()
            return
        try:
            self._user.data_received(data)
        except BaseException:  # a bug; the loop reports it, and the peer sees the end of the connection
            self.abort()
            raise

    def _send(self, data: bytes | bytearray) -> int:
        """Give the kernel what it takes of some bytes; returns how many that are."""
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._lose(error)
            return 0

    def _write_on(self) -> None:
        """Send what waits: there is room for it."""
        del self._unsent[: self._send(self._unsent)]
        if self._is_lost:
            return
        if not self._unsent:
            self._loop.remove_writer(self._fd)
            if self.is_closing:
                self._lose(None)
        if self._is_full and len(self._unsent) <= _ROOMY and not self.is_closing:
            self._is_full = False
            self._user.resume_writing()

    def _lose(self, error: Exception | None) -> None:
        """Leave the socket alone from now on. The user hears of it next: it may be in the midst of something."""
        if self._is_lost:
            return
        self._is_lost = self.is_closing = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._unsent.clear()
        self._loop.call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        self._sock.close()
        self._user.connection_lost(error)
