"""The history of a system: what happened, what came of it, and how a rank came to its state.

::

    async for entry in daos.events.follow():
        print(entry.sequence, entry.fact)

Entries are numbered without gaps, whoever leads: that is how ``follow`` goes on where it was, after a lost connection
or a new leader, and tells nothing twice. DAOS's own servers keep no history; they are a ``NotOffered``.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from google.protobuf.message import Message

from daos_control.base.errors import DaosControlError
from daos_control.client.connection import Connection
from daos_control.client.errors import (
    InvalidRequest,
    ManagementServiceUnreachable,
    NotOffered,
    UnexpectedReply,
    is_connection_error,
)
from daos_control.client.given import ranks_of
from daos_control.client.invoke import ManagementClient
from daos_control.client.outcomes import is_not_running, is_timeout
from daos_control.model.event import EventId, Severity
from daos_control.model.journal import Entry
from daos_control.model.member_state import MemberState
from daos_control.net.rpc.methods import MGMT, SYSTEM
from daos_control.net.rpc.status import Code, StatusError
from daos_control.wire.convert.journal import entry_from_pb
from daos_control.wire.pb.control import system_pb2

DEADLINE_S: Final = 60.0
POLL_S: Final = 25.0
"""How long the leader is to wait for something to happen before it says that nothing did."""
PATIENCE_S: Final = 10.0
"""How much longer its answer may take."""
PAUSE_S: Final = 1.0
"""Between two attempts to reach a system that does not answer."""
_PASSING: Final = frozenset({Code.UNAVAILABLE, Code.CANCELLED, Code.DEADLINE_EXCEEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Entries, oldest first."""

    entries: tuple[Entry, ...]
    last: int
    """Up to this number there is nothing else; follow from here."""
    oldest: int
    """The oldest entry that is still kept; 0 if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Something to do, and the command that does it, if one does."""

    text: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a rank came to its state, and what brings it back."""

    rank: int
    uuid: str
    addr: str
    state: MemberState
    since: datetime
    incarnation: int
    info: str
    story: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    moves: tuple[Entry, ...]
    """The last ones, oldest first."""
    events: tuple[Entry, ...]
    """The last that concern it, oldest first."""


class Events:
    """What happened in a system; part of a ``DaosClient``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(
        self,
        *,
        since: datetime | None = None,
        after: int = 0,
        ranks: Iterable[int] | str = (),
        pool: str = "",
        severity: Severity | None = None,
        events: Iterable[EventId | str] = (),
        moves: bool = False,
        limit: int = 0,
        newest: bool = False,
    ) -> History:
        """Return what happened since a time, or after the entry with a number.

        Of some ``ranks``, a ``pool`` (label or uuid), at least as bad as ``severity``, or only some ``events`` by name
        or number; with ``moves`` also how members changed their states. At most ``limit``, the first ones or the
        ``newest``; 0 is no limit.
        """
        wanted = _wanted(since, ranks, pool, severity, events, moves=moves)
        wanted.newest = newest
        found: list[Entry] = []
        while True:
            wanted.after = after
            wanted.limit = max(0, limit - len(found)) if limit else 0
            reply = await self._ask(self._connection.management, "ListEvents", wanted, read=True)
            found += _entries(reply.entries)
            after = reply.last
            if not reply.more or (limit and len(found) >= limit):
                return History(entries=tuple(found), last=reply.last, oldest=reply.oldest)

    async def follow(
        self,
        *,
        after: int | None = None,
        ranks: Iterable[int] | str = (),
        pool: str = "",
        severity: Severity | None = None,
        events: Iterable[EventId | str] = (),
        moves: bool = False,
        missed: Callable[[int], None] | None = None,
        trouble: Callable[[DaosControlError], None] | None = None,
    ) -> AsyncGenerator[Entry, None]:
        """Yield what happens from now on, or after the entry with a number, for as long as somebody wants to know.

        While the system cannot be reached it is tried again; ``trouble`` hears of it. ``missed`` hears how many
        entries were not kept until they were asked for, which takes thousands of them in between.
        """
        wanted = _wanted(None, ranks, pool, severity, events, moves=moves)
        # A client of its own: that it waits is what it is for, and nothing to tell people of.
        shared = self._connection.management
        client = ManagementClient(self._connection.channels, shared.hosts, self._connection.system, port=shared.port)
        if after is None:
            newest = system_pb2.ListEventsReq(newest=True, limit=1)
            after = (await self._persist(client, newest, trouble)).last
        wanted.wait_ms = int(POLL_S * 1000)
        while True:
            wanted.after = after
            reply = await self._persist(client, wanted, trouble)
            if reply.last < after:  # a system that was erased, or taken back to a backup, begins anew
                after = 0
                continue
            if missed is not None and reply.oldest > after + 1:
                missed(reply.oldest - after - 1)
            for entry in _entries(reply.entries):
                yield entry
            after = reply.last

    async def explain(self, rank: int) -> Explanation:
        """Tell how a rank came to its state, and what brings it back."""
        wanted = system_pb2.ExplainRankReq(rank=rank)
        reply = await self._ask(self._connection.management, "ExplainRank", wanted, what="how ranks fare", read=True)
        return Explanation(
            rank=reply.rank,
            uuid=reply.uuid,
            addr=reply.addr,
            state=MemberState.parse(reply.state),
            since=datetime.fromisoformat(reply.since),
            incarnation=reply.incarnation,
            info=reply.info,
            story=tuple(reply.story),
            remedies=tuple(Remedy(text=remedy.text, command=remedy.command) for remedy in reply.remedies),
            moves=tuple(_entries(reply.moves)),
            events=tuple(_entries(reply.events)),
        )

    async def _persist(
        self,
        client: ManagementClient,
        request: system_pb2.ListEventsReq,
        trouble: Callable[[DaosControlError], None] | None,
    ) -> system_pb2.ListEventsResp:
        while True:
            try:
                reply: system_pb2.ListEventsResp = await self._ask(
                    client, "ListEvents", request, try_s=request.wait_ms / 1000 + PATIENCE_S
                )
            except DaosControlError as error:
                if not _passes(error):
                    raise
                if trouble is not None:
                    trouble(error)
            else:
                return reply
            await asyncio.sleep(PAUSE_S)

    async def _ask(
        self,
        client: ManagementClient,
        name: str,
        request: Message,
        *,
        what: str = "the history of the system",
        read: bool = False,
        try_s: float | None = None,
    ) -> Any:
        """Ask the management service: whoever can be reached and, if that is a server of DAOS's own, its leader.

        What waits for news is no ``read``: that it says nothing is no reason to ask others as well.
        """
        try:
            return await client.call(SYSTEM[name], request, deadline_s=DEADLINE_S, read=read, try_s=try_s)
        except StatusError as error:
            if error.code != Code.UNIMPLEMENTED:
                raise
        query = MGMT["LeaderQuery"]
        leader = (await client.call(query, query.request(), deadline_s=DEADLINE_S, read=True)).current_leader
        try:
            return await client.call(
                SYSTEM[name], request, hosts=[leader], deadline_s=DEADLINE_S, read=read, try_s=try_s
            )
        except StatusError as error:
            if error.code == Code.UNIMPLEMENTED:
                raise NotOffered(what) from error
            raise


def _passes(error: DaosControlError) -> bool:
    """Whether a system that answers like this may answer otherwise in a while."""
    if isinstance(error, StatusError):
        return error.code in _PASSING
    unreachable = isinstance(error, ManagementServiceUnreachable) or is_connection_error(error)
    return unreachable or is_timeout(error) or is_not_running(error)


def _wanted(
    since: datetime | None,
    ranks: Iterable[int] | str,
    pool: str,
    severity: Severity | None,
    events: Iterable[EventId | str],
    *,
    moves: bool,
) -> system_pb2.ListEventsReq:
    if since is not None and since.tzinfo is None:
        raise InvalidRequest(f"{since} does not say in which time zone it is")
    return system_pb2.ListEventsReq(
        since="" if since is None else since.isoformat(),
        ranks=ranks_of(ranks),
        pool=pool,
        severity=severity or 0,
        ids=[_number(event) for event in ([events] if isinstance(events, str) else events)],
        moves=moves,
    )


def _number(event: EventId | str) -> int:
    if isinstance(event, EventId):
        return event
    try:
        return EventId[event.upper()]
    except KeyError:
        known = ", ".join(sorted(known.name.lower() for known in EventId))
        raise InvalidRequest(f"{event!r} is not an event (there are: {known})") from None


def _entries(entries: Iterable[system_pb2.Entry]) -> list[Entry]:
    try:
        return [entry_from_pb(entry) for entry in entries]
    except ValueError as error:
        raise UnexpectedReply(f"the history cannot be read: {error}") from error
