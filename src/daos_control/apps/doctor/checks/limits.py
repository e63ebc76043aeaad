"""Limits of the kernel for a program."""

from collections.abc import Iterator

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.doctor.view import View
from daos_control.base.units import format_iec
from daos_control.host.limits import UNLIMITED

TOPIC = Topic("limits")


def check_open_files(view: View, enough: int) -> Iterator[Finding]:
    """Every connection and every pool takes some."""
    most = view.limits.open_files
    if most == UNLIMITED or most >= enough:
        shown = "no limit" if most == UNLIMITED else f"{most:,}"
        yield TOPIC.ok("open files", f"{shown}, for {view.limited}")
    else:
        yield TOPIC.warning(
            "open files",
            f"{most:,} at most, for {view.limited}; a busy system needs {enough:,}",
            f"under systemd, LimitNOFILE=infinity; elsewhere: ulimit -Hn {enough}, or limits.conf",
        )


def check_locked_memory(view: View, *, needed: bool, why: str) -> Iterator[Finding]:
    """What devices read and write by themselves must stay where it is."""
    most = view.limits.locked_bytes
    if not needed:
        yield TOPIC.not_applicable("locked memory", why)
    elif most == UNLIMITED:
        yield TOPIC.ok("locked memory", f"no limit, for {view.limited}")
    else:
        yield TOPIC.problem(
            "locked memory",
            f"{format_iec(most)} at most, for {view.limited}, and {why}",
            "under systemd, LimitMEMLOCK=infinity; elsewhere: ulimit -l unlimited, or limits.conf",
        )
