"""What callers give to verbs, in the forms that people write: one text or many, rank by rank or ``0-3,7``."""

from collections.abc import Iterable

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.client.errors import InvalidRequest


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Return texts one by one; a lone one is one, and not its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


def hosts_of(hosts: Iterable[str]) -> HostSet:
    """Read host lists. Raises InvalidRequest."""
    try:
        return HostSet.parse(",".join(texts(hosts)))
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def ranks_of(ranks: Iterable[int] | str) -> RankSet:
    """Read ranks, given one by one or as people write them. Raises InvalidRequest."""
    try:
        return RankSet.parse(ranks) if isinstance(ranks, str) else RankSet(ranks)
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def rank_text(ranks: Iterable[int] | str) -> str:
    """Fold ranks as requests carry them: ``0-3,7``."""
    return str(ranks_of(ranks))
