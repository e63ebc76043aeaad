"""What many hosts reported about their storage, and which could not."""

from collections.abc import Callable
from typing import Any

from daos_control.cli.dmg.host_problems import errors_document, hosts_text, problem_of, problems_text
from daos_control.cli.dmg.session import Output
from daos_control.cli.scans.storage_documents import storage_document
from daos_control.cli.ui.documents import by_key
from daos_control.cli.ui.tables import framed
from daos_control.client.storage import StorageReport
from daos_control.client.storage_records import HostStorage


def report_output(report: StorageReport, text: str, *, view: str = "", key: str = "HostStorage") -> Output:
    """Say what hosts reported, and which had errors."""
    return Output(
        document=report_document(report, key),
        text=text,
        view=view,
        error_text=problems_text(report.problems),
        problem=problem_of(report),
    )


def report_document(report: StorageReport, key: str) -> dict[str, Any]:
    """Give a report the keys that DAOS gives it."""
    groups = {
        str(group.key): {"storage": storage_document(group.record), "hosts": str(group.hosts)}
        for group in report.groups
    }
    return {"host_errors": errors_document(report.problems), key: by_key(groups) or None}


def by_host(report: StorageReport, show: Callable[[HostStorage], str]) -> str:
    """Put hosts with the same storage in front of it."""
    return "".join(framed(hosts_text(group.hosts)) + show(group.record) for group in report.groups)
