"""Ranks on the command line, and in what commands print."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daos_control.base.rankset import RankSet
from daos_control.base.units import counted
from daos_control.cli.flags import Values
from daos_control.cli.ui.tables import table
from daos_control.client.errors import InvalidRequest, PartlyFailed
from daos_control.client.system import Absent


def selection(args: Values) -> dict[str, Any]:
    """Return which ranks are meant, and refuse two ways of saying it."""
    if args.ranks and args.rank_hosts:
        raise InvalidRequest("--ranks and --rank-hosts options cannot be set together")
    return {"ranks": args.ranks, "hosts": args.rank_hosts}


def some_ranks(args: Values) -> dict[str, Any]:
    """Return which ranks are meant; none is not an answer."""
    if not args.ranks and not args.rank_hosts:
        raise InvalidRequest("no ranks or hosts specified")
    return selection(args)


def rank_table(titles: Sequence[str], groups: Mapping[tuple[str, ...], Iterable[int]]) -> str:
    """Lay out groups of ranks that have something in common: the largest first, then by name."""
    found = [(RankSet(ranks), facts) for facts, ranks in groups.items()]
    found.sort(key=lambda group: (-len(group[0]), group[1]))
    return table(titles, [(ranks.ranged(), *facts) for ranks, facts in found]) + "\n"


def absent_text(found: Absent, *, ranks: bool) -> str:
    """Name hosts, and ranks if they are not in a table, that do not exist."""
    lines = []
    if found.absent_hosts:
        lines.append(f"Unknown {counted(len(found.absent_hosts), 'host')}: {found.absent_hosts}")
    if found.absent_ranks and ranks:
        lines.append(f"Unknown {counted(len(found.absent_ranks), 'rank')}: {found.absent_ranks}")
    return "\n".join(lines)


def problem_of(found: Absent) -> PartlyFailed | None:
    """Return what did not go well, if anything."""
    try:
        found.check()
    except PartlyFailed as problem:
        return problem
    return None
