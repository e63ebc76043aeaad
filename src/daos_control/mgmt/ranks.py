"""Orders to ranks: stop, start, exclude. The hosts carry them out; what they report is noted by the legal moves."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from daos_control.base import aio, logs
from daos_control.base.clock import Clock
from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.pools import Decisions
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

DEFAULT_PORT: Final = 10001
"""Where a host is taken to listen if a request does not say."""
FAN_OUT: Final = 128
"""Hosts that are given an order at once."""
PREPARE, STOP, START = "prep shutdown", "stop", "start"


class Ranks:
    """Everything that can be done to ranks. Requests and replies are the protocol's own messages."""

    def __init__(
        self, *, decisions: Decisions, hosts: Hosts, events: EventSink, settings: Settings, clock: Clock
    ) -> None:
        self._decisions = decisions
        self._hosts = hosts
        self._events = events
        self._settings = settings
        self._clock = clock

    async def select(self, *, ranks: str, hosts: str) -> Selection:
        """Return the ranks that a request means; names of hosts are resolved on the way."""
        return select(self._decisions.system, ranks=ranks, hosts=await _addresses(hosts))

    async def stop(self, request: system_pb2.SystemStopReq) -> system_pb2.SystemStopResp:
        """Stop ranks: by force at once, else first prepared, so that engines do not take each other for dead."""
        selection = await self._to_operate_on(request, ignore_admin_excluded=request.ignore_admin_excluded)
        action, results = PREPARE, []
        if not request.force:
            results = await self._order(CTL["PrepShutdownRanks"], PREPARE, selection.ranks, ranks_pb2.RanksReq())
        if not any(result.errored for result in results):
            action = STOP
            order = ranks_pb2.RanksReq(force=request.force)
            results = await self._order(CTL["StopRanks"], STOP, selection.ranks, order)
        self._report_failures(EventId.SYSTEM_STOP_FAILED, f'system stop failed while in "{action}"', results)
        return system_pb2.SystemStopResp(
            results=results_to_pb(results),
            absentranks=selection.absent_ranks,
            absenthosts=selection.absent_hosts,
        )

    async def start(self, request: system_pb2.SystemStartReq) -> system_pb2.SystemStartResp:
        """Start ranks that are stopped."""
        selection = await self._to_operate_on(request, ignore_admin_excluded=request.ignore_admin_excluded)
        order = ranks_pb2.RanksReq(check_mode=request.check_mode)
        results = await self._order(CTL["StartRanks"], START, selection.ranks, order)
        self._report_failures(EventId.SYSTEM_START_FAILED, "system start failed", results)
        return system_pb2.SystemStartResp(
            results=results_to_pb(results),
            absentranks=selection.absent_ranks,
            absenthosts=selection.absent_hosts,
        )

    async def exclude(self, request: system_pb2.SystemExcludeReq) -> system_pb2.SystemExcludeResp:
        """Take ranks out of the system by an administrator's word, or take the word back."""
        if not request.hosts and not request.ranks:
            raise Refused("no hosts or ranks specified")
        selection = await self.select(ranks=request.ranks, hosts=request.hosts)
        if selection.absent_hosts:
            raise Refused(f"invalid host(s): {selection.absent_hosts}")
        if selection.absent_ranks:
            raise Refused(f"invalid rank(s): {selection.absent_ranks}")
        results = await self._decisions.apply(
            partial(membership.exclude, ranks=selection.ranks, clear=request.clear, now=self._clock.now())
        )
        return system_pb2.SystemExcludeResp(results=results_to_pb(results))

    async def _to_operate_on(
        self, request: system_pb2.SystemStopReq | system_pb2.SystemStartReq, *, ignore_admin_excluded: bool
    ) -> Selection:
        """Return the ranks to give an order to; those an administrator has excluded are left alone."""
        selection = await self.select(ranks=request.ranks, hosts=request.hosts)
        out = membership.admin_excluded(self._decisions.system.members, selection.ranks)
        if not selection.explicit or ignore_admin_excluded:
            left = replace(selection, ranks=selection.ranks - out)
            if not left.ranks:
                raise Refused("all requested ranks are administratively excluded")
            return left
        if out:
            raise FaultCode.SERVER_RANK_ADMIN_EXCLUDED.fault(ranks=str(RankSet(out)))
        return selection

    async def _order(
        self, method: Method, action: str, ranks: frozenset[int], order: ranks_pb2.RanksReq
    ) -> list[RankResult]:
        """Give the hosts of these ranks an order, all at once, and note what they report."""
        members = self._decisions.system.members
        by_host: dict[str, list[int]] = {}
        for rank in sorted(ranks):
            by_host.setdefault(members[rank].addr, []).append(rank)

        async def one(host: tuple[str, list[int]]) -> list[RankResult]:
            address, its_ranks = host
            request = ranks_pb2.RanksReq()
            request.CopyFrom(order)
            request.ranks = str(RankSet(its_ranks))
            return await self._host_results(address, method, request, its_ranks)

        reported = await aio.map_bounded(FAN_OUT, one, sorted(by_host.items()))
        results = {
            result.rank: replace(result, action=action, addr=result.addr or members[result.rank].addr)
            for host in reversed(reported)
            for result in host
            if result.rank in ranks
        }
        ordered = [results[rank] for rank in sorted(results)]
        moves = await self._decisions.apply(partial(membership.record_results, results=ordered, now=self._clock.now()))
        log.debug(f"{action}: done", ranks=RankSet(ranks), moved=RankSet(move.member.rank for move in moves))
        return ordered

    async def _host_results(
        self, address: str, method: Method, request: ranks_pb2.RanksReq, ranks: Sequence[int]
    ) -> list[RankResult]:
        try:
            reply = await self._hosts.call(address, method, request)
        except DaosControlError as error:
            log.error(f"{method.name}: no answer", host=address, ranks=RankSet(ranks), reason=str(error))
            return [
                RankResult(rank=rank, state=MemberState.UNRESPONSIVE, errored=True, message=str(error), addr=address)
                for rank in ranks
            ]
        return [result_from_pb(result) for result in reply.results]

    def _report_failures(self, event: EventId, what: str, results: Sequence[RankResult]) -> None:
        failed = RankSet(result.rank for result in results if result.errored)
        if failed:
            noun = "rank" if len(failed) == 1 else "ranks"
            self._events.record(
                Event(
                    id=event,
                    type=EventType.INFO,
                    severity=Severity.ERROR,
                    message=cut(f"{what}, failed {noun} {failed}"),
                    timestamp=timestamp(self._clock.now()),
                    hostname=self._settings.hostname,
                )
            )


async def _addresses(hosts: str) -> Mapping[str, str | None]:
    """Resolve the hosts of a request to ``ip:port``, or None where that fails."""
    if not hosts:
        return {}
    try:
        names = list(HostSet.parse(hosts))
    except ValueError as error:
        raise Refused(str(error)) from error
    found = await aio.map_bounded(FAN_OUT, _address, names)
    return dict(zip(names, found, strict=True))


async def _address(host: str) -> str | None:
    name, _, port = host.partition(":")
    try:
        number = int(port or DEFAULT_PORT)
        answers = await asyncio.get_running_loop().getaddrinfo(
            name, number, family=socket.AF_INET, type=socket.SOCK_STREAM
        )
    except (OSError, ValueError):
        return None
    return f"{answers[0][4][0]!s}:{number}"
