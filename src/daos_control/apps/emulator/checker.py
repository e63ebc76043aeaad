"""The consistency checker of one engine; the one that is started leads the check.

The leader asks the management service for its pools and all engines for theirs, and takes every pool through the
phases of a check, all pools side by side. What is inconsistent is pursued by the engine that is concerned: it repairs
what a policy says and reports that, or reports that an administrator is to decide, and then waits for ``act``. What is
left of a check, and the policies, outlive the engine; a check that was under way does not go on by itself.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from daos_control.apps.emulator.engine import Engine, Pools, WantPools
from daos_control.apps.emulator.inconsistency import KINDS, PoolView, Pretended, Trouble, pool_troubles
from daos_control.apps.emulator.repairs import Repairs
from daos_control.apps.emulator.services import Nothing
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.mgmt import check_pb2
from daos_control.wire.pb.shared import check_engine_pb2

log = logs.get(__name__)

DRY_RUN, RESET, FAILOUT, AUTO, ORPHANS, NO_FAILOUT, NO_AUTO = 1, 2, 4, 8, 16, 32, 64
CLASSES: Final = range(chk_pb2.CIC_OBJ_DATA_INCONSIST + 1)
PHASES: Final = (
    chk_pb2.CSP_PREPARE,
    chk_pb2.CSP_POOL_LIST,
    chk_pb2.CSP_POOL_MBS,
    chk_pb2.CSP_POOL_CLEANUP,
    chk_pb2.CSP_CONT_LIST,
    chk_pb2.CSP_CONT_CLEANUP,
)
"""The phases in which there is something to do."""
ABOUT_WHOLE_POOLS: Final = frozenset(
    {
        chk_pb2.CIC_POOL_NONEXIST_ON_ENGINE,
        chk_pb2.CIC_POOL_NONEXIST_ON_MS,
        chk_pb2.CIC_POOL_LESS_SVC_WITHOUT_QUORUM,
    }
)
"""What these find is a pool that is gone once it is discarded."""


class PoolResult(msgspec.Struct):
    """How the check of a pool stands, or ended."""

    status: int = chk_pb2.CPS_CHECKING
    phase: int = chk_pb2.CSP_PREPARE
    started: int = 0
    ended: int = 0
    holders: list[int] = []
    """Ranks that have a share of it."""

    @property
    def over(self) -> bool:
        """Whether it goes no further."""
        return self.status not in {chk_pb2.CPS_CHECKING, chk_pb2.CPS_PENDING}


class CheckResult(msgspec.Struct):
    """How a check stands, or ended."""

    flags: int
    started: int
    status: int = chk_pb2.CIS_RUNNING
    ended: int = 0
    total: int = 0
    repaired: int = 0
    ignored: int = 0
    failed: int = 0
    pools: dict[str, PoolResult] = {}

    @property
    def phase(self) -> int:
        """How far the pool has come that is the furthest behind."""
        return min((pool.phase for pool in self.pools.values()), default=chk_pb2.CSP_DONE)

    def count(self, outcome: "Outcome") -> None:
        """Take an outcome into the statistics."""
        self.failed += outcome.result < 0
        self.ignored += outcome.result >= 0 and outcome.action == chk_pb2.CIA_IGNORE
        self.repaired += outcome.result == 0 and outcome.action != chk_pb2.CIA_IGNORE


class CheckerFile(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives the engine."""

    seq: int = 0
    flags: int = 0
    policies: dict[int, int] = {}
    last: CheckResult | None = None


class Pursue(msgspec.Struct, frozen=True, kw_only=True):
    """Have a rank deal with a trouble."""

    leader: int
    seq: int
    trouble: Trouble
    action: int
    dry_run: bool


class Outcome(msgspec.Struct, frozen=True):
    """What became of a trouble; ``action`` INTERACT says that it waits for a decision."""

    action: int
    result: int = 0


class Settled(msgspec.Struct, frozen=True):
    """Tell a leader what became of a trouble that waited for a decision."""

    seq: int
    outcome: Outcome


class Abandon(msgspec.Struct, frozen=True):
    """Tell a rank that nothing waits for a decision any more: all, or of some pools."""

    pools: list[str]


class FailedOut(Exception):
    """A repair has failed, and that is to be the end."""


@dataclass(slots=True)
class Check:
    """A check under way."""

    ranks: list[int]
    result: CheckResult
    waiting: dict[int, "asyncio.Future[Outcome]"] = field(default_factory=dict)
    tasks: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)


class Checker:
    """The checker of one engine; it leads if it was the one to be started."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file = engine.store.kept("checker", CheckerFile) or CheckerFile()
        if self._last is not None and self._last.status == chk_pb2.CIS_RUNNING:
            self._last.status = chk_pb2.CIS_PAUSED
            for pool in self._last.pools.values():
                pool.status = pool.status if pool.over else chk_pb2.CPS_PAUSED
        self._check: Check | None = None
        self._pending: dict[int, Pursue] = {}
        self._repairs = Repairs(engine)
        for request, handler in ((Pursue, self.pursue), (Settled, self.settled), (Abandon, self.abandon)):
            engine.offer(request, handler)

    @property
    def _last(self) -> CheckResult | None:
        return self._file.last

    @property
    def _running(self) -> bool:
        return self._last is not None and self._last.status == chk_pb2.CIS_RUNNING

    def _keep(self, **changes: object) -> None:
        self._file = msgspec.structs.replace(self._file, **changes)
        self._engine.store.keep("checker", self._file)

    # What the server asks

    async def start(self, flags: int, ranks: list[int], pools: list[str], policies: Mapping[int, int]) -> bool:
        """Begin a check, or go on with the last one; tell whether all that was before is forgotten."""
        if not ranks or (flags & FAILOUT and flags & NO_FAILOUT) or (flags & AUTO and flags & NO_AUTO):
            raise DaosError(Der.INVAL)
        if self._running:
            raise DaosError(Der.ALREADY)
        self.set_policies(flags, policies)
        last = self._last
        again = last is None or last.status == chk_pb2.CIS_COMPLETED or bool(last.flags & DRY_RUN)
        reset = bool(flags & RESET) or last is None or (again and not pools)
        done = {} if reset or last is None else dict(last.pools)
        result = CheckResult(flags=flags, started=int(time.time()), pools=done)
        check = self._check = Check(ranks, result)
        self._keep(last=result)
        await self._everywhere(check, Abandon([]))
        self._engine.chores.start("consistency check", self._run(check, pools))
        return reset

    async def stop(self, pools: list[str]) -> None:
        """End the check, or leave some pools as they are; raises DaosError NOTLEADER if there never was one."""
        result = self._led()
        check = self._check
        if check is None or not self._running:
            return
        await self._everywhere(check, Abandon(pools))
        self._halt(check, pools or list(result.pools), chk_pb2.CPS_STOPPED)
        if all(pool.over for pool in result.pools.values()):
            result.status, result.ended = chk_pb2.CIS_STOPPED, int(time.time())
        self._keep()

    def query(self, pools: list[str]) -> check_pb2.CheckQueryResp:
        """Tell how the check stands; raises DaosError NOTLEADER if this engine never led one."""
        result = self._led()
        ends = self._remaining_s(result) if self._running else result.ended
        reply = check_pb2.CheckQueryResp(
            time=check_pb2.CheckQueryTime(start_time=result.started, misc_time=ends),
            inconsistency=check_pb2.CheckQueryInconsist(
                total=result.total, repaired=result.repaired, ignored=result.ignored, failed=result.failed
            ),
        )
        reply.ins_status = result.status  # type: ignore[assignment]  # an int at run time
        reply.ins_phase = result.phase  # type: ignore[assignment]
        for uuid, pool in result.pools.items():
            if not pools or uuid in pools:
                self._describe(reply, uuid, pool)
        return reply

    def _describe(self, reply: check_pb2.CheckQueryResp, uuid: str, pool: PoolResult) -> None:
        """Tell of a pool rank by rank, as genuine engines do; if no rank has it, at all."""
        ends = pool.ended if pool.over else self._remaining_s(pool)
        nothing = check_pb2.CheckQueryInconsist()
        targets = [check_pb2.CheckQueryTarget(rank=rank, inconsistency=nothing) for rank in pool.holders]
        for told in [[target] for target in targets] or [[]]:
            timing = check_pb2.CheckQueryTime(start_time=pool.started, misc_time=ends)
            entry = reply.pools.add(uuid=uuid, time=timing, inconsistency=nothing, targets=told)
            entry.status, entry.phase = pool.status, pool.phase  # type: ignore[assignment]  # ints at run time

    def _remaining_s(self, what: CheckResult | PoolResult) -> int:
        left = sum(phase >= what.phase for phase in PHASES)
        return math.ceil(left * self._engine.settings.check_s)

    def properties(self) -> check_pb2.CheckPropResp:
        """Tell flags and policies, one for each class."""
        self._led()
        reply = check_pb2.CheckPropResp(flags=self._file.flags)
        for number in CLASSES:
            policy = reply.policies.add()
            policy.inconsist_cas = number  # type: ignore[assignment]  # an int at run time
            policy.inconsist_act = self._file.policies.get(number, chk_pb2.CIA_DEFAULT)  # type: ignore[assignment]
        return reply

    def set_policies(self, flags: int, policies: Mapping[int, int]) -> None:
        """Say what to do about classes of inconsistency from now on; raises DaosError INVAL for unknown ones."""
        if any(kind > chk_pb2.CIC_UNKNOWN for kind in policies):
            raise DaosError(Der.INVAL)
        kept = self._file.flags | (flags & (FAILOUT | AUTO))
        kept &= ~(FAILOUT if flags & NO_FAILOUT else 0) & ~(AUTO if flags & NO_AUTO else 0)
        self._keep(flags=kept, policies={**self._file.policies, **policies})

    async def act(self, seq: int, action: int) -> None:
        """Hear what an administrator decided, and do it after this has been answered; raises DaosError."""
        task = self._pending.get(seq)
        if task is None:
            raise DaosError(Der.NONEXIST)
        if action not in KINDS[task.trouble.kind].choices:
            raise DaosError(Der.INVAL)
        del self._pending[seq]
        self._engine.chores.start(f"decision about {seq:#x}", self._decided(task, action))

    def _led(self) -> CheckResult:
        if self._last is None:
            raise DaosError(Der.NOTLEADER)
        return self._last

    # Leading

    async def _run(self, check: Check, wanted: list[str]) -> None:
        result = check.result
        try:
            views, pretended = await self._look(check)
            if result.status != chk_pb2.CIS_RUNNING:
                return  # it was stopped meanwhile
            for pool in views:
                before = result.pools.get(pool)
                if pool in wanted or (not wanted and (before is None or before.status != chk_pb2.CPS_CHECKED)):
                    result.pools[pool] = PoolResult(started=int(time.time()), holders=sorted(views[pool].holders))
            async with asyncio.TaskGroup() as group:
                for pool, view in views.items():
                    if pool in result.pools and not result.pools[pool].over:
                        work = self._check_pool(check, view, [one for one in pretended if one[1].pool == pool])
                        check.tasks[pool] = group.create_task(work, name=f"check of {pool}")
        except* FailedOut:
            self._fail(check, "a repair has failed")
        except* DaosError as errors:
            self._fail(check, str(errors.exceptions[0]))
        if result.status == chk_pb2.CIS_RUNNING:
            result.status, result.ended = chk_pb2.CIS_COMPLETED, int(time.time())
        self._keep()

    def _fail(self, check: Check, reason: str) -> None:
        log.error("check failed", reason=reason)
        check.result.status, check.result.ended = chk_pb2.CIS_FAILED, int(time.time())
        self._halt(check, list(check.result.pools), chk_pb2.CPS_IMPLICATED)

    def _halt(self, check: Check, pools: list[str], status: int) -> None:
        """Check some pools no further."""
        for uuid in pools:
            pool = check.result.pools.get(uuid)
            if pool is not None and not pool.over:
                pool.status, pool.ended = status, int(time.time())
                if uuid in check.tasks:
                    check.tasks[uuid].cancel()

    async def _look(self, check: Check) -> tuple[dict[str, PoolView], list[tuple[int, Pretended]]]:
        """Ask everybody which pools there are, and who pretends what; raises DaosError if somebody does not answer.

        What only that rank has would seem to be lost, and be struck from the records.
        """
        known = {pool.uuid: pool for pool in await self._engine.upcalls.check_pools()}
        answers = await self._engine.ask_all(check.ranks, WantPools(), Pools)
        told: dict[int, Pools] = {}
        for rank, answer in answers.items():
            if isinstance(answer, DaosError):
                raise answer
            told[rank] = answer
        views = {}
        for pool in sorted({*known, *(uuid for one in told.values() for uuid in (*one.shards, *one.records))}):
            records = {rank: one.records[pool] for rank, one in told.items() if pool in one.records}
            entry = known.get(pool)
            views[pool] = PoolView(
                pool=pool,
                known=(entry.label, tuple(entry.svcreps)) if entry else None,
                record=max(records.values(), key=lambda record: (record.term, record.revision), default=None),
                replicas=tuple(records),
                holders=tuple(rank for rank, one in told.items() if pool in one.shards),
                checked=tuple(told),
            )
        return views, [(rank, one) for rank, answer in told.items() for one in answer.pretended]

    async def _check_pool(self, check: Check, view: PoolView, pretended: list[tuple[int, Pretended]]) -> None:
        """Take a pool through all phases."""
        state, rank = check.result.pools[view.pool], self._engine.rank
        for phase in PHASES:
            state.phase = phase
            await asyncio.sleep(self._engine.settings.check_s)
            found = [
                (rank, trouble) for trouble in pool_troubles(view, phase, orphans=bool(check.result.flags & ORPHANS))
            ]
            for owner, one in pretended:
                if KINDS[one.kind].phase == phase:
                    found.append((owner, Trouble(kind=one.kind, pool=one.pool, label=view.label, pretended=one)))
            for owner, trouble in found:
                if await self._find(check, state, owner, trouble):
                    state.status, state.ended = chk_pb2.CPS_UNCHECKED, int(time.time())
                    state.phase = chk_pb2.CSP_DONE
                    return  # the pool is gone
        failed = state.status == chk_pb2.CPS_FAILED
        state.status, state.phase = chk_pb2.CPS_FAILED if failed else chk_pb2.CPS_CHECKED, chk_pb2.CSP_DONE
        state.ended = int(time.time())
        self._keep()

    async def _find(self, check: Check, state: PoolResult, owner: int, trouble: Trouble) -> bool:
        """Have a trouble dealt with; return whether the pool is gone by that."""
        seq = max(self._file.seq, int(time.time()) << 16) + 1
        self._keep(seq=seq)
        kind, flags = KINDS[trouble.kind], check.result.flags
        action = self._file.policies.get(kind.number, chk_pb2.CIA_DEFAULT) or kind.default
        if action == chk_pb2.CIA_INTERACT and self._file.flags & AUTO:
            action = chk_pb2.CIA_IGNORE
        dry_run = bool(flags & DRY_RUN)
        check.result.total += 1
        check.waiting[seq] = asyncio.get_running_loop().create_future()
        task = Pursue(leader=self._engine.rank, seq=seq, trouble=trouble, action=action, dry_run=dry_run)
        outcome = await self._engine.ask(owner, task, Outcome, timeout_s=self._engine.settings.service_s)
        if outcome.action == chk_pb2.CIA_INTERACT:
            state.status = chk_pb2.CPS_PENDING
            outcome = await check.waiting[seq]
            state.status = chk_pb2.CPS_CHECKING
        check.result.count(outcome)
        if outcome.result < 0:
            state.status = chk_pb2.CPS_FAILED
            if self._file.flags & FAILOUT:
                raise FailedOut
        discarded = outcome.action == chk_pb2.CIA_DISCARD and outcome.result == 0
        return discarded and trouble.kind in ABOUT_WHOLE_POOLS and trouble.pretended is None

    async def _everywhere(self, check: Check, request: msgspec.Struct) -> None:
        """Tell all ranks of a check; those that do not hear it have nothing to lose."""
        await self._engine.ask_all(check.ranks, request, Nothing)

    # What engines ask of each other

    async def pursue(self, task: Pursue) -> Outcome:
        """Deal with a trouble, or report it and wait for a decision."""
        if task.action != chk_pb2.CIA_INTERACT:
            return await self._settle(task, task.action)
        self._pending[task.seq] = task
        await self._report(task, Outcome(task.action, int(task.dry_run)))
        return Outcome(task.action)

    async def settled(self, news: Settled) -> Nothing:
        """Hear what became of a trouble that waited for a decision."""
        waiting = self._check.waiting.get(news.seq) if self._check else None
        if waiting is not None and not waiting.done():
            waiting.set_result(news.outcome)
        return Nothing()

    async def abandon(self, news: Abandon) -> Nothing:
        """Wait for no more decisions."""
        gone = [seq for seq, task in self._pending.items() if not news.pools or task.trouble.pool in news.pools]
        for seq in gone:
            del self._pending[seq]
        return Nothing()

    async def _decided(self, task: Pursue, action: int) -> None:
        outcome = await self._settle(task, action)
        news = Settled(task.seq, outcome)
        await self._engine.ask(task.leader, news, Nothing, timeout_s=self._engine.settings.service_s)

    async def _settle(self, task: Pursue, action: int) -> Outcome:
        """Repair, unless it is a dry run, and report it."""
        result = int(task.dry_run)
        if not task.dry_run:
            try:
                await self._repairs.carry_out(task.seq, task.trouble, action)
            except DaosError as error:
                result = error.status
        outcome = Outcome(action, result)
        await self._report(task, outcome)
        return outcome

    async def _report(self, task: Pursue, outcome: Outcome) -> None:
        trouble, kind = task.trouble, KINDS[task.trouble.kind]
        report = chk_pb2.CheckReport(
            seq=task.seq,
            result=outcome.result,
            rank=self._engine.rank,
            pool_uuid=trouble.pool,
            pool_label=trouble.label,
            timestamp=time.ctime() + "\n",
            msg=kind.text + "\n",
        )
        setattr(report, "class", kind.number)
        report.action = outcome.action  # type: ignore[assignment]  # an int at run time
        if outcome.action == chk_pb2.CIA_INTERACT:
            report.act_choices.extend(kind.choices)  # type: ignore[arg-type]
            report.act_details.extend(kind.choices.values())
        await self._engine.upcalls.check_report(check_engine_pb2.CheckReportReq(report=report))
