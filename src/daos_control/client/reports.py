"""What many hosts report: from an answer for each to a few groups of hosts that answered the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from daos_control.base.errors import DaosControlError
from daos_control.base.hostset import HostSet
from daos_control.client.errors import PartlyFailed
from daos_control.client.fingerprint import fingerprint

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProblem:
    """An error, and the hosts that had it."""

    error: DaosControlError
    hosts: HostSet


@dataclass(frozen=True, slots=True, kw_only=True)
class HostGroup(Generic[Record]):
    """Hosts for which the same was found."""

    key: int
    """The record's fingerprint."""
    record: Record
    hosts: HostSet


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport(Generic[Record]):
    """What many hosts reported: equal records together, and what went wrong where.

    A host may be in both: part of what it was asked for may have failed.
    """

    groups: tuple[HostGroup[Record], ...]
    problems: tuple[HostProblem, ...]

    def by_host(self) -> dict[str, Record]:
        """Return the record of each host."""
        return {host: group.record for group in self.groups for host in group.hosts}

    def check(self) -> None:
        """Raise PartlyFailed if a host had errors."""
        check_hosts(self.problems)


def check_hosts(problems: Sequence[HostProblem]) -> None:
    """Raise PartlyFailed if a host had errors."""
    failed = {host for problem in problems for host in problem.hosts}
    if failed:
        counted = f"{len(failed)} host{'s' if len(failed) > 1 else ''}"
        raise PartlyFailed(f"{counted} had errors", [problem.error for problem in problems])


def group_hosts(records: Mapping[str, Record]) -> tuple[HostGroup[Record], ...]:
    """Put hosts with equal records together, ordered by the text of their host set."""
    found: dict[int, tuple[Record, list[str]]] = {}
    for host, record in records.items():
        found.setdefault(fingerprint(record), (record, []))[1].append(host)
    groups = [HostGroup(key=key, record=record, hosts=HostSet(hosts)) for key, (record, hosts) in found.items()]
    return tuple(sorted(groups, key=lambda group: str(group.hosts)))


def group_problems(errors: Iterable[tuple[str, DaosControlError]]) -> tuple[HostProblem, ...]:
    """Put hosts with the same error text together, ordered by the text of their host set, then by the error."""
    found: dict[str, tuple[DaosControlError, list[str]]] = {}
    for host, error in errors:
        found.setdefault(str(error), (error, []))[1].append(host)
    problems = [HostProblem(error=error, hosts=HostSet(hosts)) for error, hosts in found.values()]
    return tuple(sorted(problems, key=lambda problem: (str(problem.hosts), str(problem.error))))
