"""The system checker: entering and leaving its mode, running checks, and deciding about what they find.

Engines do the checking. One of this host's leads a check and speaks for all; what engines find they report by
themselves. The management service keeps the system in checker mode, and keeps findings and policies.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError, NotLeader
from daos_control.base.rankset import NIL_RANK, RankSet
from daos_control.mgmt.decisions import Decisions, see_through
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.ports import DataPlane, Hosts, Settings
from daos_control.mgmt.ranks import Limit, Ranks, no_limit
from daos_control.mgmt.rules import checker as rules
from daos_control.mgmt.system import System
from daos_control.model.checker import Action, Inconsistency
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.rpc.methods import CTL
from daos_control.wire.convert.checker import finding_from_pb, finding_to_pb, policies_from_pb, policies_to_pb
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.ctl import check_pb2 as ctl_check_pb2
from daos_control.wire.pb.mgmt import check_pb2, svc_pb2, system_pb2
from daos_control.wire.pb.shared import ranks_pb2 as shared_pb2

log = logs.get(__name__)

ENGINE_S: Final = 300.0
"""How long an engine may take to begin or end a check: it tells all others first."""


class Checker:
    """Everything that can be asked of the checker. Requests and replies are the protocol's own messages."""

    def __init__(
        self, *, decisions: Decisions, ranks: Ranks, data_plane: DataPlane, hosts: Hosts, settings: Settings
    ) -> None:
        self._decisions = decisions
        self._ranks = ranks
        self._data_plane = data_plane
        self._hosts = hosts
        self._settings = settings

    @property
    def _system(self) -> System:
        return self._decisions.system

    # -- checker mode ----------------------------------------------------------------------------------------------

    async def enable(self, request: check_pb2.CheckEnableReq, *, limit: Limit = no_limit) -> svc_pb2.DaosResp:
        """Put the system into checker mode, and start its ranks for the checker."""
        ranks = await self._decisions.apply(rules.enable)
        log.notice("the system is in checker mode", ranks=RankSet(ranks))
        order = system_pb2.SystemStartReq(sys=request.sys, ranks=str(RankSet(ranks)), check_mode=True)
        started = await self._ranks.start(order, limit=limit)
        _require_all(
            started.results,
            "the checker is enabled, but {ranks} did not start: run 'dmg system start' to try again, exclude what "
            "cannot be started with 'dmg system exclude', or run 'dmg check disable'",
        )
        return svc_pb2.DaosResp()

    async def disable(self, request: check_pb2.CheckDisableReq, *, limit: Limit = no_limit) -> svc_pb2.DaosResp:
        """Stop the ranks that run for the checker, and put the system back into normal mode.

        The mode is left last, but whatever becomes of the ranks: so if this breaks off, it can be repeated. A rank
        that comes up while others are stopped is stopped as well, for nothing would take it out of the mode later.
        """
        results: dict[int, shared_pb2.RankResult] = {}
        given_up: frozenset[int] = frozenset()
        while ranks := await self._decisions.apply(partial(rules.disable, given_up=given_up)):
            order = system_pb2.SystemStopReq(sys=request.sys, ranks=str(RankSet(ranks)))
            told = {result.rank: result for result in (await self._ranks.stop(order, limit=limit)).results}
            results |= told
            if told.keys() != ranks or any(result.errored for result in told.values()):
                given_up |= ranks  # all of them, for an order that one rank fails to prepare for stops none
        log.notice("the system is in normal mode", stopped=RankSet(results))
        _require_all(
            results.values(),
            "the checker is disabled, but {ranks} did not stop: run 'dmg system stop --force', then 'dmg system start'",
        )
        return svc_pb2.DaosResp()

    # -- checks ----------------------------------------------------------------------------------------------------

    async def start(self, request: check_pb2.CheckStartReq) -> check_pb2.CheckStartResp:
        """Begin a check of some pools or all. It is noted even if whoever wanted it goes away meanwhile."""
        return await see_through(
            self._decisions, self._start(request), deposed=NotLeader("", self._settings.other_replicas)
        )

    async def _start(self, request: check_pb2.CheckStartReq) -> check_pb2.CheckStartResp:
        system = self._system
        scope = rules.pool_uuids(system, request.uuids)
        rules.check_ready(system)
        used = rules.merged(system, policies_from_pb(request.policies))
        order = check_pb2.CheckStartReq(
            sys=request.sys,
            flags=request.flags,
            ranks=rules.checker_ranks(system),
            uuids=scope,
            policies=policies_to_pb(used),
        )
        known = frozenset(system.check.findings)
        reply: check_pb2.CheckStartResp = await self._engines(drpc.Mgmt.CHK_START, order)
        if reply.status < 0:
            return reply
        await self._decisions.apply(partial(rules.started, used=used, scope=scope, reset=reply.status > 0, known=known))
        log.notice("check started", flags=request.flags, pools=", ".join(scope) or "all", reset=reply.status > 0)
        return check_pb2.CheckStartResp()

    async def stop(self, request: check_pb2.CheckStopReq) -> check_pb2.CheckStopResp:
        """End the check of some pools or all."""
        scope = rules.pool_uuids(self._system, request.uuids)
        rules.check_ready(self._system)
        order = check_pb2.CheckStopReq(sys=request.sys, uuids=scope)
        reply: check_pb2.CheckStopResp = await self._engines(drpc.Mgmt.CHK_STOP, order)
        return reply

    async def query(self, request: check_pb2.CheckQueryReq) -> check_pb2.CheckQueryResp:
        """Tell how the check stands, unless only findings are wanted, and what it has found."""
        scope = rules.pool_uuids(self._system, request.uuids)
        reply = check_pb2.CheckQueryResp()
        if not request.shallow and not request.seqs:
            rules.check_ready(self._system)
            order = check_pb2.CheckQueryReq(sys=request.sys, uuids=scope)
            reply = await self._engines(drpc.Mgmt.CHK_QUERY, order)
        reports = {report.seq: report for report in reply.reports}
        reports |= {finding.seq: finding_to_pb(finding) for finding in rules.found(self._system, request.seqs)}
        wanted = [reports[seq] for seq in sorted(reports) if not scope or reports[seq].pool_uuid in scope]
        del reply.reports[:]
        reply.reports.extend(wanted)
        reply.leader = self._leader()
        return reply

    def _leader(self) -> int:
        """Return the rank that leads checks: the first of this host that runs for the checker."""
        ready = frozenset(rules.checker_ranks(self._system))
        return next((rank for rank in self._data_plane.ranks if rank in ready), NIL_RANK)

    # -- policies --------------------------------------------------------------------------------------------------

    async def set_policies(self, request: check_pb2.CheckSetPolicyReq) -> svc_pb2.DaosResp:
        """Say what is to become of findings, in a check that runs and in those to come."""
        rules.check_ready(self._system)
        reply: svc_pb2.DaosResp = await self._engines(drpc.Mgmt.CHK_SET_POLICY, request)
        if reply.status:
            return reply
        await self._decisions.apply(partial(rules.set_policies, given=policies_from_pb(request.policies)))
        return svc_pb2.DaosResp()

    async def get_policies(self, request: check_pb2.CheckGetPolicyReq) -> check_pb2.CheckGetPolicyResp:
        """Tell what is to become of findings."""
        system = self._system
        rules.check_ready(system)
        kinds = [Inconsistency(number) for number in request.classes]
        found = rules.policies(system, kinds, last_used=request.last_used)
        return check_pb2.CheckGetPolicyResp(policies=policies_to_pb(found))

    # -- findings --------------------------------------------------------------------------------------------------

    async def repair(self, request: check_pb2.CheckActReq) -> check_pb2.CheckActResp:
        """Tell the engine that waits for it what an administrator has decided about its finding."""
        action = Action(request.act)
        finding, address = rules.to_repair(self._system, request.seq, action)
        order = ctl_check_pb2.CheckEngineActReq(rank=finding.rank, req=request)
        answer = await self._hosts.call(address, CTL["CheckEngineRepair"], order)
        reply: check_pb2.CheckActResp = answer.resp
        if not reply.status:
            await self._decisions.apply(partial(rules.decided, seq=request.seq, action=action))
            log.notice("finding decided on", finding=f"{request.seq:#x}", action=action.name)
        return reply

    async def report(self, message: chk_pb2.CheckReport | None) -> None:
        """Keep what an engine found, or what became of it."""
        if message is None:
            raise DaosError(Der.INVAL)
        await self._decisions.apply(partial(rules.reported, finding=finding_from_pb(message)))

    async def _engines(self, method: drpc.Method[Any, Any], request: Any) -> Any:
        try:
            return await self._data_plane.call(method, request, timeout_s=ENGINE_S)
        except DrpcError as error:
            raise Refused(str(error)) from error


def _require_all(results: Iterable[shared_pb2.RankResult], text: str) -> None:
    failed = [result for result in results if result.errored]
    if failed:
        ranks = RankSet(result.rank for result in failed)
        reasons = "; ".join(sorted({result.msg for result in failed}))
        raise Refused(text.format(ranks=ranks.named()) + f" ({reasons})")
