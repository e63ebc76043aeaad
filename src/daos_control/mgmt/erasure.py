"""The end of a system: every rank loses its identity, every replica its store; then storage waits for a format.

The order is what makes it safe to be killed at, and to be repeated: first all other hosts, then the other replicas,
then this host's own ranks, and last, in the same breath, its replica. Whatever breaks off before knows of every
member still; whatever breaks off after comes up unformatted, and the next format of the storage clears what is left.
"""

from typing import Final

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.mgmt.decisions import Decisions
from daos_control.mgmt.ports import Hosts, Premises, Settings
from daos_control.mgmt.ranks import RESET, Limit, Ranks, no_limit
from daos_control.model.rank_result import RankResult
from daos_control.net.rpc.methods import MGMT
from daos_control.wire.convert.members import results_to_pb
from daos_control.wire.pb.mgmt import system_pb2

log = logs.get(__name__)

GONE: Final = frozenset(
    {
        FaultCode.CLIENT_CONNECTION_REFUSED,
        FaultCode.CLIENT_CONNECTION_TIMED_OUT,
        FaultCode.CLIENT_CONNECTION_CLOSED,
    }
)
"""Faults of a replica that is down, or restarts while it is being erased."""


class Erasure:
    """Erases the system."""

    def __init__(
        self, *, decisions: Decisions, ranks: Ranks, hosts: Hosts, premises: Premises, settings: Settings
    ) -> None:
        self._decisions = decisions
        self._ranks = ranks
        self._hosts = hosts
        self._premises = premises
        self._settings = settings

    async def lead(self, *, limit: Limit = no_limit) -> system_pb2.SystemEraseResp:
        """Erase everything, if every rank can be reset; else tell which cannot, and keep the system's records."""
        members = self._decisions.system.members
        here = frozenset(rank for rank, member in members.items() if member.addr == self._settings.address)
        results = await self._ranks.reset(frozenset(members) - here, limit=limit)
        if not _failed(results):
            await self._erase_other_replicas(limit)
            results += await self._ranks.reset(here, limit=limit)
        else:
            results += [self._left_alone(rank) for rank in here]
        results.sort(key=lambda result: result.rank)
        if failed := _failed(results):
            log.error("system not erased: some ranks could not be reset", ranks=failed)
        else:
            log.notice("erasing the system", ranks=RankSet(members))
            await self._premises.erase_replica()
        return system_pb2.SystemEraseResp(results=results_to_pb(results))

    async def follow(self) -> system_pb2.SystemEraseResp:
        """Erase what this host has of the system, as its leader wants it."""
        await self._premises.reset_engines()
        await self._premises.erase_replica()
        return system_pb2.SystemEraseResp()

    async def _erase_other_replicas(self, limit: Limit) -> None:
        request = system_pb2.SystemEraseReq(sys=self._settings.system_name)
        for address in self._settings.other_replicas:
            try:
                await self._hosts.call(address, MGMT["SystemErase"], request, timeout_s=limit())
            except DaosControlError as error:
                if not (isinstance(error, Fault) and error.code in GONE):
                    raise
                log.notice("a replica could not be told that the system is erased", replica=address, reason=str(error))

    def _left_alone(self, rank: int) -> RankResult:
        member = self._decisions.system.members[rank]
        return RankResult(
            rank=rank,
            state=member.state,
            action=RESET,
            addr=member.addr,
            message="left as it is, because other ranks could not be reset",
        )


def _failed(results: list[RankResult]) -> RankSet:
    return RankSet(result.rank for result in results if result.errored)
