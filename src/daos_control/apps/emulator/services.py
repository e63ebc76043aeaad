"""The pool services this engine takes part in: replicas it keeps, and those it leads.

A service's record is kept by several engines. One of them leads: the first of the replicas that is not held for dead.
A leader takes a term from a majority, which from then on ignores leaders of lower terms, and takes over the newest
record among them; every change it makes is a new revision that a majority has on disk before anybody hears of it. So
an answer given is never lost while a majority lives, and two engines that both think they lead cannot both change
anything. Engines that ask go from replica to replica until one is the leader.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from daos_control.apps.emulator.pool import Command, Decision, PoolRecord, Query, decide
from daos_control.apps.emulator.storage import Replica, Store
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.rankset import NIL_RANK

log = logs.get(__name__)

PEER_S = 2.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.05, 1.0
MOVE_ON = frozenset({Der.UNREACH, Der.TIMEDOUT, Der.OOG, Der.AGAIN, Der.STALE, Der.UNINIT, Der.CANCELED})
"""What makes a caller try the next replica."""

ReplyT = TypeVar("ReplyT", bound=msgspec.Struct)


class RebuildStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a pool's rebuild stands; known to its leader and forgotten with it."""

    state: int = 1
    """0 busy, 1 idle, 2 done."""
    status: int = 0
    """Why it failed, or fails; OP_CANCELED if it was stopped, or is being."""
    degraded: bool = False
    objects: int = 0
    records: int = 0
    """What has been moved so far."""


class Read(msgspec.Struct, frozen=True):
    """A candidate asks for a replica's record and its promise to ignore earlier leaders."""

    uuid: str
    term: int


class Write(msgspec.Struct, frozen=True):
    """A leader has a record stored."""

    record: PoolRecord


class Remove(msgspec.Struct, frozen=True):
    """A leader dismisses a replica."""

    uuid: str


class Ask(msgspec.Struct, frozen=True):
    """Somebody wants the leader to carry out a command."""

    uuid: str
    command: Command
    insist: bool = False
    """The one who is asked is to lead, whoever it thinks should: the replicas point at each other."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a leader answers. ``hint`` stands alone: the one to ask, where it is not the one asked."""

    record: PoolRecord | None = None
    status: int = 0
    count: int = 0
    leader: int = NIL_RANK
    rebuild: RebuildStatus = RebuildStatus()
    hint: int | None = None


class Nothing(msgspec.Struct, frozen=True):
    """A reply that only says "done"."""


class Peers(Protocol):
    """What the services need of the engine: who it is, who is there, and how to reach them."""

    @property
    def rank(self) -> int:
        """This engine's rank."""
        ...

    def usable(self, rank: int) -> bool:
        """Whether a rank is in the group and not held for dead."""
        ...

    async def ask(self, rank: int, request: msgspec.Struct, reply: type[ReplyT], *, timeout_s: float) -> ReplyT:
        """Make a fabric call; raises DaosError."""
        ...


@dataclass(slots=True)
class Leadership:
    """One service that this engine leads."""

    term: int
    rebuild: RebuildStatus = field(default_factory=RebuildStatus)
    rebuilding: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Services:
    """The replicas of this engine and their leaderships.

    ``on_lead`` and ``on_change`` are told of each new leadership and each committed record.
    """

    def __init__(
        self,
        store: Store,
        peers: Peers,
        *,
        patience_s: float,
        on_lead: Callable[[PoolRecord], None],
        on_change: Callable[[PoolRecord, PoolRecord], None],
    ) -> None:
        self._store = store
        self._peers = peers
        self._patience_s = patience_s
        self._on_lead = on_lead
        self._on_change = on_change
        self._locks: dict[str, asyncio.Lock] = {}
        self.leading: dict[str, Leadership] = {}
        self.open = False
        """Closed until the engine has been set up."""

    @property
    def records(self) -> Mapping[str, PoolRecord]:
        """Records of the replicas here; newest only where this engine leads."""
        return {uuid: replica.record for uuid, replica in self._store.replicas.items()}

    def leader_of(self, record: PoolRecord) -> int | None:
        """Return who should lead a service, as seen from here."""
        return next((rank for rank in record.replicas if self._peers.usable(rank)), None)

    # What other engines ask of this one

    async def on_read(self, request: Read) -> Replica:
        """Promise a candidate not to listen to earlier leaders, and hand out the record."""
        replica = self._replica(request.uuid)
        if request.term <= replica.promised:
            raise DaosError(Der.STALE)
        self._store.write_replica(Replica(promised=request.term, record=replica.record))
        self._yield_to(request.uuid, request.term)
        return self._replica(request.uuid)

    async def on_write(self, request: Write) -> Nothing:
        """Store a leader's record."""
        record = request.record
        known = self._store.replicas.get(record.uuid)
        if known is not None and (
            record.term < known.promised or (record.term, record.revision) < (known.record.term, known.record.revision)
        ):
            raise DaosError(Der.STALE)
        self._store.write_replica(Replica(promised=record.term, record=record))
        self._yield_to(record.uuid, record.term)
        return Nothing()

    async def on_remove(self, request: Remove) -> Nothing:
        """Give up a replica."""
        self.forget(request.uuid)
        self._store.remove_replica(request.uuid)
        return Nothing()

    async def on_ask(self, request: Ask) -> Outcome:
        """Carry out a command if this engine leads, or should; else tell who does."""
        record = self._replica(request.uuid).record
        if not self.open:
            raise DaosError(Der.UNINIT)
        preferred = self.leader_of(record)
        if preferred != self._peers.rank and not request.insist:
            self._resign(request.uuid)
            return Outcome(hint=preferred)
        return await self.lead(request.uuid, request.command)

    # Leading

    async def lead(self, uuid: str, command: Command) -> Outcome:
        """Carry out a command as leader, becoming it first where necessary; raises DaosError."""
        async with self._lock(uuid):
            leadership = self.leading.get(uuid) or await self._step_up(uuid)
            before = self._replica(uuid).record
            decision = decide(before, command)
            after = await self._commit(before, decision)
        return Outcome(
            record=after,
            status=decision.status,
            count=decision.count,
            leader=self._peers.rank,
            rebuild=leadership.rebuild,
        )

    async def found(self, record: PoolRecord) -> Outcome:
        """Set up the service of a new pool on its replicas and let it choose a leader; raises DaosError."""
        await self._write(record, record.replicas, needed=len(record.replicas))
        return await self.call(record.uuid, record.replicas, Query())

    def forget(self, uuid: str) -> None:
        """Have no more to do with a pool."""
        self._resign(uuid)
        self._locks.pop(uuid, None)

    def _resign(self, uuid: str) -> None:
        if (leadership := self.leading.pop(uuid, None)) is not None:
            leadership.stop.set()

    async def _step_up(self, uuid: str) -> Leadership:
        own = self._replica(uuid)
        term = max(own.promised, own.record.term) + 1
        replicas = own.record.replicas
        told = await self._ask_each(replicas, Read(uuid, term), Replica)
        answers = [answer for answer in told if not isinstance(answer, DaosError)]
        if len(answers) <= len(replicas) // 2:
            raise DaosError(Der.AGAIN)
        newest = max((answer.record for answer in answers), key=lambda record: (record.term, record.revision))
        record = msgspec.structs.replace(newest, term=term, revision=newest.revision + 1)
        await self._write(record, record.replicas, needed=len(record.replicas) // 2 + 1)
        leadership = self.leading[uuid] = Leadership(term)
        self._on_lead(record)
        return leadership

    async def _commit(self, before: PoolRecord, decision: Decision) -> PoolRecord:
        if decision.record is before:
            return before
        after = msgspec.structs.replace(decision.record, revision=before.revision + 1)
        for replicas in {before.replicas, after.replicas}:
            await self._write(after, replicas, needed=len(replicas) // 2 + 1)
        for rank in set(before.replicas).difference(after.replicas):
            await self._dismiss(rank, after.uuid)
        self._on_change(before, after)
        return after

    async def _write(self, record: PoolRecord, replicas: Iterable[int], *, needed: int) -> None:
        told = await self._ask_each(replicas, Write(record), Nothing)
        refusals = [answer.status for answer in told if isinstance(answer, DaosError)]
        if len(told) - len(refusals) < needed:
            self._resign(record.uuid)
            raise DaosError(Der.NOSPACE if Der.NOSPACE in refusals else Der.AGAIN)

    async def _dismiss(self, rank: int, uuid: str) -> None:
        try:
            await self._peers.ask(rank, Remove(uuid), Nothing, timeout_s=PEER_S)
        except DaosError as error:
            log.info("a dismissed replica was not told", pool=uuid, rank=rank, reason=error)

    async def _ask_each(
        self, ranks: Iterable[int], request: msgspec.Struct, reply: type[ReplyT]
    ) -> list[ReplyT | DaosError]:
        """Ask several engines at once; return what each answers, or why it does not."""

        async def one(rank: int) -> ReplyT | DaosError:
            try:
                return await self._peers.ask(rank, request, reply, timeout_s=PEER_S)
            except DaosError as error:
                log.debug("a replica did not answer", rank=rank, reason=error)
                return error

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(rank)) for rank in ranks]
        return [task.result() for task in tasks]

    # Asking

    async def call(self, uuid: str, replicas: Iterable[int], command: Command) -> Outcome:
        """Find the leader of a service and have it carry out a command; raises DaosError.

        NOTREPLICA if none of the named engines keeps the pool, TIMEDOUT if no leader appears in time.
        """
        ranks = list(dict.fromkeys(replicas))
        strangers: set[int] = set()
        deadline = asyncio.get_running_loop().time() + self._patience_s
        pause_s = FIRST_PAUSE_S
        while True:
            for rank in list(ranks):
                outcome = await self._follow(rank, uuid, command, strangers)
                if outcome is not None:
                    return outcome
            if strangers.issuperset(ranks):
                raise DaosError(Der.NOTREPLICA)
            if asyncio.get_running_loop().time() + pause_s > deadline:
                raise DaosError(Der.TIMEDOUT)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)

    async def _follow(self, rank: int, uuid: str, command: Command, strangers: set[int]) -> Outcome | None:
        """Ask a replica, and then whom it names, and so on; return what the leader answers.

        A change of the replicas that a leader could not finish leaves it with other replicas than the rest. Each may
        hold another for the leader, or one that has not become a replica yet. Where they go round in circles, or to
        such a one, whoever pointed there is made to lead: it takes over the newest record, and with it they agree.
        """
        asked: list[int] = []
        insist = False
        while True:
            lost: set[int] = set()
            outcome = await self._try(Ask(uuid, command, insist=insist), rank, lost if asked else strangers)
            if outcome is not None and outcome.record is not None:
                return outcome
            if lost and not insist:
                rank, insist = asked[-1], True
            elif outcome is None or outcome.hint is None or insist:
                return None
            else:
                asked.append(rank)
                rank = outcome.hint
                insist = rank in asked

    async def _try(self, request: Ask, rank: int, strangers: set[int]) -> Outcome | None:
        try:
            return await self._peers.ask(rank, request, Outcome, timeout_s=self._patience_s)
        except DaosError as error:
            if error.status == Der.NOTREPLICA:
                strangers.add(rank)
            elif error.status not in MOVE_ON:
                raise
            return None

    def _replica(self, uuid: str) -> Replica:
        replica = self._store.replicas.get(uuid)
        if replica is None:
            raise DaosError(Der.NOTREPLICA)
        return replica

    def _yield_to(self, uuid: str, term: int) -> None:
        leadership = self.leading.get(uuid)
        if leadership is not None and leadership.term < term:
            self._resign(uuid)

    def _lock(self, uuid: str) -> asyncio.Lock:
        return self._locks.setdefault(uuid, asyncio.Lock())
