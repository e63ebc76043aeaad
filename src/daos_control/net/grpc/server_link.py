"""The server's end of a connection: each call that is complete gets a task, and its reply goes out when it is there."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final, Protocol

from daos_control.net.grpc import messages
from daos_control.net.grpc.endpoints import Endpoint, Peer
from daos_control.net.grpc.link import BrokenLink, Link
from daos_control.net.grpc.tls import NotTrusted, Tunnel
from daos_control.net.http2.connection import Data, Ended, Event, GoAway, Headers, Reset, Settled
from daos_control.net.http2.frames import ErrorCode
from daos_control.net.rpc.status import Code, Status
from daos_control.security.components import Component

MAX_REQUEST: Final = 4 << 20
"""Bytes of the largest request taken: what genuine servers take."""
MAX_HELD: Final = 16 << 20
"""Bytes of requests of one connection that have come in part only."""
HANDSHAKE_S: Final = 10.0
"""How long a peer may take to introduce itself."""
REQUEST_S: Final = 60.0
"""How long a request may take to come."""
STALL_S: Final = 60.0
"""How long a reply waits for a peer that does not take it."""


class Owner(Protocol):
    """Who keeps the connections of a server, and has the tasks of its calls."""

    tasks: asyncio.TaskGroup
    endpoints: Mapping[bytes, Endpoint]

    def takes_a_call(self) -> bool:
        """Whether one more call may be worked on."""
        ...

    def began(self) -> None:
        """Hear that a call has begun."""
        ...

    def ended(self) -> None:
        """Hear that a call has ended."""
        ...

    def lost(self, link: "ServerLink") -> None:
        """Hear that a connection is gone."""
        ...


class ServerLink(Link):
    """A connection from a client."""

    def __init__(self, owner: Owner, context: ssl.SSLContext | None, address: str) -> None:
        super().__init__(client=False, tunnel=None if context is None else Tunnel(context))
        self.address = address
        """``ip:port`` of the peer."""
        self._owner = owner
        self._peer: Peer | None = None
        self._calls: dict[int, _Call] = {}
        self._held = 0
        self._is_leaving = False

    @property
    def is_busy(self) -> bool:
        """Whether there are calls that have not been answered, or replies that have not been taken."""
        return bool(self._calls or self.http2.streams)

    @property
    def host(self) -> str:
        """The peer's IP address."""
        return self.address.rpartition(":")[0]

    def leave(self) -> None:
        """Take no more calls, and close when those under way are over."""
        self._is_leaving = True
        if self._tunnel is not None and not self._tunnel.is_open:
            self.close()
            return
        self.http2.go_away()
        self.flush()

    def drop(self) -> None:
        """Cancel all calls, and close."""
        self._cancel_all()
        self.abort()

    def sweep(self, now: float) -> None:
        """See whether the peer keeps us waiting for too long; forgive what it did up to now."""
        if not self.http2.is_settled and now - self.since > HANDSHAKE_S:
            self.abort(TimeoutError("no HTTP/2 came in time"))
        elif self.http2.is_held_up and now - self.moved_at > STALL_S:
            self.abort(TimeoutError("the peer does not take its replies"))
        self.http2.forgive()
        late = [number for number, call in self._calls.items() if call.is_coming and now - call.since > REQUEST_S]
        for number in late:
            self._fail(number, Status(Code.DEADLINE_EXCEEDED, "the request did not come in time"))
        self.flush()

    # What happens on the connection.

    def act(self, event: Event) -> None:
        """Begin calls, gather their requests, and end those that the peer gives up."""
        match event:
            case Headers(stream=number, fields=fields, end=end):
                if number not in self._calls:  # or they are trailers, which say nothing in a request
                    self._begin(number, dict(fields))
                if end:
                    self._complete(number)
            case Data(stream=number, data=data, end=end):
                self._gather(number, data)
                if end:
                    self._complete(number)
            case Reset(stream=number):
                self._end(number)
            case Ended(text=text):
                self.error = BrokenLink(text)
                self._cancel_all()
            case Settled() | GoAway():
                pass

    def secured(self, tunnel: Tunnel) -> None:
        """Note whom the peer's certificate speaks for."""
        if not tunnel.speaks_http2:
            raise NotTrusted("it does not agree on HTTP/2")
        subject = tunnel.peer
        component = Component.of_common_name(subject.common_name)
        self._peer = Peer(self.address, is_secure=True, component=component, subject=str(subject))

    def lost(self) -> None:
        """Cancel all calls: nobody waits for them."""
        self._cancel_all()
        self._owner.lost(self)

    # The life of a call.

    def _begin(self, number: int, fields: dict[bytes, bytes]) -> None:
        kind = fields.get(b"content-type", b"")
        if fields[b":method"] != b"POST":
            self._refuse(number, 405)
        elif not kind.startswith(messages.CONTENT_TYPE):
            self._refuse(number, 415)
        elif not self._owner.takes_a_call():
            self.http2.reset(number, ErrorCode.REFUSED_STREAM)
        else:
            self._admit(number, fields)

    def _admit(self, number: int, fields: dict[bytes, bytes]) -> None:
        endpoint = self._owner.endpoints.get(fields[b":path"])
        if endpoint is None:
            self._fail(number, Status(Code.UNIMPLEMENTED, "this server does not have that method (yet)"))
            return
        if fields.get(messages.ENCODING, b"identity") != b"identity":
            self._fail(number, Status(Code.UNIMPLEMENTED, "compressed messages are not supported"))
            return
        now = self.loop.time()
        call = _Call(endpoint, fields, now)
        wait = fields.get(messages.TIMEOUT)
        if wait is not None:
            try:
                call.deadline = now + messages.seconds_of(wait)
            except ValueError as error:
                self._fail(number, Status(Code.INTERNAL, str(error)))
                return
            call.alarm = self.loop.call_at(call.deadline, self._expire, number)
        self._calls[number] = call
        self._owner.began()

    def _gather(self, number: int, data: bytes) -> None:
        call = self._calls.get(number)
        if call is None:
            return
        try:
            call.body.add(data)
        except messages.BadMessage as error:
            self._fail(number, error.status)
            return
        self._held += len(data)
        if self._held > MAX_HELD:
            self._fail(number, Status(Code.RESOURCE_EXHAUSTED, "too many large requests at once"))

    def _complete(self, number: int) -> None:
        """Have a request answered that has come as a whole."""
        call = self._calls.get(number)
        if call is None:
            return
        self._held -= call.body.size
        call.is_coming = False
        try:
            message = call.body.message()
        except messages.BadMessage as error:
            self._fail(number, error.status)
            return
        if self._peer is None:
            self._peer = Peer(self.address, is_secure=False)
        call.task = self._owner.tasks.create_task(self._answer(number, call, message, self._peer))

    async def _answer(self, number: int, call: "_Call", message: bytes, peer: Peer) -> None:
        outcome = await call.endpoint.answer(message, call.fields, peer, call.deadline)
        if self._calls.get(number) is not call:
            return  # it ended while the handler did not listen
        call.task = None
        if isinstance(outcome, Status):
            self._fail(number, outcome)
        else:
            self._end(number)
            self.http2.send_headers(number, messages.REPLY)
            self.http2.send_data(number, messages.framed(outcome))
            self.http2.send_headers(number, messages.REPLY_END, end=True)
        self.flush()

    def _expire(self, number: int) -> None:
        self._fail(number, Status(Code.DEADLINE_EXCEEDED, "deadline exceeded"))
        self.flush()

    def _fail(self, number: int, status: Status) -> None:
        self._end(number)
        self._say_last(number, messages.failure(status, self.http2.peer.header_list))

    def _refuse(self, number: int, http_status: int) -> None:
        self._say_last(number, messages.refusal(http_status))

    def _say_last(self, number: int, block: bytes) -> None:
        self.http2.send_headers(number, block, end=True)
        self.http2.reset(number, ErrorCode.NO_ERROR)  # if more of the request is to come, nobody wants it

    def _end(self, number: int) -> None:
        """Forget a call; if it is being worked on, that ends, too."""
        call = self._calls.pop(number, None)
        if call is None:
            return
        if call.is_coming:
            self._held -= call.body.size
        if call.alarm is not None:
            call.alarm.cancel()
        if call.task is not None:
            call.task.cancel()
        self._owner.ended()

    def _cancel_all(self) -> None:
        for number in list(self._calls):
            self._end(number)

    def _close_if_left(self) -> None:
        if self._is_leaving and not self.is_busy:
            self.close()

    def flush(self) -> None:
        """Send what is to be sent, and close if that was all."""
        super().flush()
        self._close_if_left()


class _Call:
    """A call: its request as it comes, then whoever works on it."""

    __slots__ = ("alarm", "body", "deadline", "endpoint", "fields", "is_coming", "since", "task")

    def __init__(self, endpoint: Endpoint, fields: dict[bytes, bytes], since: float) -> None:
        self.endpoint = endpoint
        self.fields = fields
        self.since = since
        self.body = messages.Body(MAX_REQUEST)
        self.is_coming = True
        self.deadline: float | None = None
        self.alarm: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None
