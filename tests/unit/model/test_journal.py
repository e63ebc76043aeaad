"""Which entries of the journal somebody asks for."""

from datetime import UTC, datetime

import pytest

from daos_control.model.event import Event, Severity
from daos_control.model.journal import Cause, Entry, Heard, Moved, Origin, Wanted
from daos_control.model.member_state import MemberState

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 13, tzinfo=UTC)
EVENT = Entry(
    1,
    Heard(
        event=Event(id=8, type=2, severity=Severity.WARNING, message="m", timestamp="t", rank=3, pool_uuid="u"),
        reporter="h",
        received=NOON,
    ),
)
NAMELESS = Entry(2, Heard(event=Event(id=8, type=2, severity=0, message="", timestamp=""), reporter="", received=NOON))
MOVE = Entry(
    3,
    Moved(
        rank=3, before=MemberState.JOINED, after=MemberState.STOPPED, at=NOON, addr="a", map_version=1, cause=Cause()
    ),
)


@pytest.mark.parametrize(
    ("wanted", "entry", "accepted"),
    [
        (Wanted(), EVENT, True),
        (Wanted(), MOVE, False),
        (Wanted(moves=True), MOVE, True),
        (Wanted(moves=True, ranks=frozenset({3})), MOVE, True),
        (Wanted(moves=True, ranks=frozenset({4})), MOVE, False),
        (Wanted(moves=True, since=LATER), MOVE, False),
        (Wanted(moves=True, pool="u"), MOVE, False),
        (Wanted(moves=True, severity=Severity.ERROR), MOVE, True),
        (Wanted(ranks=frozenset({1, 3})), EVENT, True),
        (Wanted(ranks=frozenset({1})), EVENT, False),
        (Wanted(since=NOON), EVENT, True),
        (Wanted(since=LATER), EVENT, False),
        (Wanted(pool="u"), EVENT, True),
        (Wanted(pool="v"), EVENT, False),
        (Wanted(severity=Severity.ERROR), EVENT, False),
        (Wanted(severity=Severity.WARNING), EVENT, True),
        (Wanted(severity=Severity.NOTICE), EVENT, True),
        (Wanted(severity=Severity.WARNING), NAMELESS, False),
        (Wanted(severity=Severity.NOTICE), NAMELESS, True),
        (Wanted(ids=frozenset({8})), EVENT, True),
        (Wanted(ids=frozenset({9})), EVENT, False),
    ],
)
def test_what_passes(wanted: Wanted, entry: Entry, *, accepted: bool) -> None:
    assert wanted.accepts(entry) is accepted


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (Cause(), "the management service itself"),
        (Cause(origin=Origin.JOIN, source="h:1"), "it joined from h:1"),
        (Cause(origin=Origin.EVENT, what="engine_died of rank 3", source="h"), "event engine_died of rank 3 from h"),
        (Cause(origin=Origin.COMMAND, what="SystemStop"), "command SystemStop"),
    ],
)
def test_causes_in_words(cause: Cause, text: str) -> None:
    assert str(cause) == text
