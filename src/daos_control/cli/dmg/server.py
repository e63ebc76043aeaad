"""``dmg server ...`` and ``dmg server-version``: servers and their engines."""

from typing import Final

from daos_control.base.hostset import HostSet
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.storage.report import report_output
from daos_control.cli.flags import Values

NAME: Final = "DAOS Control Server"


@command("set engine log level failed")
async def set_logmasks(session: Session, args: Values) -> Output:
    """Set what engines log."""
    report = await session.daos.server.set_log_masks(masks=args.masks, streams=args.streams, subsystems=args.subsystems)
    failed = {host for problem in report.problems for host in problem.hosts}
    done = HostSet(host for group in report.groups for host in group.hosts if host not in failed)
    text = f"Engine log-masks updated successfully on the following hosts: {done}\n" if done else ""
    return report_output(report, text)


@command("GetAttachInfo failed")
async def version(session: Session, _: Values) -> Output:
    """Show the version of the servers."""
    found = await session.daos.server.version()
    document = {"name": NAME, "version": found.number} | ({"build_info": found.tag} if found.tag else {})
    return Output(document=document, text=f"{NAME} version {found.number}\n")
