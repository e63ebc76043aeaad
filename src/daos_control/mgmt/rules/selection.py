"""Which ranks a request means, when it names ranks, or hosts, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.system import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The ranks meant, and what was asked for but is not there, as folded sets."""

    ranks: frozenset[int]
    absent_ranks: str = ""
    absent_hosts: str = ""
    explicit: bool = False
    """Whether the request named ranks or hosts at all."""


def select(system: System, *, ranks: str, hosts: Mapping[str, str | None]) -> Selection:
    """Return the ranks a request means.

    ``hosts`` are the hosts it names, each with its address (``ip:port``), or None if that is unknown.
    """
    if ranks and hosts:
        raise Refused("ranklist and hostlist cannot both be set in request")
    if hosts:
        return _on_hosts(system, hosts)
    if ranks:
        try:
            wanted = RankSet.parse(ranks)
        except ValueError as error:
            raise Refused(str(error)) from error
        found = frozenset(rank for rank in wanted if rank in system.members)
        return Selection(
            ranks=found,
            absent_ranks=str(RankSet(rank for rank in wanted if rank not in found)),
            explicit=True,
        )
    return Selection(ranks=frozenset(system.members))


def _on_hosts(system: System, hosts: Mapping[str, str | None]) -> Selection:
    addresses = {member.addr for member in system.members.values()}
    present = {address for address in hosts.values() if address in addresses}
    absent = [host for host, address in hosts.items() if address not in present]
    return Selection(
        ranks=frozenset(rank for rank, member in system.members.items() if member.addr in present),
        absent_hosts=str(HostSet(absent)),
        explicit=True,
    )
