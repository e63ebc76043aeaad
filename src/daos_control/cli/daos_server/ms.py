"""``daos_server ms``: the database of this host's replica of the management service, looked at and looked after."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daos_control.cli.daos_server.edge import command, configuration, plain_command
from daos_control.cli.flags import Values

if TYPE_CHECKING:
    from daos_control.apps.server.upkeep import Outcome, Replica, Status
    from daos_control.mgmt.upkeep import Summary

_RECOVER: Final = """
This makes a sound database of what can be read of this replica's, and has the
management service begin anew with it, on this host alone.

  - What cannot be read is lost. A backup may hold more: daos_server ms restore.
  - What other replicas know, and this one does not, is discarded.
  - All other daos_servers of the system should be stopped meanwhile.

The present database is kept beside the new one. Afterwards start this
daos_server first, then the others; engines join again by themselves."""

_RESTORE: Final = """
This puts the backup in the place of this replica's database, and has the
management service begin anew with it, on this host alone.

  - What the system has decided since the backup was made is forgotten: pools
    made since are unknown to it (their data stays on the engines), and pools
    destroyed since are listed again.
  - All other daos_servers of the system should be stopped meanwhile.

The present database, if there is one, is kept beside the new one. Afterwards
start this daos_server first, then the others; engines join again by themselves."""


@command
def status(values: Values) -> dict[str, Any]:
    """Show how the database is and what it holds."""
    from daos_control.apps.server import upkeep

    found = upkeep.status(_replica(values))
    if not values.json:
        print(status_text(found), end="")
    return status_document(found)


@command
def backup(values: Values) -> dict[str, Any]:
    """Copy the database into a file, while it is in use or not."""
    from daos_control.apps.server import upkeep

    target = Path(values.path)
    summary = upkeep.backup(_replica(values), target)
    size = target.stat().st_size
    if not values.json:
        from daos_control.base.units import format_iec

        print(f"Wrote {target} ({format_iec(size)}): {in_short(summary)}.")
    return {"path": str(target), "size": size, **summary_document(summary)}


@plain_command
def recover(values: Values) -> None:
    """Make a sound database of what can be read of the present one."""
    from daos_control.apps.server import upkeep

    replica = _replica(values)
    upkeep.refuse_if_running(replica)
    upkeep.refuse_without_database(replica)
    if not (values.force or _consents(_RECOVER)):
        return
    outcome = upkeep.recover(replica)
    if outcome.is_whole:
        print("All of the database could be read.")
    else:
        print("Parts of the database could not be read, and what they held is not in the new one.")
    for key in outcome.lost:
        print(f"  {key} made no sense, and was left out")
    _print_outcome(replica, outcome)


@plain_command
def restore(values: Values) -> None:
    """Put what a backup holds in the place of the database."""
    from daos_control.apps.server import upkeep

    replica = _replica(values)
    source = Path(values.path)
    print(f"{source} holds {in_short(upkeep.check(source))}.")
    upkeep.refuse_if_running(replica)
    if values.force or _consents(_RESTORE):
        _print_outcome(replica, upkeep.restore(replica, source))


def _replica(values: Values) -> "Replica":
    from daos_control.apps.server import upkeep

    return upkeep.locate(configuration(values), control_address=values.control_address or "")


def _consents(warning: str) -> bool:
    from daos_control.cli.ui.consent import consent

    return consent(warning)


def _print_outcome(replica: "Replica", outcome: "Outcome") -> None:
    print(f"{replica.database} holds {in_short(outcome.summary)}.")
    if outcome.kept:
        print(f"The former database is kept: {outcome.kept}")
    if replica.peers:
        print(f"Remove the other replicas from mgmt_svc_replicas: {', '.join(replica.peers)}")
    print("Next: start daos_server here, then the other servers; then: dmg system query")


def in_short(summary: "Summary") -> str:
    """Say in a few words what a database holds."""
    ranks = f"{len(summary.ranks)} rank{'s' * (len(summary.ranks) != 1)}"
    pools = f"{len(summary.pools)} pool{'s' * (len(summary.pools) != 1)}"
    return f"{ranks} ({summary.ranks}) and {pools}" if summary.ranks else f"no ranks and {pools}"


def status_text(status: "Status") -> str:
    """Lay out a replica, its database, and the system in it."""
    from daos_control.base.units import format_iec
    from daos_control.cli.ui.tables import entity

    replica, health, summary = status.replica, status.health, status.summary
    where: dict[str, object] = {
        "Local replica": replica.address,
        "Peers": ", ".join(replica.peers) or "none",
        "In use by": f"daos_server (pid {status.holder})" if status.holder else "nobody",
    }
    if health is None:
        return entity("DB status", {**where, "Database": f"{replica.database}: none found"})
    file: dict[str, object] = {
        "Database": f"{health.path} ({format_iec(health.size_bytes)}, schema {health.schema})",
        "Integrity": health.verdict,
        "Commits": health.revision,
    }
    text = entity("DB status", {**where, **file})
    if summary is None:
        return f"{text}\nWhat it holds cannot be told: {status.problem}\n"
    states = ", ".join(f"{count} {state}" for state, count in sorted(summary.states.items()))
    system: dict[str, object] = {
        "Map version": summary.map_version,
        "Ranks": f"{summary.ranks} ({states})" if summary.ranks else "none",
        "Next free rank": summary.next_rank,
        "Pools": ", ".join(summary.pools) or "none",
        "Attributes": summary.attributes,
        "Last entry": _entry(summary),
    }
    return f"{text}\n{entity('System', system)}"


def _entry(summary: "Summary") -> str:
    from daos_control.model.journal import Moved

    entry = summary.last_entry
    if entry is None:
        return "none found"
    fact = entry.fact
    if isinstance(fact, Moved):
        return f"#{entry.sequence}, {fact.at:%Y-%m-%d %H:%M:%S} UTC: rank {fact.rank} {fact.before}->{fact.after}"
    return f"#{entry.sequence}, {fact.received:%Y-%m-%d %H:%M:%S} UTC: {fact.event.name}"


def status_document(status: "Status") -> dict[str, Any]:
    """Give a status the form of a document; DAOS 2.8 has none."""
    health, summary = status.health, status.summary
    return {
        "replica": status.replica.address,
        "peers": list(status.replica.peers),
        "database": str(status.replica.database),
        "pid": status.holder,
        "exists": health is not None,
        "sound": health.is_sound if health else None,
        "integrity": health.verdict if health else None,
        "size": health.size_bytes if health else None,
        "schema": health.schema if health else None,
        "revision": health.revision if health else None,
        "system": summary_document(summary) if summary else None,
        "problem": status.problem or None,
    }


def summary_document(summary: "Summary") -> dict[str, Any]:
    """Give what a database holds the form of a document."""
    return {
        "map_version": summary.map_version,
        "next_rank": summary.next_rank,
        "ranks": list(summary.ranks),
        "states": summary.states,
        "pools": list(summary.pools),
        "attributes": summary.attributes,
        "last_entry": summary.last_entry.sequence if summary.last_entry else None,
    }
