"""What a leader does about events: acts on those that change the system's state, writes all of them down."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from daos_control.base import logs
from daos_control.base.clock import Clock
from daos_control.base.errors import DaosControlError, Redirect, ServiceUnavailable
from daos_control.base.rankset import NIL_RANK
from daos_control.mgmt import causes
from daos_control.mgmt.causes import Hearing
from daos_control.mgmt.debounce import Debounce
from daos_control.mgmt.errors import NotStored, Refused
from daos_control.mgmt.pools.every import Pools
from daos_control.mgmt.rules import history, membership
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event, EventId, PoolServiceInfo
from daos_control.model.journal import Cause, Fact, Heard, Origin

log = logs.get(__name__)

T = TypeVar("T")


class Records(Protocol):
    """Where decisions and facts are recorded."""

    async def apply(self, rule: Callable[[System], Change[T]], /) -> T:
        """Decide and record."""
        ...

    async def note(self, facts: Sequence[Fact], /) -> None:
        """Return once the journal has these facts."""
        ...


class Reactions:
    """The reactions of one leadership: a new leader hears with fresh ears. ``here`` is this server's address."""

    def __init__(self, *, records: Records, pools: Pools, clock: Clock, here: str) -> None:
        self._records = records
        self._pools = pools
        self._clock = clock
        self._here = here
        self._deaths = Debounce(clock)
        self._terms: dict[str, int] = {}

    def debounced(self, event: Event) -> bool:
        """Whether the same death of the same engine has been heard of before."""
        return event.id == EventId.SWIM_RANK_DEAD and self._deaths.heard(_life(event))

    async def on_event(self, event: Event, reporter: str = "") -> None:
        """Act on an event that changes the system's state, and write down who reported it and what came of it.

        Raises what sends the reporter elsewhere, or back later; an event that changes nothing is no error.
        """
        if self.debounced(event):
            return
        if event.id != EventId.SWIM_RANK_DEAD:
            await self._hear(event, reporter)
            return
        self._deaths.hear(_life(event))
        try:
            await self._hear(event, reporter)
        except BaseException:
            self._deaths.forget(_life(event))  # whoever reports it again must be heard
            raise

    async def note(self, events: Sequence[Event], reporter: str = "") -> None:
        """Put events into the history that nobody need act on."""
        now = self._clock.now()
        await self._records.note(
            [Heard(event=event, reporter=reporter or self._here, received=now) for event in events]
        )

    async def _hear(self, event: Event, reporter: str) -> None:
        hearing = Hearing(Heard(event=event, reporter=reporter or self._here, received=self._clock.now()))
        cause = Cause(origin=Origin.EVENT, what=_what_happened(event), source=hearing.heard.reporter)
        with causes.because(cause, hearing):
            effect = ""
            try:
                await self._act_on(event)
            except (Redirect, ServiceUnavailable, NotStored):
                raise
            except DaosControlError as error:
                log.notice(f"event {event.name} changes nothing: {error}", rank=event.rank)
                effect = history.nothing_done(error)
            if not hearing.recorded:
                hearing.recorded = True
                await self._records.apply(history.noted(hearing, effect))

    async def _act_on(self, event: Event) -> None:
        rule: Callable[[System], Change[Any]]
        match event.id:
            case EventId.ENGINE_DIED:
                rule = partial(membership.engine_died, event=event, now=self._clock.now())
                if (move := await self._records.apply(rule)) is not None:
                    member = move.member
                    log.error(f"rank {member.rank}: {move.before.words}->{member.state.words} ({member.info})")
            case EventId.SWIM_RANK_DEAD:
                if not event.incarnation:
                    log.error("a rank is reported dead without its incarnation", rank=event.rank)
                rule = partial(
                    membership.rank_dead, rank=event.rank, incarnation=event.incarnation, now=self._clock.now()
                )
                if await self._records.apply(rule) is not None:
                    log.info(f"marking rank {event.rank} as Excluded in response to rank dead event")
            case EventId.POOL_REPLICAS_UPDATED:
                await self._replicas_updated(event)
            case _:
                log.debug("nothing to do for event", event_name=event.name)

    async def _replicas_updated(self, event: Event) -> None:
        """Note where a pool's service is, unless the report is of an earlier term: it may have had to wait."""
        known = self._terms.get(event.pool_uuid, 0)
        term = event.info.version if isinstance(event.info, PoolServiceInfo) else 0
        if 0 < term < known:
            raise Refused(f"the pool service is at term {known} already, and this is news of term {term}")
        await self._pools.replicas_updated(event)
        self._terms[event.pool_uuid] = max(term, known)


def _what_happened(event: Event) -> str:
    return event.name if event.rank == NIL_RANK else f"{event.name} of rank {event.rank}"


def _life(event: Event) -> tuple[int, int]:
    return event.rank, event.incarnation
