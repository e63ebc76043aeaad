"""Which ranks something is about: how requests say it, and what replies say of ranks that do not exist."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.client.errors import InvalidRequest, PartlyFailed
from daos_control.client.given import hosts_of, rank_text


def selection(ranks: Iterable[int] | str, hosts: Sequence[str]) -> dict[str, Any]:
    """Return the fields that ask for these ranks, or for all ranks on these hosts; neither means all there are."""
    selected = {"ranks": rank_text(ranks), "hosts": str(hosts_of(hosts))}
    if all(selected.values()):
        raise InvalidRequest("select by ranks or by hosts, not by both")
    return selected


def some(ranks: Iterable[int] | str, hosts: Sequence[str]) -> dict[str, Any]:
    """Return the fields that ask for these ranks, or for all ranks on these hosts; neither is refused."""
    selected = selection(ranks, hosts)
    if not any(selected.values()):
        raise InvalidRequest("no ranks or hosts specified")
    return selected


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


def absent(reply: Any) -> dict[str, Any]:
    """Return the fields of ``Absent`` from a reply; some replies never have any."""
    return {
        "absent_ranks": RankSet.parse(getattr(reply, "absentranks", "")),
        "absent_hosts": HostSet.parse(getattr(reply, "absenthosts", "")),
    }
