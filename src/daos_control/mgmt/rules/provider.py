"""Which fabric provider the system speaks: all engines the same one, changed only while none has joined."""

from datetime import datetime

from daos_control.mgmt.errors import Refused
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event, EventId, EventType, Severity, cut, timestamp
from daos_control.model.member_state import MemberState
from daos_control.model.system_property import Note


def settle(system: System, provider: str, *, now: datetime, hostname: str) -> Change[None]:
    """Note the configured provider; after a change group updates wait until every rank has joined with it."""
    known = system.note(Note.FABRIC_PROVIDERS)
    if known == provider:
        return Change(system=system, outcome=None)
    noted = system.with_note(Note.FABRIC_PROVIDERS, provider)
    if known is None:
        return Change(system=noted, outcome=None)
    joined = sum(member.state is MemberState.JOINED for member in system.members.values())
    if joined:
        raise Refused(
            f'cannot change system provider "{known}" to "{provider}": {joined} member(s) already joined; '
            "stop all ranks first (dmg system stop), then change the configuration of all servers"
        )
    changed = Event(
        id=EventId.SYSTEM_FABRIC_PROVIDER_CHANGED,
        type=EventType.INFO,
        severity=Severity.NOTICE,
        message=cut(f"system fabric provider has changed: {known} -> {provider}"),
        timestamp=timestamp(now),
        hostname=hostname,
    )
    return Change(system=noted.with_note(Note.GROUP_UPDATE_PAUSED, "true"), outcome=None, events=(changed,))
