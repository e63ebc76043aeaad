"""Orders to ranks: stop, start, reset, exclude. The hosts carry them out; what they report is noted by the legal moves.

What a host reports is noted when it does, and an order that has begun is seen through even if whoever wanted it goes
away. So what is recorded follows what was done, whatever breaks off when, and every order can be repeated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from daos_control.base import logs
from daos_control.base.clock import Clock
from daos_control.base.errors import DaosControlError, NotLeader
from daos_control.base.fault_codes import FaultCode
from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.mgmt.decisions import Decisions, see_through
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.fan_out import tell_hosts
from daos_control.mgmt.names import Names
from daos_control.mgmt.ports import EventSink, Hosts, Settings
from daos_control.mgmt.rules import membership
from daos_control.mgmt.rules.selection import Selection, select
from daos_control.model.event import Event, EventId, EventType, Severity, cut, timestamp
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.net.rpc.methods import CTL, Method
from daos_control.wire.convert.members import result_from_pb, results_to_pb
from daos_control.wire.pb.ctl import ranks_pb2
from daos_control.wire.pb.mgmt import system_pb2

log = logs.get(__name__)

Limit = Callable[[], float]
"""Returns how many seconds are left for a request."""
LONGEST_S: Final = 600.0
"""How long an order may take whose giver sets no limit."""
PREPARE, STOP, START, RESET = "prep shutdown", "stop", "start", "reset format"


def no_limit() -> float:
    """Return the time that is left for whoever sets no limit."""
    return LONGEST_S


class Ranks:
    """Everything that can be done to ranks. Requests and replies are the protocol's own messages."""

    def __init__(
        self,
        *,
        decisions: Decisions,
        hosts: Hosts,
        events: EventSink,
        settings: Settings,
        clock: Clock,
        names: Names | None = None,
    ) -> None:
        self._decisions = decisions
        self._hosts = hosts
        self._events = events
        self._settings = settings
        self._clock = clock
        self._names = names or Names()

    async def select(self, *, ranks: str, hosts: str) -> Selection:
        """Return the ranks that a request means; names of hosts are resolved on the way."""
        try:
            wanted = list(HostSet.parse(hosts)) if hosts else []
        except ValueError as error:
            raise Refused(str(error)) from error
        return select(self._decisions.system, ranks=ranks, hosts=await self._names.addresses(wanted))

    async def stop(self, request: system_pb2.SystemStopReq, *, limit: Limit = no_limit) -> system_pb2.SystemStopResp:
        """Stop ranks: by force at once, else first prepared, so that engines do not take each other for dead."""
        selection = await self._to_order(request, ignore_admin_excluded=request.ignore_admin_excluded)
        action, results = PREPARE, []
        if not request.force:
            results = await self._order(
                CTL["PrepShutdownRanks"], PREPARE, selection.ranks, ranks_pb2.RanksReq(), limit=limit
            )
        if not any(result.errored for result in results):
            action = STOP
            order = ranks_pb2.RanksReq(force=request.force)
            results = await self._order(CTL["StopRanks"], STOP, selection.ranks, order, limit=limit)
        self._report_failures(EventId.SYSTEM_STOP_FAILED, f'System shutdown failed during "{action}" action', results)
        return system_pb2.SystemStopResp(
            results=results_to_pb(results),
            absentranks=selection.absent_ranks,
            absenthosts=selection.absent_hosts,
        )

    async def start(self, request: system_pb2.SystemStartReq, *, limit: Limit = no_limit) -> system_pb2.SystemStartResp:
        """Start ranks that are stopped; in checker mode while the system is in it, whoever starts them."""
        selection = await self._to_order(request, ignore_admin_excluded=request.ignore_admin_excluded)
        check_mode = request.check_mode or self._decisions.system.checking
        order = ranks_pb2.RanksReq(check_mode=check_mode)
        results = await self._order(CTL["StartRanks"], START, selection.ranks, order, limit=limit)
        self._report_failures(EventId.SYSTEM_START_FAILED, "System startup failed", results)
        return system_pb2.SystemStartResp(
            results=results_to_pb(results),
            absentranks=selection.absent_ranks,
            absenthosts=selection.absent_hosts,
        )

    async def reset(self, ranks: frozenset[int], *, limit: Limit = no_limit) -> list[RankResult]:
        """Take the identities of stopped ranks away; those that fail are left in the state they are recorded in."""
        return await self._order(
            CTL["ResetFormatRanks"], RESET, ranks, ranks_pb2.RanksReq(), limit=limit, note_failures=False
        )

    async def exclude(self, request: system_pb2.SystemExcludeReq) -> system_pb2.SystemExcludeResp:
        """Take ranks out of the system by an administrator's word, or take the word back."""
        selection = await self._all_present(ranks=request.ranks, hosts=request.hosts)
        results = await self._decisions.apply(
            partial(membership.exclude, ranks=selection.ranks, clear=request.clear, now=self._clock.now())
        )
        return system_pb2.SystemExcludeResp(results=results_to_pb(results))

    async def in_service(self, *, ranks: str, hosts: str) -> frozenset[int]:
        """Return the ranks a request names: all must be members, none excluded by an administrator."""
        selection = await self._all_present(ranks=ranks, hosts=hosts)
        if not selection.ranks:
            raise Refused("no ranks to operate on")
        self._refuse_excluded(selection.ranks)
        return selection.ranks

    async def _all_present(self, *, ranks: str, hosts: str) -> Selection:
        if not hosts and not ranks:
            raise Refused("no hosts or ranks specified")
        selection = await self.select(ranks=ranks, hosts=hosts)
        if selection.absent_hosts:
            raise Refused(f"invalid host(s): {selection.absent_hosts}")
        if selection.absent_ranks:
            raise Refused(f"invalid rank(s): {selection.absent_ranks}")
        return selection

    async def _to_order(
        self, request: system_pb2.SystemStopReq | system_pb2.SystemStartReq, *, ignore_admin_excluded: bool
    ) -> Selection:
        """Return the ranks to give an order to; those an administrator has excluded are left alone."""
        selection = await self.select(ranks=request.ranks, hosts=request.hosts)
        if selection.explicit and not ignore_admin_excluded:
            self._refuse_excluded(selection.ranks)
            return selection
        out = membership.admin_excluded(self._decisions.system.members, selection.ranks)
        left = replace(selection, ranks=selection.ranks - out)
        if not left.ranks:
            raise Refused("all requested ranks are administratively excluded")
        return left

    def _refuse_excluded(self, ranks: frozenset[int]) -> None:
        out = membership.admin_excluded(self._decisions.system.members, ranks)
        if out:
            raise FaultCode.SERVER_RANK_ADMIN_EXCLUDED.fault(ranks=str(RankSet(out)))

    async def _order(
        self,
        method: Method,
        action: str,
        ranks: frozenset[int],
        order: ranks_pb2.RanksReq,
        *,
        limit: Limit,
        note_failures: bool = True,
    ) -> list[RankResult]:
        """Give the hosts of these ranks an order, all at once, and note what they report."""
        if not ranks:
            return []
        members = self._decisions.system.members
        by_host: dict[str, list[int]] = {}
        for rank in sorted(ranks):
            by_host.setdefault(members[rank].addr, []).append(rank)
        reports = _Reports(
            decisions=self._decisions,
            clock=self._clock,
            method=method,
            action=action,
            by_host=by_host,
            note_failures=note_failures,
        )
        requests = {address: _order_for(order, its_ranks) for address, its_ranks in by_host.items()}
        work = tell_hosts(self._hosts, method, requests, reports.hear, limit_s=limit())
        await see_through(self._decisions, work, deposed=NotLeader("", self._settings.other_replicas))
        return reports.complete()

    def _report_failures(self, event: EventId, what: str, results: Sequence[RankResult]) -> None:
        failed = RankSet(result.rank for result in results if result.errored)
        if failed:
            self._events.record(
                Event(
                    id=event,
                    type=EventType.INFO,
                    severity=Severity.ERROR,
                    message=cut(f"{what}, failed {failed.named()}"),
                    timestamp=timestamp(self._clock.now()),
                    hostname=self._settings.hostname,
                )
            )


def _order_for(order: ranks_pb2.RanksReq, ranks: Sequence[int]) -> ranks_pb2.RanksReq:
    request = ranks_pb2.RanksReq()
    request.CopyFrom(order)
    request.ranks = str(RankSet(ranks))
    return request


@dataclass(slots=True, kw_only=True)
class _Reports:
    """What hosts report of their ranks after an order, noted as it comes."""

    decisions: Decisions
    clock: Clock
    method: Method
    action: str
    by_host: dict[str, list[int]]
    note_failures: bool
    results: dict[int, RankResult] = field(default_factory=dict)
    not_noted: list[DaosControlError] = field(default_factory=list)

    async def hear(self, address: str, answer: Any | DaosControlError) -> None:
        """Note what a host says, or that it says nothing."""
        ranks = self.by_host[address]
        if isinstance(answer, DaosControlError):
            log.error(f"{self.method.name}: no answer", host=address, ranks=RankSet(ranks), reason=str(answer))
            told = [
                RankResult(rank=rank, state=MemberState.UNRESPONSIVE, errored=True, message=str(answer))
                for rank in ranks
            ]
        else:
            told = [result_from_pb(result) for result in answer.results]
        first_word = {
            result.rank: replace(result, action=self.action, addr=result.addr or address)
            for result in reversed(told)
            if result.rank in ranks
        }
        if silent := RankSet(ranks) - RankSet(first_word):
            log.notice(f"{self.method.name}: a host says nothing of its ranks", host=address, ranks=silent)
        self.results |= first_word
        try:
            await self.decisions.apply(
                partial(
                    membership.record_results,
                    results=[first_word[rank] for rank in sorted(first_word)],
                    now=self.clock.now(),
                    update_on_fail=self.note_failures,
                )
            )
        except DaosControlError as error:  # the others' words are noted all the same
            self.not_noted.append(error)

    def complete(self) -> list[RankResult]:
        """Return all results by rank; raises what kept any of them from being noted."""
        if self.not_noted:
            raise self.not_noted[0]
        return [self.results[rank] for rank in sorted(self.results)]
