"""What went wrong at some of many hosts: as a document, and as people read it."""

from collections.abc import Iterable
from typing import Final, Protocol

from daos_control.base.errors import DaosControlError
from daos_control.base.hostset import HostSet
from daos_control.cli.ui.documents import by_key
from daos_control.cli.ui.tables import table
from daos_control.client.errors import HostError, PartlyFailed, impersonal
from daos_control.client.outcomes import is_timeout
from daos_control.client.reports import HostProblem
from daos_control.config.system import CONTROL_PORT

_USUAL_PORT: Final = f":{CONTROL_PORT}"


def errors_document(problems: tuple[HostProblem, ...]) -> dict[str, str]:
    """Give errors the form that DAOS gives them: text to hosts."""
    return by_key({str(problem.error): str(problem.hosts) for problem in problems})


class Checkable(Protocol):
    """A report that knows whether all it was to tell is there."""

    def check(self) -> None:
        """Raise PartlyFailed if not."""


def problem_of(report: Checkable) -> PartlyFailed | None:
    """Return what is missing from a report, if anything."""
    try:
        report.check()
    except PartlyFailed as problem:
        return problem
    return None


def problems_text(problems: tuple[HostProblem, ...]) -> str:
    """Lay out errors; of a fault, only what happened."""
    if not problems:
        return ""
    alike: dict[str, list[str]] = {}
    for problem in problems:
        alike.setdefault(_impersonal(problem), []).extend(problem.hosts)
    rows = [(_reached_by(hosts), error) for error, hosts in alike.items()]
    text = "Errors:\n" + table(["Hosts", "Error"], rows, indent="  ")
    late = any(is_timeout(problem.error) for problem in problems)
    return text + "\n  Hosts that may just be slow are given more time with --timeout, such as --timeout=1m.\n" * late


def _reached_by(hosts: Iterable[str]) -> str:
    """Fold hosts with the ports that are not the usual one: such a port may be what is wrong."""
    return str(HostSet(host.removesuffix(_USUAL_PORT) for host in hosts))


def _impersonal(problem: HostProblem) -> str:
    """Say what went wrong without the host's own address, so that it is the same for many hosts."""
    text = error_cell(problem.error)
    return impersonal(text, str(problem.hosts)) if len(problem.hosts) == 1 else text


def error_cell(error: DaosControlError) -> str:
    """Say in one cell what went wrong: of a fault, only what happened."""
    return f"{error} ({error.hint})" if isinstance(error, HostError) and error.hint else error.gist


def hosts_text(hosts: HostSet) -> str:
    """Fold hosts without their ports, as DAOS does in tables, unless it takes the ports to tell them apart."""
    names = HostSet(host.partition(":")[0] for host in hosts)
    return str(names if len(names) == len(hosts) else hosts)


def folded_rows(rows: Iterable[tuple[HostSet, tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """Put hosts together of which the same is said, those with the first host first."""
    alike: dict[tuple[str, ...], HostSet] = {}
    for hosts, cells in rows:
        alike[cells] = alike.get(cells, HostSet()) | hosts
    return [(hosts_text(hosts), *cells) for cells, hosts in alike.items()]
