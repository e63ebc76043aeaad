"""The client's end of a connection: calls go out side by side, each is answered in its own time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias

from daos_control.net.grpc import messages
from daos_control.net.grpc.link import BrokenLink, Link
from daos_control.net.grpc.tls import Tunnel, check_server
from daos_control.net.http2.connection import Data, Ended, Event, GoAway, Headers, Reset, Settled
from daos_control.net.http2.frames import ErrorCode
from daos_control.net.rpc.status import Code, Status

if TYPE_CHECKING:
    import asyncio
    import ssl

MAX_HEADER_LIST: Final = 1 << 20
"""Bytes of header fields taken: errors travel in them, with all their details."""


class NotProcessed(Exception):
    """The peer has certainly not looked at a call, so it may be made again on another connection."""


class LinkLost(Exception):
    """The connection was lost under a call; ``__cause__`` says why, if anything is known."""


Outcome: TypeAlias = bytes | Status | NotProcessed | LinkLost
"""What becomes of a call. Not a future's exception: one that nobody waits for any more would be a complaint."""


class ClientLink(Link):
    """A connection to a server, which ends when it has not been used for ``idle_s``."""

    def __init__(self, context: ssl.SSLContext | None, *, most_reply: int, idle_s: float) -> None:
        super().__init__(
            client=True, tunnel=None if context is None else Tunnel(context), max_header_list=MAX_HEADER_LIST
        )
        self.opened: asyncio.Future[None] = self.loop.create_future()
        """Done when the server has introduced itself, or never will: then ``error`` says why."""
        self._most_reply = most_reply
        self._idle_s = idle_s
        self._alarm = self.loop.call_later(idle_s, self._look_whether_idle)
        self._calls: dict[int, _Call] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_usable(self) -> bool:
        """Whether new calls can be made."""
        return not self.is_closing and not self.http2.is_going_away

    @property
    def calls(self) -> int:
        """How many calls are under way."""
        return len(self._calls) + len(self._waiting)

    async def call(self, block: bytes, message: bytes) -> bytes | Status:
        """Make a call; return the reply's message, or what went wrong with it.

        Raises NotProcessed and LinkLost. Cancelling it cancels the call at the server.
        """
        await self._room()
        call = _Call(self.loop.create_future(), self._most_reply)
        stream = self.http2.open(block)
        self.http2.send_data(stream, messages.framed(message), end=True)
        self._calls[stream] = call
        self.http2.forgive()  # what a server may ask of us for nothing is counted for each call
        self.flush()
        try:
            outcome = await call.outcome
        finally:
            self._calls.pop(stream, None)
            self.http2.reset(stream, ErrorCode.CANCEL)  # unless it is over
            self.flush()
            self._ended_one()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _room(self) -> None:
        """Wait until the server takes one more call."""
        while not self.http2.can_open:
            if not self.is_usable:
                raise NotProcessed
            turn: asyncio.Future[None] = self.loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)
        if self.is_closing:
            raise NotProcessed

    def _ended_one(self) -> None:
        self._wake(1)
        if not self.calls and self.http2.is_going_away:
            self.close()

    def _look_whether_idle(self) -> None:
        left_s = self.moved_at + self._idle_s - self.loop.time()
        if self.calls or left_s > 0:
            self._alarm = self.loop.call_later(max(left_s, self._idle_s / 10), self._look_whether_idle)
        else:
            self.close()

    def _wake(self, most: int) -> None:
        while self._waiting and most:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                most -= 1

    # What happens on the connection.

    def act(self, event: Event) -> None:
        """See to it that each call hears of what concerns it."""
        match event:
            case Headers(stream=stream) | Data(stream=stream) | Reset(stream=stream):
                call = self._calls.get(stream)
                if call is not None and not call.outcome.done():
                    call.act(event)
            case Settled():
                self._open()
            case GoAway():
                self._wake(len(self._waiting))
                if not self.calls:
                    self.close()
            case Ended(text=text):
                self.error = BrokenLink(text)

    def secured(self, tunnel: Tunnel) -> None:
        """Take none for a server but a server."""
        check_server(tunnel)

    def lost(self) -> None:
        """Fail all calls."""
        self._open()
        for call in self._calls.values():
            if not call.outcome.done():
                loss = LinkLost()
                loss.__cause__ = self.error
                call.outcome.set_result(loss)
        self._wake(len(self._waiting))
        self._alarm.cancel()

    def _open(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)


class _Call:
    """A call under way: gathers its reply."""

    __slots__ = ("_body", "_has_begun", "outcome")

    def __init__(self, outcome: asyncio.Future[Outcome], most_reply: int) -> None:
        self.outcome = outcome
        self._body = messages.Body(most_reply)
        self._has_begun = False

    def act(self, event: Headers | Data | Reset) -> None:
        try:
            match event:
                case Headers():
                    self._take_fields(dict(event.fields), end=event.end)
                case Data():
                    self._body.add(event.data)
                    if event.end:
                        self._settle(Status(Code.INTERNAL, "a reply without a status"))
                case Reset(unprocessed=True):
                    self._settle(NotProcessed())
                case Reset(text=text, code=code):
                    self._settle(Status(Code.INTERNAL, text) if text else messages.reset_failure(code))
        except messages.BadMessage as error:
            self._settle(error.status)

    def _take_fields(self, fields: dict[bytes, bytes], *, end: bool) -> None:
        if not self._has_begun:
            self._has_begun = True
            failure = messages.http_failure(fields)
            if failure is not None:
                self._settle(failure)
                return
            if fields.get(messages.ENCODING, b"identity") != b"identity":
                raise messages.BadMessage(Code.INTERNAL, "the reply is compressed, though we did not ask for that")
        if end:
            status = messages.status_of(fields)
            self._settle(self._body.message() if status.code == Code.OK else status)

    def _settle(self, outcome: Outcome) -> None:
        self.outcome.set_result(outcome)
