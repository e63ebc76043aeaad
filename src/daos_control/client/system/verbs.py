"""What an administrator does to a system as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from daos_control.base.errors import DaosControlError, Redirect
from daos_control.base.rankset import RankSet
from daos_control.client import system  # its answers are imported when the first one is read
from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest
from daos_control.client.given import texts
from daos_control.client.outcomes import is_not_running, is_unavailable
from daos_control.client.system.selection import selection, some
from daos_control.model.member_state import ALL_STATES, AVAILABLE, MemberState, mask_of
from daos_control.net.rpc.methods import MGMT
from daos_control.wire.pb.mgmt import system_pb2

if TYPE_CHECKING:
    from daos_control.client.fan_out import HostAnswers
    from daos_control.client.system import CleanedPool, Leader, PoolRanksResult, RankResults, RebuildResult, SystemState

PROBE_S = 10.0
"""How long a replica may take to say that it is there."""


class System:
    """What an administrator does to a system; part of a ``DaosClient``.

    Ranks are given as a set of numbers or as text (``"0-3,7"``), hosts as host lists. Neither means: all.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # -- looking -------------------------------------------------------------------------------------------------------

    async def query(
        self,
        *,
        ranks: Iterable[int] | str = (),
        hosts: Sequence[str] = (),
        states: Iterable[MemberState] = (),
        not_ok: bool = False,
    ) -> "SystemState":
        """Return the members, or those on some ranks or hosts, or in some states; ``not_ok``: all but joined ones."""
        mask = mask_of(states) or ALL_STATES
        if not_ok:
            mask = ALL_STATES & ~MemberState.JOINED.bit
        request = system_pb2.SystemQueryReq(**selection(ranks, hosts), state_mask=mask)
        return system.SystemState.from_pb(await self._connection.ask("SystemQuery", request, read=True))

    async def leader(self) -> "Leader":
        """Return the leader of the management service, and try each replica."""
        request = MGMT["LeaderQuery"].request()
        reply = await self._connection.ask("LeaderQuery", request, read=True)
        replicas = tuple(reply.replicas)
        tried = await self._connection.each_replica("LeaderQuery", request, replicas, PROBE_S)
        return system.Leader(current_leader=reply.current_leader, replicas=replicas, down_replicas=tuple(tried.errors))

    # -- engines -------------------------------------------------------------------------------------------------------

    async def stop(
        self,
        *,
        ranks: Iterable[int] | str = (),
        hosts: Sequence[str] = (),
        force: bool = True,
        ignore_admin_excluded: bool = False,
    ) -> "RankResults":
        """Stop engines; without ``force`` they are asked to, and may take their time."""
        request = system_pb2.SystemStopReq(
            **selection(ranks, hosts), force=force, ignore_admin_excluded=ignore_admin_excluded
        )
        return system.RankResults.from_pb(await self._connection.ask("SystemStop", request))

    async def start(
        self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = (), ignore_admin_excluded: bool = False
    ) -> "RankResults":
        """Start engines that are stopped."""
        request = system_pb2.SystemStartReq(**selection(ranks, hosts), ignore_admin_excluded=ignore_admin_excluded)
        return system.RankResults.from_pb(await self._connection.ask("SystemStart", request))

    async def exclude(self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()) -> "RankResults":
        """Keep ranks out of the system until ``clear_exclude``."""
        return await self._exclude(ranks, hosts, clear=False)

    async def clear_exclude(self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()) -> "RankResults":
        """Let ranks join again that were excluded by an administrator."""
        return await self._exclude(ranks, hosts, clear=True)

    async def _exclude(self, ranks: Iterable[int] | str, hosts: Sequence[str], *, clear: bool) -> "RankResults":
        request = system_pb2.SystemExcludeReq(**some(ranks, hosts), clear=clear)
        return system.RankResults.from_pb(await self._connection.ask("SystemExclude", request))

    async def erase(self) -> "RankResults":
        """Wipe the system's records and all ranks' superblocks; every rank must have been stopped."""
        running = await self._running()
        if running:
            count = f"{len(running)} ranks" if len(running) > 1 else "rank"
            raise InvalidRequest(f"system erase requires the following {count} to be stopped: {running}")
        request = system_pb2.SystemEraseReq()
        reply = await self._connection.ask("SystemErase", request, give_up=is_unavailable)
        return system.RankResults.from_pb(reply)

    async def _running(self) -> RankSet:
        """Return the ranks that serve, none if nobody runs the management service.

        A system that is to be erased often runs no longer, so nobody is waited for: each host is asked once, and
        then each replica that was named, since the server itself does not refuse to erase a running system.
        """
        answers = await self._members_from(self._connection.addresses())
        if not answers.replies:
            replicas = {replica for error in answers.errors.values() for replica in _replicas(error)}
            if replicas:
                answers = await self._members_from(sorted(replicas))
        if not answers.replies:
            for error in answers.errors.values():
                if not is_not_running(error):
                    raise error
            return RankSet()
        newest = max(answers.replies.values(), key=attrgetter("data_version"))
        members = system.SystemState.from_pb(newest).members
        return RankSet(member.rank for member in members if member.state in AVAILABLE)

    async def _members_from(self, hosts: Sequence[str]) -> "HostAnswers[system_pb2.SystemQueryResp]":
        request = system_pb2.SystemQueryReq(state_mask=ALL_STATES)
        return await self._connection.each_replica("SystemQuery", request, hosts, PROBE_S)

    # -- pools ---------------------------------------------------------------------------------------------------------

    async def drain(
        self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()
    ) -> "tuple[PoolRanksResult, ...]":
        """Move the data of all pools away from ranks."""
        return await self._drain(ranks, hosts, reint=False)

    async def reintegrate(
        self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()
    ) -> "tuple[PoolRanksResult, ...]":
        """Take ranks back into all pools that had them."""
        return await self._drain(ranks, hosts, reint=True)

    async def _drain(
        self, ranks: Iterable[int] | str, hosts: Sequence[str], *, reint: bool
    ) -> "tuple[PoolRanksResult, ...]":
        # The name goes without our version, as DAOS 2.8 has it: the leader passes it on in requests of its own.
        request = system_pb2.SystemDrainReq(sys=self._connection.system, **some(ranks, hosts), reint=reint)
        reply = await self._connection.ask("SystemDrain", request)
        return tuple(system.PoolRanksResult.from_pb(pool) for pool in reply.responses)

    async def cleanup(self, machine: str) -> "tuple[CleanedPool, ...]":
        """Evict all pool handles that a machine holds."""
        if not machine:
            raise InvalidRequest("name the machine to clean up after")
        reply = await self._connection.ask("SystemCleanup", system_pb2.SystemCleanupReq(machine=machine))
        return tuple(system.CleanedPool.from_pb(result) for result in reply.results)

    async def rebuild_start(self) -> "tuple[RebuildResult, ...]":
        """Let every pool rebuild."""
        return await self._rebuild(op_code=1)

    async def rebuild_stop(self, *, force: bool = False) -> "tuple[RebuildResult, ...]":
        """Stop every pool's rebuild."""
        return await self._rebuild(op_code=2, force=force)

    async def _rebuild(self, *, op_code: int, force: bool = False) -> "tuple[RebuildResult, ...]":
        request = system_pb2.SystemRebuildManageReq(op_code=op_code, force=force)
        reply = await self._connection.ask("SystemRebuildManage", request)
        return tuple(system.RebuildResult.from_pb(result) for result in reply.results)

    async def self_heal_eval(self) -> None:
        """Look again whether the self-heal policy asks for something to be done."""
        await self._connection.ask("SystemSelfHealEval", system_pb2.SystemSelfHealEvalReq())

    # -- attributes and properties -------------------------------------------------------------------------------------

    async def set_attributes(self, attributes: Mapping[str, str]) -> None:
        """Store attributes of the system; an empty value deletes one."""
        if not attributes:
            raise InvalidRequest("give at least one attribute")
        await self._connection.ask("SystemSetAttr", system_pb2.SystemSetAttrReq(attributes=attributes))

    async def get_attributes(self, keys: Sequence[str] = ()) -> dict[str, str]:
        """Return the system's attributes, or those named."""
        reply = await self._connection.ask(
            "SystemGetAttr", system_pb2.SystemGetAttrReq(keys=sorted(texts(keys))), read=True
        )
        return dict(reply.attributes)

    async def set_properties(self, properties: Mapping[str, str]) -> None:
        """Set system properties; values as people write them, see ``model.system_property``."""
        if not properties:
            raise InvalidRequest("give at least one property")
        await self._connection.ask("SystemSetProp", system_pb2.SystemSetPropReq(properties=properties))

    async def get_properties(self, keys: Sequence[str] = ()) -> dict[str, str]:
        """Return the system's properties, or those named."""
        reply = await self._connection.ask(
            "SystemGetProp", system_pb2.SystemGetPropReq(keys=sorted(texts(keys))), read=True
        )
        return dict(reply.properties)


def _replicas(error: DaosControlError) -> Sequence[str]:
    return error.replicas if isinstance(error, Redirect) else ()
