"""What an administrator does with pools."""
# ruff: noqa: PLC0415 - a program pays for the verbs it uses: most look at no host's storage, and foresee nothing

import asyncio
import grp
import os
import pwd
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec
from uuid import uuid4

from daos_control.base.aio import map_bounded
from daos_control.base.errors import DaosControlError, Fault, PoolNotFound, Redirect
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.client import pool_properties
from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest
from daos_control.client.given import ranks_of, texts
from daos_control.client.pool_properties import PropertyValue
from daos_control.client.pools.acl import explaining_entries, explaining_principal
from daos_control.client.pools.records import (
    Acl,
    CreatedPool,
    Pool,
    PoolList,
    Target,
    acl_from_pb,
    created_from_pb,
    pool_from_pb,
    target_from_pb,
)
from daos_control.client.pools.silence import unless_dead
from daos_control.client.system import PoolRanksResult, System
from daos_control.client.transport import DEADLINE_S
from daos_control.model.member_state import AVAILABLE, MemberState
from daos_control.model.pool_property import DEFAULT_QUERY, EVERYTHING, PoolQuery
from daos_control.model.pool_property_text import is_label, is_uuid
from daos_control.model.pool_retry import passes_by_itself
from daos_control.model.rank_result import RankResult
from daos_control.wire.pb.mgmt import acl_pb2, cont_pb2, pool_pb2

if TYPE_CHECKING:
    from daos_control.client.pool_size import PerRank, PoolSize, Share
    from daos_control.client.pools.foresight import AtStake, Foreseen
    from daos_control.client.pools.plan import PoolPlan
    from daos_control.client.rehearsal import Intended
    from daos_control.client.reports import HostReport
    from daos_control.client.storage_records import HostStorage

P = ParamSpec("P")

CREATE_S: Final = 600.0
PATIENCE_S: Final = 90.0
"""How long a list waits for one pool: one of whose ranks has just died takes a minute."""
AT_ONCE: Final = 16
"""Pools that are queried at the same time for a list."""

DEFAULT_SELF_HEAL: Final = "exclude;rebuild"

HEALTH_ONLY: Final = EVERYTHING & ~int(PoolQuery.SPACE | PoolQuery.ENGINES_ENABLED | PoolQuery.SELF_HEAL_POLICY)


class Pools:
    """What is done with pools; part of a ``DaosClient``. A pool is named by label or UUID."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._system = System(connection)

    async def _ask(self, method: str, request: Any, **options: Any) -> Any:
        return await self._connection.ask(method, request, retry=passes_by_itself, **options)

    async def create(
        self,
        label: str,
        size: "PoolSize",
        *,
        ranks: Iterable[int] = (),
        user: str = "",
        group: str = "",
        acl: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
        service_replicas: int = 0,
        uuid: str = "",
    ) -> CreatedPool:
        """Make a pool, owned by the caller's user and group unless others are named.

        The ``uuid`` makes the request safe to repeat: a pool that is there already is returned as if just made.
        """
        from daos_control.client.pool_size import PerRank, Share, Total, check

        check(size)
        if service_replicas < 0:
            raise InvalidRequest(f"a pool service has some replicas, and not {service_replicas}")
        wanted, acl = list(ranks_of(ranks)), texts(acl)
        settings = pool_properties.to_pb({**(properties or {}), **({"label": label} if label else {})})
        if isinstance(size, Share):
            size, wanted = await self._share(size, wanted)
        request = pool_pb2.PoolCreateReq(
            uuid=uuid or str(uuid4()),
            user=principal(user) or _own_user(),
            user_group=principal(group) or _own_group(),
            acl=acl,
            properties=settings,
            num_svc_reps=service_replicas,
            ranks=wanted,
            mem_ratio=size.mem_ratio,
        )
        match size:
            case Total():
                request.total_bytes = size.total_bytes
                request.tier_ratio.extend(size.ratios)
                request.num_ranks = size.num_ranks
            case PerRank():
                request.tier_bytes.extend(size.tier_bytes)
        with explaining_entries(acl):
            reply = await self._ask("PoolCreate", request, deadline_s=CREATE_S)
        return created_from_pb(request.uuid, reply)

    async def _share(self, share: "Share", wanted: list[int]) -> "tuple[PerRank, list[int]]":
        from daos_control.client.pool_size import candidates, fitting

        ranks = candidates(wanted, await self._ranks(frozenset({MemberState.JOINED})))
        return fitting(share, ranks, (await self._usage(share.mem_ratio)).by_host()), list(ranks)

    async def _usage(self, mem_ratio: float) -> "HostReport[HostStorage]":
        from daos_control.client.storage import Storage

        return await Storage(self._connection).scan(usage=True, mem_ratio=mem_ratio)

    async def _ranks(self, states: frozenset[MemberState]) -> list[int]:
        state = await self._system.query()
        return [member.rank for member in state.members if member.state in states]

    async def plan(
        self, size: "PoolSize | None" = None, *, ranks: Iterable[int] = (), service_replicas: int = 0
    ) -> "PoolPlan":
        """Say what a pool would be given on each rank, and how big it could be, without making it.

        Without a size there is only the largest pool to be told.
        """
        from daos_control.client.pool_size import Share, candidates, check, room
        from daos_control.client.pools.plan import plan

        if size is not None:
            check(size)
        joined = frozenset({MemberState.JOINED}) if isinstance(size, Share) else AVAILABLE
        wanted = candidates(ranks_of(ranks), await self._ranks(joined))
        report = await self._usage(size.mem_ratio if size else 0.0)
        left = room(wanted, report.by_host())
        targets = None if left.targets else await self._targets()
        planned = plan(size, wanted, left, targets=targets, service_replicas=service_replicas)
        if len(left.usable) == len(wanted):
            return planned
        reasons = tuple(f"{problem.hosts}: {problem.error}" for problem in report.problems)
        return replace(planned, problems=(*planned.problems, *reasons))

    async def _targets(self) -> int | None:
        """Return how many targets a rank has, as pools tell; None if none does."""
        for pool in (await self.list()).pools:
            if pool.total_engines:
                return pool.total_targets // pool.total_engines
        return None

    async def rehearse(
        self, verb: "Callable[Concatenate[Pools, P], Awaitable[object]]", /, *args: P.args, **options: P.kwargs
    ) -> "tuple[Foreseen, ...]":
        """Say what a verb would send and change, and what speaks against it; nothing is changed.

        ::

            for step in await daos.pools.rehearse(Pools.destroy, "tank", recursive=True):
                print(step.changes, step.problems)
        """
        from daos_control.client.rehearsal import Rehearsal

        rehearsal = Rehearsal.of(self._connection)
        await verb(Pools(rehearsal), *args, **options)
        return await self.foresee(rehearsal.intended)

    async def foresee(self, intended: "Sequence[Intended]") -> "tuple[Foreseen, ...]":
        """Say what would come of requests that a rehearsal has written down."""
        from daos_control.client.pools.foresight import foresee

        return await foresee(self, self._system, intended)

    async def at_stake(self, pool: str) -> "AtStake":
        """Return what would be lost with a pool, as far as it can be found out."""
        from daos_control.client.pools.foresight import at_stake

        return await at_stake(self, pool)

    async def list_containers(self, pool: str) -> tuple[str, ...]:
        """Return the UUIDs of a pool's containers."""
        reply = await self._ask("ListContainers", pool_pb2.ListContReq(id=pool), read=True)
        return tuple(container.uuid for container in reply.containers)

    async def list(self, *, query: bool = True, patience_s: float = PATIENCE_S) -> PoolList:
        """Return all pools by label; ``query`` finds out about each of those that are ready, side by side.

        A pool that does not answer within ``patience_s`` is one of the result's errors, and costs the others nothing.
        """
        reply = await self._connection.ask("ListPools", pool_pb2.ListPoolsReq(), read=True)
        listed = [
            Pool(uuid=pool.uuid, label=pool.label, svc_reps=tuple(pool.svc_reps), state=pool.state)
            for pool in reply.pools
        ]
        if not query:
            return PoolList(pools=tuple(listed), query_errors={})
        errors: dict[str, DaosControlError] = {}

        async def details(pool: Pool) -> Pool:
            if pool.state != "Ready":
                return pool
            heard: list[DaosControlError] = []
            try:
                queried = await self._query(pool.uuid, 0, deadline_s=patience_s, on_error=heard.append)
            except DaosControlError as error:
                late = isinstance(error, Fault) and error.code == FaultCode.CLIENT_RPC_TIMEOUT
                errors[pool.uuid] = heard[-1] if late and heard else error
                return pool
            # Engines leave out what only the management service knows.
            return replace(
                queried,
                label=queried.label or pool.label,
                state=queried.state or pool.state,
                svc_reps=queried.svc_reps or pool.svc_reps,
            )

        pools = await map_bounded(AT_ONCE, details, listed)
        return PoolList(pools=tuple(sorted(pools, key=lambda pool: pool.label)), query_errors=errors)

    async def query(self, pool: str, *, mask: int = DEFAULT_QUERY | int(PoolQuery.SELF_HEAL_POLICY)) -> Pool:
        """Return what ``mask`` asks for about a pool: bits of ``PoolQuery``.

        The label is not among what engines tell; ``list`` has it.
        """
        found = await self._query(pool, mask)
        if mask & PoolQuery.SELF_HEAL_POLICY:
            values = await self.get_properties(found.uuid, ["self_heal"])
            policy = values[0].text if values else DEFAULT_SELF_HEAL
            found = replace(found, self_heal_policy=policy)
        return found

    async def _query(self, pool: str, mask: int, **options: Any) -> Pool:
        request = pool_pb2.PoolQueryReq(id=pool, query_mask=mask)
        reply = self._ask("PoolQuery", request, read=True, **options)
        if (mask or DEFAULT_QUERY) & PoolQuery.SPACE:
            reply = unless_dead(pool, reply, partial(self._dead_ranks, pool))
        return pool_from_pb(await reply)

    async def _dead_ranks(self, pool: str) -> RankSet:
        return (await self._query(pool, int(PoolQuery.ENGINES_DEAD))).dead_ranks or RankSet()

    async def query_targets(self, pool: str, rank: int, targets: Sequence[int] = ()) -> tuple[Target, ...]:
        """Return the state of targets of a rank; without a list, of all its targets."""
        if not targets:
            known = await self._query(pool, DEFAULT_QUERY)
            targets = range(known.total_targets // known.total_engines if known.total_engines else 0)
        request = pool_pb2.PoolQueryTargetReq(id=pool, rank=rank, targets=targets)
        answer = self._ask("PoolQueryTarget", request, read=True)
        reply = await unless_dead(pool, answer, partial(self._dead_ranks, pool))
        return tuple(target_from_pb(info) for info in reply.infos)

    async def destroy(self, pool: str, *, force: bool = False, recursive: bool = False) -> None:
        """Remove a pool: ``recursive`` with its containers, ``force`` though clients have it open."""
        request = pool_pb2.PoolDestroyReq(id=pool, force=force, recursive=recursive)
        errors: list[DaosControlError] = []
        try:
            await self._ask("PoolDestroy", request, on_error=errors.append)
        except PoolNotFound:
            # An attempt before this one may have removed it, unless it only told where to ask.
            if sum(not isinstance(error, Redirect) for error in errors) < 2:
                raise

    async def evict(self, pool: str) -> None:
        """Close all handles on a pool."""
        await self._ask("PoolEvict", pool_pb2.PoolEvictReq(id=pool))

    async def extend(self, pool: str, ranks: Iterable[int]) -> None:
        """Add ranks to a pool."""
        await self._ask("PoolExtend", pool_pb2.PoolExtendReq(id=pool, ranks=ranks_of(ranks)))

    async def exclude(
        self, pool: str, ranks: Iterable[int], *, targets: Sequence[int] = (), force: bool = False
    ) -> PoolRanksResult:
        """Take ranks, or some of their targets, out of a pool at once."""

        def request(rank: int) -> Any:
            return pool_pb2.PoolExcludeReq(id=pool, rank=rank, target_idx=targets, force=force)

        return await self._each_rank("PoolExclude", pool, ranks, request)

    async def drain(self, pool: str, ranks: Iterable[int], *, targets: Sequence[int] = ()) -> PoolRanksResult:
        """Move a pool's data away from ranks, or from some of their targets."""

        def request(rank: int) -> Any:
            return pool_pb2.PoolDrainReq(id=pool, rank=rank, target_idx=targets)

        return await self._each_rank("PoolDrain", pool, ranks, request)

    async def reintegrate(self, pool: str, ranks: Iterable[int], *, targets: Sequence[int] = ()) -> PoolRanksResult:
        """Take ranks, or some of their targets, back into a pool."""

        def request(rank: int) -> Any:
            return pool_pb2.PoolReintReq(id=pool, rank=rank, target_idx=targets)

        return await self._each_rank("PoolReintegrate", pool, ranks, request)

    async def _each_rank(self, method: str, pool: str, ranks: Iterable[int], request: Any) -> PoolRanksResult:
        """Ask for one rank after another: a pool's map changes once at a time, and one failure stops nothing."""
        results, wanted = [], ranks_of(ranks)
        clock = asyncio.get_running_loop().time
        end = clock() + DEADLINE_S * len(wanted)
        for rank in wanted:
            message, errored = "", False
            try:
                await self._ask(method, request(rank), deadline_s=max(0.0, end - clock()))
            except DaosControlError as error:
                message, errored = str(error), True
            results.append(RankResult(rank=rank, state=MemberState.UNKNOWN, errored=errored, message=message))
        return PoolRanksResult(id=pool, results=tuple(results))

    async def upgrade(self, pool: str) -> None:
        """Bring a pool's layout up to date."""
        await self._ask("PoolUpgrade", pool_pb2.PoolUpgradeReq(id=pool))

    async def rebuild_start(self, pool: str) -> None:
        """Let a pool rebuild."""
        await self._ask("PoolRebuildStart", pool_pb2.PoolRebuildStartReq(id=pool))

    async def rebuild_stop(self, pool: str, *, force: bool = False) -> None:
        """Stop a pool's rebuild."""
        await self._ask("PoolRebuildStop", pool_pb2.PoolRebuildStopReq(id=pool, force=force))

    async def get_properties(self, pool: str, names: Sequence[str] = ()) -> tuple[PropertyValue, ...]:
        """Return properties of a pool: those named, or all; unset ones are left out."""
        wanted = [pool_properties.number(name) for name in texts(names)] or pool_properties.all_numbers()
        properties = [pool_pb2.PoolProperty(number=number) for number in wanted]
        request = pool_pb2.PoolGetPropReq(id=pool, properties=properties)
        reply = await self._ask("PoolGetProp", request, read=True)
        return pool_properties.from_pb(wanted, reply.properties)

    async def set_properties(self, pool: str, properties: Mapping[str, str]) -> None:
        """Set properties of a pool, values as people write them; some can only be set when a pool is made."""
        pool_properties.refuse_fixed(properties)
        request = pool_pb2.PoolSetPropReq(id=pool, properties=pool_properties.to_pb(properties))
        await self._ask("PoolSetProp", request)

    async def get_acl(self, pool: str) -> Acl:
        """Return a pool's access control list."""
        return acl_from_pb(await self._connection.ask("PoolGetACL", acl_pb2.GetACLReq(id=pool), read=True))

    async def overwrite_acl(self, pool: str, entries: Sequence[str]) -> Acl:
        """Replace a pool's access control list."""
        return await self._modify_acl("PoolOverwriteACL", pool, entries)

    async def update_acl(self, pool: str, entries: Sequence[str]) -> Acl:
        """Add entries, or replace those of the same principals."""
        return await self._modify_acl("PoolUpdateACL", pool, entries)

    async def _modify_acl(self, method: str, pool: str, entries: Sequence[str]) -> Acl:
        entries = texts(entries)
        if not entries:
            raise InvalidRequest("give at least one entry of an access control list")
        with explaining_entries(entries):
            return acl_from_pb(await self._connection.ask(method, acl_pb2.ModifyACLReq(id=pool, entries=entries)))

    async def delete_acl(self, pool: str, principal: str) -> Acl:
        """Remove the entry of a principal (``u:name@``, ``g:name@``, ``OWNER@`` ...)."""
        if not principal:
            raise InvalidRequest("name the principal whose entry is to go, such as OWNER@ or u:ann@")
        request = acl_pb2.DeleteACLReq(id=pool, principal=principal)
        with explaining_principal(principal):
            return acl_from_pb(await self._connection.ask("PoolDeleteACL", request))

    async def set_container_owner(self, pool: str, container: str, *, user: str = "", group: str = "") -> None:
        """Give a container to another user or group, or both."""
        if not user and not group:
            raise InvalidRequest("name a user or a group that the container should belong to")
        if not (is_uuid(container) or is_label(container)):
            raise InvalidRequest(f'"{container}" is neither a label nor a UUID of a container')
        request = cont_pb2.ContSetOwnerReq(
            pool_id=pool, cont_id=container, owner_user=principal(user), owner_group=principal(group)
        )
        await self._connection.ask("ContSetOwner", request)


def principal(name: str) -> str:
    """Complete a name to a principal, ``name@``; nothing stays nothing. Raises InvalidRequest."""
    if not name:
        return ""
    from daos_control.model.acl import name_problem

    complete = name if "@" in name else f"{name}@"
    if problem := name_problem(complete):
        raise InvalidRequest(problem)
    return complete


def _own_user() -> str:
    uid = os.geteuid()
    try:
        return f"{pwd.getpwuid(uid).pw_name}@"
    except KeyError:
        raise InvalidRequest(f"user {uid} has no name on this machine: say who the pool is to belong to") from None


def _own_group() -> str:
    gid = os.getegid()
    try:
        return f"{grp.getgrgid(gid).gr_name}@"
    except KeyError:
        raise InvalidRequest(f"group {gid} has no name on this machine: say who the pool is to belong to") from None
