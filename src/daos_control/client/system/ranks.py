"""How something went that was done to many ranks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from daos_control.base.rankset import RankSet
from daos_control.client.system.selection import Absent, absent
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RankResults(Absent):
    """How something went on each rank."""

    results: tuple[RankResult, ...]

    @classmethod
    def from_pb(cls, reply: Any) -> Self:
        """Read the reply to a request that is about ranks of the system."""
        return cls(results=rank_results(reply.results), **absent(reply))

    @property
    def failed(self) -> tuple[RankResult, ...]:
        """The results of ranks on which it failed."""
        return tuple(result for result in self.results if result.errored)

    def problems(self) -> list[str]:
        """Say what does not exist, and on which ranks it failed."""
        failed = RankSet(result.rank for result in self.failed)
        found = Absent.problems(self)  # super() does not find its way in a class with slots
        if failed:
            found.append(f"check results for failed rank{'s' if len(failed) > 1 else ''} {failed}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRanksResult:
    """How something went on the ranks of one pool."""

    id: str
    results: tuple[RankResult, ...]

    @classmethod
    def from_pb(cls, pool: Any) -> Self:
        """Read what a reply says of one pool."""
        return cls(id=pool.id, results=rank_results(pool.results))

    def problem(self) -> str:
        """Name the ranks on which it failed, if there are any."""
        failed = RankSet(result.rank for result in self.results if result.errored)
        if not failed:
            return ""
        return f"rank{'s' if len(failed) > 1 else ''} {failed.ranged()} failed on pool {self.id}"


def rank_results(results: Iterable[Any]) -> tuple[RankResult, ...]:
    """Read the results of ranks in a reply."""
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
