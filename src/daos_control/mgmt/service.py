"""The management service of one server: what the servicers, the upcalls and the server itself talk to.

A server that holds no replica has one as well; it knows only whom to ask instead. A replica's comes to life with
``run``, as soon as there is storage to keep a store on, and then leads again and again until it is cancelled.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

from daos_control.base import aio, logs
from daos_control.base.clock import Clock
from daos_control.base.errors import (
    DaosControlError,
    NotLeader,
    NotReplica,
    RaftUnavailable,
    Uninitialized,
)
from daos_control.base.fault_codes import FaultCode
from daos_control.base.version import DAOS_VERSION
from daos_control.mgmt import causes
from daos_control.mgmt.all_pools import AllPools
from daos_control.mgmt.attach import AttachInfo
from daos_control.mgmt.checker import Checker
from daos_control.mgmt.erasure import Erasure
from daos_control.mgmt.errors import JoinRefused, Refused
from daos_control.mgmt.journal import Journal
from daos_control.mgmt.leader import RETRY_S, GroupMapPusher, Pace, Tally
from daos_control.mgmt.pools.every import Pools, choose_at_random
from daos_control.mgmt.ports import DataPlane, EventSink, Hosts, Premises, Settings
from daos_control.mgmt.ranks import Limit, Ranks, no_limit
from daos_control.mgmt.reactions import Reactions
from daos_control.mgmt.rules import history, membership, properties, provider
from daos_control.mgmt.rules.membership import Joined, JoinRequest
from daos_control.mgmt.rules.pools import Choose
from daos_control.mgmt.system import Change, System
from daos_control.mgmt.writer import Writer
from daos_control.model.event import Event
from daos_control.model.journal import Cause, Fact, Origin
from daos_control.net.drpc.errors import DrpcError
from daos_control.store.api import Leadership, Store, StoreError

log = logs.get(__name__)

T = TypeVar("T")

ELECTION: Final = "mgmt"
PAUSE_S: Final = 2.0
"""Between two attempts to lead, so that a lasting trouble does not become a busy one."""


class Standing(Enum):
    """Where this server stands towards the management service."""

    UNINITIALIZED = "no storage to keep it on yet"
    STARTING = "waiting to lead"
    STEPPING_UP = "getting ready to lead"
    LEADING = "leading"
    FOLLOWING = "not leading"


class Management:
    """The management service as its host sees it.

    Everything it needs is given by keyword: ``settings`` (what configuration and hardware say), ``data_plane`` (the
    engines of this host), ``hosts`` (the control servers of all hosts), ``premises`` (what this host keeps of the
    system), ``events`` (where the service's own RAS events go), ``clock``; ``choose`` picks the ranks of pools that
    are smaller than the system; ``pause_s`` and ``retry_s`` are the pauses between two attempts to lead, and between
    two at a removal that failed; ``pace`` says how often engines are told of the group.

    ``await run(store)`` is the service's life; cancel it to end it, and run it again on another store if need be.
    Before that, and on servers without a replica, requests are refused with what sends their callers elsewhere.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        data_plane: DataPlane,
        hosts: Hosts,
        premises: Premises,
        events: EventSink,
        clock: Clock,
        choose: Choose = choose_at_random,
        pause_s: float = PAUSE_S,
        retry_s: float = RETRY_S,
        pace: Pace | None = None,
    ) -> None:
        self.settings = settings
        self._data_plane = data_plane
        self._events = events
        self._clock = clock
        self._pause_s = pause_s
        self._retry_s = retry_s
        self._pace = pace or Pace()
        self._standing = Standing.UNINITIALIZED
        self._settled = asyncio.Event()
        self._settled.set()
        self._writer: Writer | None = None
        self._group: asyncio.TaskGroup | None = None
        self._attach = AttachInfo(settings)
        self.pools = Pools(decisions=self, data_plane=data_plane, settings=settings, clock=clock, choose=choose)
        self.ranks = Ranks(decisions=self, hosts=hosts, events=events, settings=settings, clock=clock)
        self.all_pools = AllPools(
            decisions=self, pools=self.pools, data_plane=data_plane, settings=settings, clock=clock
        )
        self.erasure = Erasure(decisions=self, ranks=self.ranks, hosts=hosts, premises=premises, settings=settings)
        self.checker = Checker(decisions=self, ranks=self.ranks, data_plane=data_plane, hosts=hosts, settings=settings)
        self.tally = Tally()
        """What has been done since this server started, whoever led meanwhile."""
        self.reactions = self._fresh_reactions()
        """What this server does about events while it leads."""

    # -- life ------------------------------------------------------------------------------------------------------

    async def run(self, store: Store) -> None:
        """Lead whenever the store lets us, until cancelled."""
        if self.settings.address is None:
            raise Refused("this server holds no replica of the management service")
        try:
            while True:
                self._stand(Standing.STARTING)
                try:
                    async with store.lead(ELECTION, self.settings.address) as leadership:
                        await self._lead(store, leadership)
                except* (DaosControlError, StoreError) as errors:
                    reason = "; ".join(str(error) for error in _leaves(errors))
                    log.error("the management service does not lead", reason=reason, again_in_s=self._pause_s)
                self._stand(Standing.FOLLOWING)
                _heed_cancellation()
                await asyncio.sleep(self._pause_s)
        finally:
            self._writer = None
            self._stand(Standing.UNINITIALIZED)

    async def _lead(self, store: Store, leadership: Leadership) -> None:
        """Step up, serve, and leave nothing behind that acts for a leader."""
        self._stand(Standing.STEPPING_UP)
        writer = Writer(store=store, leadership=leadership, publish=self._events.record, deposed=self._not_leader)
        await writer.load()
        self.reactions = self._fresh_reactions()
        self._writer = writer
        try:
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._step_up(writer, self._group))
                await writer.run()
        finally:
            self._group = None
            self._stand(Standing.FOLLOWING)

    async def _step_up(self, writer: Writer, duties: asyncio.TaskGroup) -> None:
        settings = self.settings
        settle = partial(
            provider.settle, provider=",".join(settings.providers), now=self._clock.now(), hostname=settings.hostname
        )
        await writer.apply(settle)
        pusher = GroupMapPusher(self._data_plane, lambda: writer.system, pace=self._pace, tally=self.tally)
        writer.listen(pusher.changed)
        duties.create_task(aio.guard("group updates", pusher.run()))
        writer.listen(self.pools.look_around)
        duties.create_task(aio.guard("removal of left-over pools", self.pools.keep_tidy(self._retry_s)))
        self._stand(Standing.LEADING)
        log.info(f"MS leader running on {settings.hostname}")

    def _stand(self, standing: Standing) -> None:
        self._standing = standing
        if standing in {Standing.STARTING, Standing.STEPPING_UP}:
            self._settled.clear()
        else:
            self._settled.set()

    # -- admission -------------------------------------------------------------------------------------------------

    @property
    def leading(self) -> bool:
        """Whether this server leads and is ready to."""
        return self._standing is Standing.LEADING and self._writer is not None and not self._writer.closed

    @property
    def leader(self) -> str:
        """The leader's address, empty if unknown."""
        return self.settings.address or "" if self.leading else ""

    def check_has_replica(self) -> None:
        """Raise what sends the caller elsewhere, unless this server holds a replica, be it empty."""
        if self.settings.address is None:
            raise NotReplica(self.settings.replicas)

    def check_replica(self) -> None:
        """Raise what sends the caller elsewhere, unless this server can answer from what it knows."""
        self.check_has_replica()
        if self._standing is Standing.UNINITIALIZED:
            raise Uninitialized
        if self._writer is None:
            raise RaftUnavailable

    async def check_leader(self) -> None:
        """Raise what sends the caller elsewhere, unless this server leads; wait while it is about to."""
        self.check_has_replica()
        await self._settled.wait()
        if self._standing is Standing.UNINITIALIZED:
            raise Uninitialized
        if not self.leading:
            raise self._not_leader()

    def _not_leader(self) -> NotLeader:
        return NotLeader("", self.settings.other_replicas)

    def check_system_name(self, sent: str) -> None:
        """Raise fault 603 if a request is meant for another system."""
        name = _system_meant(sent)
        if name != self.settings.system_name:
            raise FaultCode.SERVER_WRONG_SYSTEM.fault(requested=name, actual=self.settings.system_name)

    # -- what pools and ranks are given ----------------------------------------------------------------------------

    @property
    def system(self) -> System:
        """The system as last recorded; what has been decided but is not durable yet is not in it."""
        return self._writer.system if self._writer is not None else System()

    @property
    def data_version(self) -> int:
        """Grows with every commit."""
        return self._writer.revision if self._writer is not None else 0

    async def apply(self, rule: Callable[[System], Change[T]], /) -> T:
        """Decide by a rule, record the decision and whose it was, return its outcome."""
        if self._writer is None:
            raise self._not_leader()
        outcome: T = await self._writer.apply(history.recorded(rule, *causes.current()))
        return outcome

    def spawn(self, work: Coroutine[Any, Any, None], /) -> "asyncio.Task[None]":
        """Run something as long as this leadership lasts; it must deal with its own errors."""
        if self._group is None:
            work.close()
            raise self._not_leader()
        return self._group.create_task(work)

    # -- members ---------------------------------------------------------------------------------------------------

    async def join(self, request: JoinRequest) -> tuple[Joined, bool]:
        """Let an engine in; also returns whether we have set it up, as we do with our own first engine.

        That engine is the one through which the others will hear of the system, so it must not wait for its
        turn behind a group update that needs it. But one that the system wants in its other mode starts again: it
        must not open before, and serve pools while the checker is to have them.
        """
        try:
            replaced = await self._rank_to_replace(request) if request.replace else None
            with causes.because(Cause(origin=Origin.JOIN, source=request.addr)):
                joined = await self.apply(
                    partial(membership.join, request=request, now=self._clock.now(), replaced=replaced)
                )
        except JoinRefused as refusal:
            log.error(f"engine {request.index} of {request.addr} may not join: {refusal}")
            self._events.record(refusal.event)
            raise
        member = joined.member
        log.info(
            "engine joined" if joined.created else "engine joined again",
            rank=member.rank,
            host=member.addr,
            uri=member.fabric_uri,
            incarnation=member.incarnation,
        )
        ours = request.addr == self.settings.address and request.index == 0
        set_up = ours and request.check_mode == joined.checking
        if set_up:
            await self._set_up(member.rank, joined.map_version)
        return joined, set_up

    async def _rank_to_replace(self, request: JoinRequest) -> int | None:
        """Return the lost rank that an engine takes over, of which no pool has any use; None if it joins as itself."""
        rank = membership.rank_to_replace(self.system, request, now=self._clock.now())
        if rank is not None:
            await self.pools.check_unused(rank)
        return rank

    async def _set_up(self, rank: int, map_version: int) -> None:
        try:
            await self._data_plane.set_up(0, rank, map_version)
        except DrpcError as error:
            raise Refused(f"rank {rank} could not be set up on this host's first engine: {error}") from error

    # -- events and their history ------------------------------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        """The system's history; raises what sends the caller elsewhere on a server that has none."""
        if self._writer is None:
            raise self._not_leader()
        return self._writer.journal

    async def note(self, facts: Sequence[Fact], /) -> None:
        """Return once the journal has these facts."""
        if self._writer is None:
            raise self._not_leader()
        await self._writer.note(facts)

    def _fresh_reactions(self) -> Reactions:
        return Reactions(records=self, pools=self.pools, clock=self._clock, here=self.settings.address or "")

    async def on_event(self, event: Event) -> None:
        """Act on an event of this host that changes the system's state; only the leader is asked to."""
        await self.reactions.on_event(event)

    async def note_events(self, events: Sequence[Event]) -> None:
        """Put events of this host into the history; only the leader is asked to."""
        await self.reactions.note(events)

    def debounced(self, event: Event) -> bool:
        """Whether the same death of the same engine has been heard of before, in this leadership."""
        return self.reactions.debounced(event)

    # -- what is asked ---------------------------------------------------------------------------------------------

    def attach_info(self, *, all_ranks: bool) -> bytes:
        """Return the serialised reply to GetAttachInfo."""
        return self._attach.reply(self.system, data_version=self.data_version, all_ranks=all_ranks)

    def get_properties(self, keys: Collection[str]) -> dict[str, str]:
        """Return properties of the system, all or by name."""
        computed: Mapping[str, str] = {"daos_system": self.settings.system_name, "daos_version": DAOS_VERSION}
        return properties.get_properties(self.system, keys, computed=computed)

    async def set_properties(self, given: Mapping[str, str], *, limit: Limit = no_limit) -> None:
        """Set properties of the system, and pass on to its pools those that they have from it."""
        done = await self.apply(partial(properties.set_properties, properties=given))
        await self.all_pools.spread(done, limit=limit)

    async def set_attributes(self, given: Mapping[str, str]) -> None:
        """Set users' attributes."""
        await self.apply(partial(properties.set_attributes, attributes=given))


@lru_cache(maxsize=64)  # every request says it, and all say the same
def _system_meant(sent: str) -> str:
    """Return the name of a system as sent by clients, who append their version to it."""
    name, dash, version = sent.rpartition("-")
    numbers = version.removeprefix("v").split(".")
    is_version = len(numbers) == 3 and all(part.isascii() and part.isdigit() for part in numbers)
    return name if dash and is_version else sent


def _heed_cancellation() -> None:
    """Be cancelled if somebody asked for it: a task group that is failing already forgets such requests."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
