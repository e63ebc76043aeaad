"""The system checker: its mode, its checks, what they found and what becomes of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from daos_control.base.rankset import NIL_RANK
from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest
from daos_control.client.given import texts
from daos_control.model.checker import (
    Action,
    CheckFlag,
    CheckPhase,
    CheckStatus,
    Finding,
    Inconsistency,
    PoolCheckStatus,
)
from daos_control.wire.convert.checker import finding_from_pb, policies_from_pb, policies_to_pb
from daos_control.wire.pb.mgmt import check_pb2

_EXCLUSIVE: Final = (
    (CheckFlag.FAILOUT, CheckFlag.NO_FAILOUT),
    (CheckFlag.AUTO, CheckFlag.NO_AUTO),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCheck:
    """How the check of one pool stands."""

    uuid: str
    status: PoolCheckStatus
    phase: CheckPhase
    ranks: tuple[int, ...]
    """Those that check it; an unknown one is ``NIL_RANK``."""
    start_time: int
    """Seconds since 1970; 0 if it has not begun."""
    misc_time: int
    """While it is checked how many seconds that may still take, afterwards when it ended."""

    @property
    def checking(self) -> bool:
        """Whether it is being checked."""
        return self.status is PoolCheckStatus.CHECKING

    @property
    def lasted_s(self) -> int | None:
        """How long the check took; None if it has not ended, or nobody says when."""
        lasted = self.misc_time - self.start_time
        return lasted if self.start_time and not self.checking and lasted >= 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """How a check stands, and what has been found: by it, or by earlier ones."""

    status: CheckStatus
    phase: CheckPhase
    leader: int | None
    """The rank that leads it; None if no engine could."""
    start_time: int
    """Seconds since 1970; 0 if there was no check yet."""
    pools: Mapping[str, PoolCheck]
    """By uuid."""
    findings: tuple[Finding, ...]
    """By class and number."""
    request_status: int = 0
    """The error status of the engine that was asked: it has never led a check, for example."""

    @property
    def started(self) -> datetime:
        """When it began, in this machine's time zone."""
        return datetime.fromtimestamp(self.start_time).astimezone()

    @property
    def open(self) -> tuple[Finding, ...]:
        """What waits for an administrator's decision."""
        return tuple(finding for finding in self.findings if finding.open)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPolicies:
    """What becomes of findings by class, and how checks go about it."""

    flags: CheckFlag
    policies: tuple[tuple[Inconsistency, Action], ...]


class Checker:
    """What is asked of the system checker; part of a ``DaosClient``. Pools are named by label or uuid.

    The order of things: stop the system, ``enable``, ``start``, ``query`` again and again, ``repair`` what is found,
    ``disable``, start the system.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enable(self) -> None:
        """Put the system into checker mode; every engine must have been stopped, and is started for the checker."""
        await self._connection.ask("SystemCheckEnable", check_pb2.CheckEnableReq())

    async def disable(self) -> None:
        """Leave checker mode; engines are stopped, and serve again once the system is started."""
        await self._connection.ask("SystemCheckDisable", check_pb2.CheckDisableReq())

    async def start(
        self,
        pools: Sequence[str] = (),
        *,
        dry_run: bool = False,
        reset: bool = False,
        failout: bool | None = None,
        auto: bool | None = None,
        find_orphans: bool = False,
        policies: Mapping[Inconsistency, Action] | None = None,
    ) -> None:
        """Begin a check of some pools, or of all; the policies are for this check.

        ``dry_run`` changes nothing; ``reset`` forgets how far earlier checks came; ``failout`` ends with the first
        repair that fails; ``auto`` asks nobody; ``find_orphans`` looks for pools that only engines know. ``failout``
        and ``auto`` stay as they were the last time unless they are given.
        """
        flags = CheckFlag.NONE
        flags |= CheckFlag.DRY_RUN if dry_run else CheckFlag.NONE
        flags |= CheckFlag.RESET if reset else CheckFlag.NONE
        flags |= CheckFlag.FIND_ORPHANS if find_orphans else CheckFlag.NONE
        for choice, (yes, no) in zip((failout, auto), _EXCLUSIVE, strict=True):
            if choice is not None:
                flags |= yes if choice else no
        await self._connection.ask(
            "SystemCheckStart",
            check_pb2.CheckStartReq(flags=flags, uuids=texts(pools), policies=policies_to_pb(policies or {})),
        )

    async def stop(self, pools: Sequence[str] = ()) -> None:
        """End the check of some pools, or of all."""
        await self._connection.ask("SystemCheckStop", check_pb2.CheckStopReq(uuids=texts(pools)))

    async def query(
        self, pools: Sequence[str] = (), *, findings: Iterable[int] = (), shallow: bool = False
    ) -> CheckState:
        """Tell how the check stands and what has been found, of some pools or all.

        ``shallow`` asks no engine, and neither does asking for certain findings by their numbers.
        """
        request = check_pb2.CheckQueryReq(uuids=texts(pools), seqs=tuple(findings), shallow=shallow)
        return _state(await self._connection.ask("SystemCheckQuery", request, read=True))

    async def repair(self, finding: int, action: Action) -> None:
        """Decide about a finding, by its number: the action must be one of its choices."""
        request = check_pb2.CheckActReq(seq=finding, act=int(action))  # type: ignore[arg-type]  # an int at run time
        await self._connection.ask("SystemCheckRepair", request)

    async def set_policies(self, policies: Mapping[Inconsistency, Action]) -> None:
        """Say what is to become of findings of some classes, in the check that runs and in those to come."""
        if not policies:
            raise InvalidRequest("no policies specified: give CLASS:ACTION,..., --reset-defaults or --all-interactive")
        request = check_pb2.CheckSetPolicyReq(policies=policies_to_pb(policies))
        await self._connection.ask("SystemCheckSetPolicy", request)

    async def reset_policies(self) -> None:
        """Let every class of findings have its own default again."""
        await self.set_policies(dict.fromkeys(Inconsistency, Action.DEFAULT))

    async def ask_always(self) -> None:
        """Have an administrator decide about every finding, whatever its class."""
        await self.set_policies(dict.fromkeys(Inconsistency, Action.INTERACT))

    async def get_policies(self, classes: Iterable[Inconsistency] = (), *, last_used: bool = False) -> CheckPolicies:
        """Tell what becomes of findings, of some classes or all; ``last_used``: as it was for the last check."""
        wanted: list[Any] = [int(kind) for kind in classes]
        request = check_pb2.CheckGetPolicyReq(classes=wanted, last_used=last_used)
        reply = await self._connection.ask("SystemCheckGetPolicy", request, read=True)
        return CheckPolicies(flags=CheckFlag(reply.flags), policies=tuple(policies_from_pb(reply.policies).items()))


def _state(reply: check_pb2.CheckQueryResp) -> CheckState:
    pools: dict[str, list[check_pb2.CheckQueryPool]] = {}
    for pool in reply.pools:
        pools.setdefault(pool.uuid, []).append(pool)
    findings = [finding_from_pb(report) for report in reply.reports]
    return CheckState(
        status=CheckStatus(reply.ins_status),
        phase=CheckPhase(reply.ins_phase),
        leader=None if reply.leader == NIL_RANK else reply.leader,
        start_time=reply.time.start_time,
        pools={uuid: _pool(parts) for uuid, parts in pools.items()},
        findings=tuple(sorted(findings, key=lambda finding: (finding.kind, finding.seq))),
        request_status=reply.req_status,
    )


def _pool(parts: Sequence[check_pb2.CheckQueryPool]) -> PoolCheck:
    """Put together what is told of a pool rank by rank; the first rank speaks for all, as in DAOS 2.8."""
    first = parts[0]
    ranks = {part.targets[0].rank if part.targets else NIL_RANK for part in parts}
    return PoolCheck(
        uuid=first.uuid,
        status=PoolCheckStatus(first.status),
        phase=CheckPhase(first.phase),
        ranks=tuple(sorted(ranks)),
        start_time=first.time.start_time,
        misc_time=first.time.misc_time,
    )
