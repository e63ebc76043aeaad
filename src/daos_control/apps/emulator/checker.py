"""The consistency checker, as far as pools without data can be inconsistent.

One engine leads a check: it asks the management service for its pools and all engines for theirs, and compares. What
it finds is reported; a policy says what to do, or that an administrator is to be asked, whose answer comes as ``act``.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from daos_control.apps.emulator import properties
from daos_control.apps.emulator.engine import DestroyShard, Engine, Pools, WantPools
from daos_control.apps.emulator.pool import PoolRecord
from daos_control.apps.emulator.services import Nothing
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.mgmt import check_pb2
from daos_control.wire.pb.shared import check_engine_pb2

log = logs.get(__name__)

DRY_RUN, RESET, AUTO, ORPHANS, NO_AUTO = 1, 2, 8, 16, 64
CLASSES = range(chk_pb2.CIC_OBJ_DATA_INCONSIST + 1)


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to deal with an inconsistency."""

    action: int
    text: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of inconsistency this checker can find."""

    number: int
    text: str
    default: int
    choices: tuple[Choice, ...]


DANGLING = Kind(
    chk_pb2.CIC_POOL_NONEXIST_ON_ENGINE,
    "The management service knows a pool that no engine has.",
    chk_pb2.CIA_DISCARD,
    (
        Choice(chk_pb2.CIA_DISCARD, "Forget the pool in the management service [suggested]."),
        Choice(chk_pb2.CIA_IGNORE, "Leave everything as it is."),
    ),
)
ORPHAN = Kind(
    chk_pb2.CIC_POOL_NONEXIST_ON_MS,
    "Engines have a pool that the management service does not know.",
    chk_pb2.CIA_READD,
    (
        Choice(chk_pb2.CIA_READD, "Tell the management service of the pool [suggested]."),
        Choice(chk_pb2.CIA_DISCARD, "Destroy the pool on the engines."),
        Choice(chk_pb2.CIA_IGNORE, "Leave everything as it is."),
    ),
)
BAD_LABEL = Kind(
    chk_pb2.CIC_POOL_BAD_LABEL,
    "The management service has another label for a pool than its service.",
    chk_pb2.CIA_TRUST_PS,
    (
        Choice(chk_pb2.CIA_TRUST_PS, "Take the label of the pool service [suggested]."),
        Choice(chk_pb2.CIA_IGNORE, "Leave everything as it is."),
    ),
)
BAD_REPLICAS = Kind(
    chk_pb2.CIC_POOL_BAD_SVCL,
    "The management service has other replicas for a pool service than there are.",
    chk_pb2.CIA_TRUST_PS,
    (
        Choice(chk_pb2.CIA_TRUST_PS, "Take the replicas that the pool service has [suggested]."),
        Choice(chk_pb2.CIA_IGNORE, "Leave everything as it is."),
    ),
)


@dataclass(slots=True)
class Finding:
    """One inconsistency; ``action`` is INTERACT until somebody has decided."""

    seq: int
    kind: Kind
    pool: str
    label: str
    record: PoolRecord | None
    action: int
    result: int = 0


@dataclass(slots=True)
class Check:
    """One run."""

    flags: int
    ranks: list[int]
    wanted: list[str]
    started: int = field(default_factory=lambda: int(time.time()))
    status: int = chk_pb2.CIS_RUNNING
    phase: int = chk_pb2.CSP_PREPARE
    ended: int = 0
    pools: dict[str, int] = field(default_factory=dict)
    """Status of each pool."""
    holders: dict[str, list[int]] = field(default_factory=dict)
    """Ranks that have a share of each pool."""
    findings: dict[int, Finding] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether it still goes on."""
        return self.status == chk_pb2.CIS_RUNNING


class Checker:
    """The checker of one engine; it leads if it was the one to be started."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._policies: dict[int, int] = {}
        self._flags = 0
        self._check: Check | None = None

    def start(self, flags: int, ranks: list[int], pools: list[str], policies: Mapping[int, int]) -> bool:
        """Begin a check; tell if nothing of an earlier one counts any more. Raises DaosError."""
        if not ranks:
            raise DaosError(Der.INVAL)
        if self._check is not None and self._check.running:
            raise DaosError(Der.ALREADY)
        reset = self._check is None or bool(flags & RESET)
        self.set_policies(flags, policies)
        self._check = Check(flags, ranks, pools)
        self._engine.chores.start("consistency check", self._run(self._check))
        return reset

    def stop(self, pools: list[str]) -> None:
        """End the check, or leave some pools unchecked."""
        check = self._led()
        for pool in pools or list(check.pools):
            if check.pools.get(pool) in {chk_pb2.CPS_CHECKING, chk_pb2.CPS_PENDING}:
                check.pools[pool] = chk_pb2.CPS_STOPPED
        if not pools and check.running:
            check.status, check.ended = chk_pb2.CIS_STOPPED, int(time.time())

    def query(self, pools: list[str]) -> check_pb2.CheckQueryResp:
        """Tell how the check stands; raises DaosError NOTLEADER if this engine never led one."""
        check = self._led()
        timing = check_pb2.CheckQueryTime(start_time=check.started, misc_time=check.ended)
        reply = check_pb2.CheckQueryResp(time=timing, inconsistency=_counts(check.findings.values()))
        reply.ins_status = check.status  # type: ignore[assignment]  # an int at run time
        reply.ins_phase = check.phase  # type: ignore[assignment]
        for pool, status in check.pools.items():
            if not pools or pool in pools:
                own = [finding for finding in check.findings.values() if finding.pool == pool]
                entry = reply.pools.add(uuid=pool, time=timing, inconsistency=_counts(own))
                entry.status, entry.phase = status, check.phase  # type: ignore[assignment]
                for rank in check.holders.get(pool, []):
                    entry.targets.add(rank=rank, inconsistency=_counts(()), time=check_pb2.CheckQueryTime())
        return reply

    def properties(self) -> check_pb2.CheckPropResp:
        """Tell flags and policies, one for each class."""
        self._led()
        reply = check_pb2.CheckPropResp(flags=self._flags)
        for number in CLASSES:
            policy = reply.policies.add()
            policy.inconsist_cas = number  # type: ignore[assignment]
            policy.inconsist_act = self._policies.get(number, chk_pb2.CIA_DEFAULT)  # type: ignore[assignment]
        return reply

    def set_policies(self, flags: int, policies: Mapping[int, int]) -> None:
        """Say what to do about classes of inconsistency from now on."""
        self._policies |= policies
        self._flags = (self._flags | flags) & ~AUTO if flags & NO_AUTO else self._flags | flags

    async def act(self, seq: int, action: int) -> None:
        """Do what an administrator decided; raises DaosError."""
        check = self._led()
        finding = check.findings.get(seq)
        if finding is None or finding.action != chk_pb2.CIA_INTERACT:
            raise DaosError(Der.NONEXIST)
        if action not in {choice.action for choice in finding.kind.choices}:
            raise DaosError(Der.INVAL)
        await self._repair(check, finding, action)
        self._conclude(check)

    def _led(self) -> Check:
        if self._check is None:
            raise DaosError(Der.NOTLEADER)
        return self._check

    async def _run(self, check: Check) -> None:
        try:
            check.phase = chk_pb2.CSP_POOL_LIST
            known = {pool.uuid: pool for pool in await self._engine.upcalls.check_pools()}
            answers = await self._engine.ask_all(check.ranks, WantPools(), Pools)
            records = _newest(answers.values())
            check.holders = _holders(answers)
            for pool in sorted(known.keys() | records.keys() | check.holders.keys()):
                if not check.wanted or pool in check.wanted:
                    check.pools[pool] = chk_pb2.CPS_CHECKING
            check.phase = chk_pb2.CSP_POOL_MBS
            for pool in list(check.pools):
                await self._compare(check, pool, known.get(pool), records.get(pool))
            self._conclude(check)
        except DaosError as error:
            log.error("check failed", reason=error)
            check.status, check.ended = chk_pb2.CIS_FAILED, int(time.time())

    async def _compare(
        self,
        check: Check,
        pool: str,
        known: check_engine_pb2.CheckListPoolResp.OnePool | None,
        record: PoolRecord | None,
    ) -> None:
        label = known.label if known else str(record.properties[properties.LABEL]) if record else ""
        if record is None and known is not None:
            await self._find(check, DANGLING, pool, label, record)
        elif record is not None and known is None and check.flags & ORPHANS:
            await self._find(check, ORPHAN, pool, label, record)
        elif record is not None and known is not None:
            if record.properties[properties.LABEL] != known.label:
                await self._find(check, BAD_LABEL, pool, label, record)
            if set(record.replicas) != set(known.svcreps):
                await self._find(check, BAD_REPLICAS, pool, label, record)
        if check.pools[pool] == chk_pb2.CPS_CHECKING:
            check.pools[pool] = chk_pb2.CPS_CHECKED

    async def _find(self, check: Check, kind: Kind, pool: str, label: str, record: PoolRecord | None) -> None:
        seq = (check.started << 20) + len(check.findings) + 1
        action = self._policies.get(kind.number, chk_pb2.CIA_DEFAULT) or kind.default
        if action == chk_pb2.CIA_INTERACT and self._flags & AUTO:
            action = chk_pb2.CIA_IGNORE
        finding = check.findings[seq] = Finding(seq, kind, pool, label, record, action)
        if action == chk_pb2.CIA_INTERACT:
            check.pools[pool] = chk_pb2.CPS_PENDING
            finding.result = check.flags & DRY_RUN
            await self._report(finding)
        else:
            await self._repair(check, finding, action)

    async def _repair(self, check: Check, finding: Finding, action: int) -> None:
        finding.action = action
        if check.flags & DRY_RUN:
            finding.result = 1
        else:
            try:
                await self._carry_out(finding)
            except DaosError as error:
                finding.result = error.status
        check.pools[finding.pool] = chk_pb2.CPS_FAILED if finding.result < 0 else chk_pb2.CPS_CHECKED
        await self._report(finding)

    async def _carry_out(self, finding: Finding) -> None:
        upcalls = self._engine.upcalls
        match finding.action:
            case chk_pb2.CIA_DISCARD if finding.kind is DANGLING:
                request = check_engine_pb2.CheckDeregPoolReq(seq=finding.seq, uuid=finding.pool)
                await upcalls.check_deregister(request)
            case chk_pb2.CIA_DISCARD:
                ranks = list(self._engine.group.members)
                await self._engine.ask_all(ranks, DestroyShard(finding.pool), Nothing)
            case chk_pb2.CIA_READD | chk_pb2.CIA_TRUST_PS if finding.record is not None:
                await upcalls.check_register(
                    check_engine_pb2.CheckRegPoolReq(
                        seq=finding.seq,
                        uuid=finding.pool,
                        label=str(finding.record.properties[properties.LABEL]),
                        svcreps=finding.record.replicas,
                    )
                )

    async def _report(self, finding: Finding) -> None:
        report = chk_pb2.CheckReport(
            seq=finding.seq,
            result=finding.result,
            pool_uuid=finding.pool,
            pool_label=finding.label,
            timestamp=time.ctime() + "\n",
            msg=finding.kind.text + "\n",
        )
        setattr(report, "class", finding.kind.number)
        report.action = finding.action  # type: ignore[assignment]  # an int at run time
        if finding.action == chk_pb2.CIA_INTERACT:
            for choice in finding.kind.choices:
                report.act_choices.append(choice.action)  # type: ignore[arg-type]
                report.act_details.append(choice.text)
        await self._engine.upcalls.check_report(check_engine_pb2.CheckReportReq(report=report))

    def _conclude(self, check: Check) -> None:
        open_pools = {chk_pb2.CPS_CHECKING, chk_pb2.CPS_PENDING}
        if check.running and open_pools.isdisjoint(check.pools.values()):
            check.status, check.phase, check.ended = chk_pb2.CIS_COMPLETED, chk_pb2.CSP_DONE, int(time.time())


def _counts(findings: Iterable[Finding]) -> check_pb2.CheckQueryInconsist:
    counts = check_pb2.CheckQueryInconsist()
    for finding in findings:
        counts.total += 1
        counts.failed += finding.result < 0
        if finding.action == chk_pb2.CIA_IGNORE:
            counts.ignored += 1
        elif finding.action != chk_pb2.CIA_INTERACT and finding.result == 0:
            counts.repaired += 1
    return counts


def _newest(answers: Iterable[object]) -> dict[str, PoolRecord]:
    newest: dict[str, PoolRecord] = {}
    for answer in answers:
        if isinstance(answer, Pools):
            for pool, record in answer.records.items():
                known = newest.get(pool)
                if known is None or (record.term, record.revision) > (known.term, known.revision):
                    newest[pool] = record
    return newest


def _holders(answers: Mapping[int, object]) -> dict[str, list[int]]:
    holders: dict[str, list[int]] = {}
    for rank, answer in answers.items():
        if isinstance(answer, Pools):
            for pool in answer.shards:
                holders.setdefault(pool, []).append(rank)
    return holders
