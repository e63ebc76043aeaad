"""``dmg config ...``: configurations of servers."""

import sys
from collections.abc import Sequence

from daos_control.base.hostset import HostSet
from daos_control.cli.dmg.host_problems import hosts_text, problems_text
from daos_control.cli.dmg.server_document import server_document
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.shared_verbs.config_generate import configuration_text, wishes_of
from daos_control.cli.ui.tables import table
from daos_control.client.configuration import HostsDiffer, ScanFailed
from daos_control.config.generation import told

PROGRAM = "dmg"
LOCAL = "localhost"


@command()
async def generate(session: Session, args: Values) -> Output:
    """Print the configuration; with a document, its reasons go to standard error."""
    wishes = wishes_of(args, session.notice)
    try:
        generated = await session.daos.configuration.generate(wishes)
    except ScanFailed as error:
        return Output(error_text=problems_text(error.problems), problem=error)
    except HostsDiffer as error:
        return Output(error_text=differences_text(error), problem=error)
    hosts = HostSet(session.daos.connection.addresses(()))
    if LOCAL in wishes.replicas and len(hosts) > 1:
        session.notice(
            f"{LOCAL} is to have the management service, which on every host is another one: "
            "name its hosts with --ms-replicas"
        )
    if session.json and args.explain:
        print(told(generated), end="", file=sys.stderr)
    return Output(
        document=server_document(generated.config),
        text=configuration_text(generated, program=PROGRAM, source=hosts_text(hosts), explain=bool(args.explain)),
    )


def differences_text(error: HostsDiffer) -> str:
    """Lay out what only some of the hosts have."""
    rows = [
        (hosts_text(hosts) if first else "", fact)
        for hosts, facts in error.groups.items()
        for first, fact in _with_first(facts or ["nothing that the others have not; devices or engines in use differ"])
    ]
    return "Differences:\n" + table(["Hosts", "What only they have"], rows, indent="  ")


def _with_first(facts: Sequence[str]) -> list[tuple[bool, str]]:
    return [(number == 0, fact) for number, fact in enumerate(facts)]
