"""The system as a whole: its members, its leader, starting and stopping it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from daos_control.base.errors import DaosControlError, RaftUnavailable, Redirect, SteppingUp
from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.client.connection import Connection, rank_text
from daos_control.client.errors import InvalidRequest, PartlyFailed
from daos_control.model.member_state import ALL_STATES, AVAILABLE, MemberState, mask_of
from daos_control.model.rank_result import RankResult
from daos_control.wire.pb.mgmt import svc_pb2, system_pb2

PROBE_S = 10.0
"""How long a replica may take to say that it is there."""

START_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One engine of the system, as its management service last heard of it."""

    rank: int
    uuid: str
    state: MemberState
    addr: str
    """``ip:port`` of the control server on its host."""
    fault_domain: str
    fabric_uri: str
    secondary_fabric_uris: tuple[str, ...]
    fabric_contexts: int
    incarnation: int
    info: str
    last_update: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Ranks and hosts that were asked for and that the system does not have."""

    absent_ranks: RankSet
    absent_hosts: HostSet

    def problems(self) -> list[str]:
        """Say what does not exist, in DAOS's words."""
        found = [f"non-existent hosts {self.absent_hosts}"] if self.absent_hosts else []
        return found + ([f"non-existent ranks {self.absent_ranks}"] if self.absent_ranks else [])

    def check(self) -> None:
        """Raise PartlyFailed if not all went well."""
        problems = self.problems()
        if problems:
            raise PartlyFailed(", ".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState(Absent):
    """The answer to a system query."""

    members: tuple[Member, ...]
    providers: tuple[str, ...]
    self_heal_policy: str
    """Flags of the system property, joined with semicolons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankResults(Absent):
    """How something went on each rank."""

    results: tuple[RankResult, ...]

    def problems(self) -> list[str]:
        """Say what does not exist, and on which ranks it failed."""
        failed = RankSet(result.rank for result in self.results if result.errored)
        found = Absent.problems(self)  # super() does not find its way in a class with slots
        if failed:
            found.append(f"check results for failed rank{'s' if len(failed) > 1 else ''} {failed}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Who leads the management service, and who could."""

    current_leader: str
    replicas: tuple[str, ...]
    down_replicas: tuple[str, ...]
    """Replicas that did not answer just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRanksResult:
    """How something went on the ranks of one pool."""

    id: str
    results: tuple[RankResult, ...]

    def problem(self) -> str:
        """Name the ranks on which it failed, if there are any."""
        failed = RankSet(result.rank for result in self.results if result.errored)
        if not failed:
            return ""
        return f"rank{'s' if len(failed) > 1 else ''} {failed.ranged()} failed on pool {self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedPool:
    """What cleaning up after a machine did to one pool."""

    pool_id: str
    status: int
    message: str
    count: int
    """Handles that were evicted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildResult:
    """Whether a pool took the request to start or stop rebuilding."""

    id: str
    op_code: int
    errored: bool
    message: str


class System:
    """What an administrator does to a system; part of a ``DaosClient``.

    Ranks are given as a set of numbers or as text (``"0-3,7"``), hosts as host lists. Neither means: all.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def query(
        self,
        *,
        ranks: Iterable[int] | str = (),
        hosts: Sequence[str] = (),
        states: Iterable[MemberState] = (),
        not_ok: bool = False,
    ) -> SystemState:
        """Return the members, or those on some ranks or hosts, or in some states; ``not_ok``: all but joined ones."""
        mask = mask_of(states) or ALL_STATES
        if not_ok:
            mask = ALL_STATES & ~MemberState.JOINED.bit
        request = system_pb2.SystemQueryReq(**_selection(ranks, hosts), state_mask=mask)
        reply = await self._connection.ask("SystemQuery", request, read=True)
        return SystemState(
            members=tuple(_member(member) for member in reply.members),
            providers=tuple(reply.providers),
            self_heal_policy=reply.sys_self_heal_policy,
            **_absent(reply),
        )

    async def leader(self) -> Leader:
        """Return the leader of the management service, and try each replica."""
        reply = await self._connection.ask("LeaderQuery", svc_pb2.LeaderQueryReq(), read=True)
        replicas = tuple(reply.replicas)
        tried = await self._connection.each_replica("LeaderQuery", svc_pb2.LeaderQueryReq(), replicas, PROBE_S)
        return Leader(current_leader=reply.current_leader, replicas=replicas, down_replicas=tuple(tried.errors))

    async def stop(
        self,
        *,
        ranks: Iterable[int] | str = (),
        hosts: Sequence[str] = (),
        force: bool = True,
        ignore_admin_excluded: bool = False,
    ) -> RankResults:
        """Stop engines; without ``force`` they are asked to, and may take their time."""
        request = system_pb2.SystemStopReq(
            **_selection(ranks, hosts), force=force, ignore_admin_excluded=ignore_admin_excluded
        )
        return _results(await self._connection.ask("SystemStop", request))

    async def start(
        self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = (), ignore_admin_excluded: bool = False
    ) -> RankResults:
        """Start engines that are stopped."""
        request = system_pb2.SystemStartReq(**_selection(ranks, hosts), ignore_admin_excluded=ignore_admin_excluded)
        return _results(await self._connection.ask("SystemStart", request))

    async def exclude(self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()) -> RankResults:
        """Keep ranks out of the system until ``clear_exclude``."""
        return await self._exclude(ranks, hosts, clear=False)

    async def clear_exclude(self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()) -> RankResults:
        """Let ranks join again that were excluded by an administrator."""
        return await self._exclude(ranks, hosts, clear=True)

    async def _exclude(self, ranks: Iterable[int] | str, hosts: Sequence[str], *, clear: bool) -> RankResults:
        request = system_pb2.SystemExcludeReq(**_some(ranks, hosts), clear=clear)
        return _results(await self._connection.ask("SystemExclude", request))

    async def drain(self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()) -> tuple[PoolRanksResult, ...]:
        """Move the data of all pools away from ranks."""
        return await self._drain(ranks, hosts, reint=False)

    async def reintegrate(
        self, *, ranks: Iterable[int] | str = (), hosts: Sequence[str] = ()
    ) -> tuple[PoolRanksResult, ...]:
        """Take ranks back into all pools that had them."""
        return await self._drain(ranks, hosts, reint=True)

    async def _drain(
        self, ranks: Iterable[int] | str, hosts: Sequence[str], *, reint: bool
    ) -> tuple[PoolRanksResult, ...]:
        # The name goes without our version, as DAOS 2.8 has it: the leader passes it on in requests of its own.
        request = system_pb2.SystemDrainReq(sys=self._connection.system, **_some(ranks, hosts), reint=reint)
        reply = await self._connection.ask("SystemDrain", request)
        return tuple(PoolRanksResult(id=pool.id, results=_rank_results(pool.results)) for pool in reply.responses)

    async def erase(self) -> RankResults:
        """Wipe the system's records and all ranks' superblocks; every rank must have been stopped."""
        try:
            members = (await self.query()).members
        except (Redirect, RaftUnavailable, SteppingUp):
            members = ()
        running = RankSet(member.rank for member in members if member.state in AVAILABLE)
        if running:
            count = f"{len(running)} ranks" if len(running) > 1 else "rank"
            raise InvalidRequest(f"system erase requires the following {count} to be stopped: {running}")
        return _results(await self._connection.ask("SystemErase", system_pb2.SystemEraseReq()))

    async def cleanup(self, machine: str) -> tuple[CleanedPool, ...]:
        """Evict all pool handles that a machine holds."""
        if not machine:
            raise InvalidRequest("name the machine to clean up after")
        reply = await self._connection.ask("SystemCleanup", system_pb2.SystemCleanupReq(machine=machine))
        return tuple(
            CleanedPool(pool_id=result.pool_id, status=result.status, message=result.msg, count=result.count)
            for result in reply.results
        )

    async def rebuild_start(self) -> tuple[RebuildResult, ...]:
        """Let every pool rebuild."""
        return await self._rebuild(op_code=1)

    async def rebuild_stop(self, *, force: bool = False) -> tuple[RebuildResult, ...]:
        """Stop every pool's rebuild."""
        return await self._rebuild(op_code=2, force=force)

    async def _rebuild(self, *, op_code: int, force: bool = False) -> tuple[RebuildResult, ...]:
        request = system_pb2.SystemRebuildManageReq(op_code=op_code, force=force)
        reply = await self._connection.ask("SystemRebuildManage", request)
        return tuple(
            RebuildResult(id=result.id, op_code=result.op_code, errored=result.errored, message=result.msg)
            for result in reply.results
        )

    async def self_heal_eval(self) -> None:
        """Look again whether the self-heal policy asks for something to be done."""

        def unavailable(error: DaosControlError) -> bool:
            return isinstance(error, Redirect)

        await self._connection.ask("SystemSelfHealEval", system_pb2.SystemSelfHealEvalReq(), retry=unavailable)

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        """Store attributes of the system; an empty value deletes one."""
        if not attributes:
            raise InvalidRequest("give at least one attribute")
        await self._connection.ask("SystemSetAttr", system_pb2.SystemSetAttrReq(attributes=attributes))

    async def get_attributes(self, keys: Sequence[str] = ()) -> dict[str, str]:
        """Return the system's attributes, or those named."""
        reply = await self._connection.ask("SystemGetAttr", system_pb2.SystemGetAttrReq(keys=sorted(keys)), read=True)
        return dict(reply.attributes)

    async def set_properties(self, properties: dict[str, str]) -> None:
        """Set system properties; values as people write them, see ``model.system_property``."""
        await self._connection.ask("SystemSetProp", system_pb2.SystemSetPropReq(properties=properties))

    async def get_properties(self, keys: Sequence[str] = ()) -> dict[str, str]:
        """Return the system's properties, or those named."""
        reply = await self._connection.ask("SystemGetProp", system_pb2.SystemGetPropReq(keys=sorted(keys)), read=True)
        return dict(reply.properties)


def _selection(ranks: Iterable[int] | str, hosts: Sequence[str]) -> dict[str, Any]:
    selected = {"ranks": rank_text(ranks), "hosts": str(HostSet.parse(",".join(hosts)))}
    if all(selected.values()):
        raise InvalidRequest("select by ranks or by hosts, not by both")
    return selected


def _some(ranks: Iterable[int] | str, hosts: Sequence[str]) -> dict[str, Any]:
    selected = _selection(ranks, hosts)
    if not any(selected.values()):
        raise InvalidRequest("no ranks or hosts specified")
    return selected


def _absent(reply: Any) -> dict[str, Any]:
    return {
        "absent_ranks": RankSet.parse(getattr(reply, "absentranks", "")),
        "absent_hosts": HostSet.parse(getattr(reply, "absenthosts", "")),
    }


def _rank_results(results: Iterable[Any]) -> tuple[RankResult, ...]:
    return tuple(
        RankResult(
            rank=result.rank,
            state=MemberState.parse(result.state),
            action=result.action,
            errored=result.errored,
            message=result.msg,
            addr=result.addr,
        )
        for result in results
    )


def _results(reply: Any) -> RankResults:
    return RankResults(results=_rank_results(reply.results), **_absent(reply))


def _member(member: system_pb2.SystemMember) -> Member:
    return Member(
        rank=member.rank,
        uuid=member.uuid,
        state=MemberState.parse(member.state),
        addr=member.addr,
        fault_domain=member.fault_domain,
        fabric_uri=member.fabric_uri,
        secondary_fabric_uris=tuple(member.secondary_fabric_uris),
        fabric_contexts=member.fabric_contexts,
        incarnation=member.incarnation,
        info=member.info,
        last_update=datetime.fromisoformat(member.last_update) if member.last_update else START_OF_TIME,
    )
