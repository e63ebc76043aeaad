"""What an administrator may want to do next, seen from what a command has found: pure, and only suggestions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daos_control.base.der import Der
from daos_control.base.errors import DaosError, PoolNotFound
from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.cli.ui.steps import Step
from daos_control.model.member_state import MemberState

if TYPE_CHECKING:  # every command loads this, and few look at all of these
    from collections.abc import Iterable, Sequence

    from daos_control.base.errors import DaosControlError
    from daos_control.cli.flags import Values
    from daos_control.client.checker import CheckState
    from daos_control.client.pools import Pool
    from daos_control.client.system import Absent, Member
    from daos_control.model.rank_result import RankResult

ABOUT_RANKS = ("ranks", "rank_hosts", "label", "pool")
"""Values of requests that ranks may be the trouble with: those that are named, or those that a pool is on."""
LOST = (MemberState.EXCLUDED, MemberState.ERRORED, MemberState.UNRESPONSIVE)
"""States in which members are by no order of an administrator."""


def for_members(members: Sequence[Member]) -> Iterable[Step]:
    """Get members back that are not there."""
    by_state: dict[MemberState, list[Member]] = {}
    for member in members:
        by_state.setdefault(member.state, []).append(member)

    def ranks(*states: MemberState) -> RankSet:
        return RankSet(member.rank for state in states for member in by_state.get(state, ()))

    if unformatted := by_state.get(MemberState.AWAIT_FORMAT):
        hosts = HostSet(member.addr for member in unformatted)
        yield Step(f"dmg storage format -l {_typed(hosts)}", "formats the storage that they wait for")
    if lost := ranks(*LOST):
        yield Step(f"dmg system query --explain {min(lost)}", "how it came to that, and what brings it back")
    if stopped := ranks(MemberState.STOPPED):
        yield Step(f"dmg system start --ranks={stopped}", "starts what is stopped")
    if excluded := ranks(MemberState.ADMIN_EXCLUDED):
        yield Step(f"dmg system clear-exclude --ranks={excluded}", "lets ranks join again that were kept out")


def for_pools(pools: Sequence[Pool]) -> Iterable[Step]:
    """Look at pools that are not whole, or make a first one."""
    if not pools:
        yield Step("dmg pool plan", "how big a pool could be")
        yield Step("dmg pool create --size=10% LABEL", "makes one of a tenth of all storage")
    for pool in [pool for pool in pools if pool.disabled_targets][:1]:
        yield Step(f"dmg pool query {pool.name}", "which ranks are out of it, and how its rebuild is")


def for_silent_pools() -> Iterable[Step]:
    """Find out why pools do not answer."""
    yield Step("dmg system query", "whether the ranks that they are on are there")


def for_pool(pool: Pool, name: str) -> Iterable[Step]:
    """Find out about a pool's ranks that are out, and take them back."""
    if out := pool.disabled_ranks:
        yield Step(f"dmg system query --ranks={out}", "how those ranks are")
        yield Step(f"dmg pool reintegrate {name} --ranks={out}", "takes them back once they have joined")


def after_stop(results: Sequence[RankResult]) -> Iterable[Step]:
    """Start what was stopped."""
    if done := RankSet(result.rank for result in results if not result.errored):
        yield Step(f"dmg system start --ranks={done}", "starts them again")


def after_exclusion(results: Sequence[RankResult]) -> Iterable[Step]:
    """Undo an exclusion."""
    if done := RankSet(result.rank for result in results if not result.errored):
        yield Step(f"dmg system clear-exclude --ranks={done}", "lets them join again")


def after_clearing(results: Sequence[RankResult]) -> Iterable[Step]:
    """Start what may be back."""
    if done := RankSet(result.rank for result in results if not result.errored):
        yield Step(f"dmg system start --ranks={done}", "starts them; then they join")


def after_rebuild_began(pools: Iterable[str]) -> Iterable[Step]:
    """Watch data move."""
    for pool in list(pools)[:1]:
        yield Step(f"dmg pool query {pool}", "how far its rebuild is")


def for_absent(found: Absent) -> Iterable[Step]:
    """Find out which ranks and hosts there are instead of those that were named."""
    if found.absent_ranks or found.absent_hosts:
        yield Step("dmg system query --verbose", "which ranks and hosts there are")


def after_refused_ranks(pool: str) -> Iterable[Step]:
    """Find out which ranks a pool has, and which there are."""
    yield Step(f"dmg pool query --show-enabled {pool}", "on which ranks it is")
    yield Step("dmg system query", "which ranks there are, and how they are")


def for_error(error: DaosControlError, args: Values) -> Iterable[Step]:
    """Find out what is there instead of what was looked for, or asked for."""
    if isinstance(error, PoolNotFound):
        yield Step("dmg pool list", "which pools there are")
    elif isinstance(error, DaosError) and error.der is Der.NOSPACE:
        yield Step("dmg pool plan", "how big a pool could be")
    elif isinstance(error, DaosError) and error.der in (Der.NONEXIST, Der.ALREADY) and "pool" in args:
        yield _about_pool(args)
    elif _is_refusal(error) and any(key in args for key in ABOUT_RANKS):
        yield Step("dmg system query", "which ranks there are, and how they are")


def _about_pool(args: Values) -> Step:
    """Look at what a request to a pool was about."""
    if "container" in args:
        return Step(f"daos container list {args.pool}", "which containers it has")
    if "principal" in args:
        return Step(f"dmg pool get-acl {args.pool}", "for whom it has entries")
    return Step(f"dmg pool query --show-enabled {args.pool}", "its ranks, and how its rebuild is")


def _is_refusal(error: DaosControlError) -> bool:
    """Whether a server has refused a request in words of its own."""
    from daos_control.net.rpc.status import StatusError

    return isinstance(error, StatusError)


def _typed(hosts: HostSet) -> str:
    """Write hosts so that a shell takes them as they are."""
    from shlex import quote

    return quote(str(hosts))


def for_check(state: CheckState) -> Iterable[Step]:
    """Decide about what a check has found."""
    for finding in state.open[:1]:
        yield Step(f"dmg check repair {finding.seq:#x} N", "does what number N of the first finding's options says")
