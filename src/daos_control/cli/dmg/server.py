"""``dmg server ...``: servers and their engines."""

from daos_control.base.hostset import HostSet
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.storage import report_output
from daos_control.cli.flags import Values


@command("set engine log level failed")
async def set_logmasks(session: Session, args: Values) -> Output:
    """Set what engines log."""
    report = await session.daos.server.set_log_masks(masks=args.masks, streams=args.streams, subsystems=args.subsystems)
    failed = {host for problem in report.problems for host in problem.hosts}
    done = HostSet(host for group in report.groups for host in group.hosts if host not in failed)
    text = f"Engine log-masks updated successfully on the following hosts: {done}\n" if done else ""
    return report_output(report, text)
