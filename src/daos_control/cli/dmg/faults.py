"""``dmg faults ...``: breaking things on purpose, for tests of the checker."""

from pathlib import Path

from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.client.fault_injection import read_finding, sample_finding
from daos_control.model.checker import Inconsistency
from daos_control.model.pool_property_text import is_label


def label(text: str) -> str:
    """Read a label; a UUID is none."""
    if not is_label(text):
        raise ValueError(f"{text!r} is not a label")
    return text


@command("add checker finding")
async def add_checker_report(session: Session, args: Values) -> Output:
    """Add a finding to those of the checker."""
    finding = read_finding(Path(args.file)) if args.file else sample_finding(args.kind or Inconsistency.NONE)
    await session.daos.fault_injection.finding(finding)
    return Output(document={}, text="Checker report added\n")


@command()
async def management_service(session: Session, args: Values) -> Output:
    """Break what the management service keeps about a pool."""
    await session.daos.fault_injection.management_service(
        pool_id(args), args.kind, label=args.label, replicas=args.svcl
    )
    return Output(document={}, text="Mgmt service fault injected\n")


@command()
async def pool_service(session: Session, args: Values) -> Output:
    """Break what a pool's own service keeps."""
    faults = session.daos.fault_injection
    await faults.pool_service(pool_id(args), args.kind, label=args.label, replicas=args.svcl)
    return Output(document={}, text="Pool service fault injected\n")
