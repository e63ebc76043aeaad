"""Entries of the journal: message and value."""

from datetime import datetime

from daos_control.model.journal import Cause, Entry, Fact, Heard, Moved, Origin
from daos_control.model.member_state import MemberState
from daos_control.wire.convert.events import event_from_pb, event_to_pb
from daos_control.wire.pb.control import system_pb2


def entry_to_pb(entry: Entry) -> system_pb2.Entry:
    """Write an entry."""
    message, fact = system_pb2.Entry(sequence=entry.sequence), entry.fact
    if isinstance(fact, Heard):
        message.heard.event.CopyFrom(event_to_pb(fact.event))
        message.heard.reporter = fact.reporter
        message.heard.received = fact.received.isoformat()
        message.heard.effect = fact.effect
        return message
    moved = message.moved
    moved.rank = fact.rank
    moved.before = "" if fact.before is MemberState.UNKNOWN else fact.before
    moved.after = fact.after
    moved.at = fact.at.isoformat()
    moved.reason = fact.reason
    moved.addr = fact.addr
    moved.incarnation = fact.incarnation
    moved.map_version = fact.map_version
    moved.cause.CopyFrom(system_pb2.Cause(origin=fact.cause.origin, what=fact.cause.what, source=fact.cause.source))
    moved.event = fact.event
    return message


def entry_from_pb(message: system_pb2.Entry) -> Entry:
    """Read an entry; raises ValueError if it makes no sense here."""
    return Entry(message.sequence, _fact(message))


def _fact(message: system_pb2.Entry) -> Fact:
    match message.WhichOneof("fact"):
        case "heard":
            heard = message.heard
            return Heard(
                event=event_from_pb(heard.event, forwarded=False),
                reporter=heard.reporter,
                received=datetime.fromisoformat(heard.received),
                effect=heard.effect,
            )
        case "moved":
            moved = message.moved
            return Moved(
                rank=moved.rank,
                before=MemberState.parse(moved.before),
                after=MemberState.parse(moved.after),
                at=datetime.fromisoformat(moved.at),
                reason=moved.reason,
                addr=moved.addr,
                incarnation=moved.incarnation,
                map_version=moved.map_version,
                cause=Cause(origin=Origin(moved.cause.origin), what=moved.cause.what, source=moved.cause.source),
                event=moved.event,
            )
        case _:
            raise ValueError(f"entry {message.sequence} says nothing that is known here")
