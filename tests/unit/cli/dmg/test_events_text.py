"""How events, moves and explanations are laid out, and what their documents hold."""

import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from daos_control.cli import dmg
from daos_control.cli.dmg.events import (
    entry_document,
    events_text,
    events_view,
    explanation_document,
    explanation_text,
    line,
)
from daos_control.cli.dmg.values import moment, severity
from daos_control.client.events import Explanation, Remedy
from daos_control.model.event import EngineStateInfo, Event, PoolServiceInfo, Severity
from daos_control.model.journal import Cause, Entry, Heard, Moved, Origin
from daos_control.model.member_state import MemberState

S = MemberState
THEN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Any:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def heard(**changes: Any) -> Entry:
    facts = {"id": 17, "type": 1, "severity": 1, "message": "SWIM marked rank as dead.", "timestamp": "t", **changes}
    event = Event(**{"rank": 3, "hostname": "storage2", **facts})
    return Entry(12, Heard(event=event, reporter="10.0.0.2", received=THEN, effect="rank 3 is Excluded, map version 9"))


def moved(**changes: Any) -> Entry:
    facts = {
        "rank": 3,
        "before": S.JOINED,
        "after": S.EXCLUDED,
        "at": THEN,
        "addr": "10.0.0.3:10001",
        "map_version": 9,
        "cause": Cause(origin=Origin.EVENT, what="swim_rank_dead of rank 3", source="10.0.0.2"),
        "event": 12,
        **changes,
    }
    return Entry(13, Moved(**facts))


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (
            heard(),
            (
                "2026-01-02 03:04:05 ERROR    swim_rank_dead           rank 3 (storage2)        "
                "SWIM marked rank as dead. => rank 3 is Excluded, map version 9"
            ),
        ),
        (
            heard(rank=0xFFFFFFFF, hostname="", severity=0, pool_uuid="12345678-aaaa", info="more\nof it"),
            (
                "2026-01-02 03:04:05 NOTICE   swim_rank_dead           (10.0.0.2)               "
                "pool 12345678: SWIM marked rank as dead. (more\\nof it) => rank 3 is Excluded, map version 9"
            ),
        ),
        (
            moved(reason="why"),
            (
                "2026-01-02 03:04:05 -        Joined->Excluded         rank 3 (10.0.0.3)        "
                "event swim_rank_dead of rank 3 from 10.0.0.2 (why), map version 9"
            ),
        ),
        (
            moved(before=S.UNKNOWN, after=S.JOINED, cause=Cause(origin=Origin.JOIN)),
            "2026-01-02 03:04:05 -        Joined                   rank 3 (10.0.0.3)        it joined, map version 9",
        ),
        (
            moved(after=S.JOINED, cause=Cause()),
            (
                "2026-01-02 03:04:05 -        Joined again             rank 3 (10.0.0.3)        "
                "the management service itself, map version 9"
            ),
        ),
    ],
    ids=["event", "event with little and with much", "move", "new", "again"],
)
def test_each_is_a_line(entry: Entry, text: str) -> None:
    assert line(entry) == text


def test_a_terminal_shows_how_bad_it_is() -> None:
    coloured = line(heard(), coloured=True)
    assert "\x1b[31mERROR\x1b[0m    swim_rank_dead" in coloured
    assert coloured.replace("\x1b[31m", "").replace("\x1b[0m", "") == line(heard())
    assert line(moved(), coloured=True) == line(moved())


def test_a_list_has_a_head_and_an_empty_one_says_so() -> None:
    lines = events_text((heard(), moved())).splitlines()
    assert lines[0].split() == ["Time", "Severity", "Event", "Where", "What"]
    assert len(lines) == 4
    assert events_text(()) == "No events\n"


@pytest.mark.parametrize(
    ("info", "document"),
    [
        (None, None),
        ("text", "text"),
        (EngineStateInfo(1, "killed"), {"instance": 1, "error": "killed"}),
        (PoolServiceInfo((1, 2), 3), {"svc_reps": [1, 2], "version": 3}),
    ],
)
def test_the_document_of_an_event(info: object, document: object) -> None:
    found = entry_document(heard(info=info))
    assert (found["sequence"], found["kind"], found["time"]) == (12, "event", "2026-01-02T03:04:05.678Z")
    assert (found["reporter"], found["effect"]) == ("10.0.0.2", "rank 3 is Excluded, map version 9")
    assert found["event"]["extended_info"] == document
    assert (found["event"]["id"], found["event"]["name"], found["event"]["rank"]) == (17, "swim_rank_dead", 3)
    assert json.loads(json.dumps(found)) == found


def test_the_document_of_a_move() -> None:
    assert entry_document(moved()) == {
        "sequence": 13,
        "kind": "move",
        "time": "2026-01-02T03:04:05.678Z",
        "rank": 3,
        "addr": "10.0.0.3:10001",
        "from": "joined",
        "to": "excluded",
        "reason": "",
        "incarnation": 0,
        "map_version": 9,
        "cause": {"origin": "event", "what": "swim_rank_dead of rank 3", "source": "10.0.0.2"},
        "caused_by": 12,
    }
    assert entry_document(moved(before=S.UNKNOWN, event=0))["from"] is None


TOLD = Explanation(
    rank=3,
    uuid="u",
    addr="10.0.0.3:10001",
    state=S.EXCLUDED,
    since=THEN,
    incarnation=7,
    info="",
    story=("Rank 3 is Excluded.", "It was Joined before."),
    remedies=(Remedy(text="Start it.", command="dmg system start --ranks=3"), Remedy(text="Wait.", command="")),
    moves=(moved(),),
    events=(),
)


def test_a_story_ends_with_what_to_do() -> None:
    assert explanation_text(TOLD) == (
        "Rank 3 is Excluded.\nIt was Joined before.\n\n"
        "What to do:\n  1. Start it.\n       dmg system start --ranks=3\n  2. Wait.\n\n"
        f"How its state changed:\n  {'  '.join(re.split('  +', line(moved()).replace(' - ', '  ')))}\n"
    )
    document = explanation_document(TOLD)
    assert document["remedies"] == [
        {"text": "Start it.", "command": "dmg system start --ranks=3"},
        {"text": "Wait.", "command": None},
    ]
    assert json.loads(json.dumps(document)) == document


NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10m", "2026-01-31T11:50:00+00:00"),
        ("2h", "2026-01-31T10:00:00+00:00"),
        ("1d12h", "2026-01-30T00:00:00+00:00"),
        ("1w", "2026-01-24T12:00:00+00:00"),
        ("90s", "2026-01-31T11:58:30+00:00"),
        ("9:30", "2026-01-31T09:30:00+00:00"),
        ("23:59:58", "2026-01-30T23:59:58+00:00"),
        ("2026-01-02", "2026-01-02T00:00:00+00:00"),
        ("2026-01-02 03:04", "2026-01-02T03:04:00+00:00"),
        ("2026-01-02T03:04:05.5+02:00", "2026-01-02T03:04:05.500000+02:00"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
    ],
)
def test_times_as_people_write_them(text: str, found: str) -> None:
    assert moment(text, now=NOW).isoformat() == found


@pytest.mark.parametrize("text", ["", "m", "10", "10 m", "25:00", "12:60", "yesterday", "-5m", "10y", "2026-02-30"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        moment(text, now=NOW)


def test_severities_in_any_case() -> None:
    assert (severity("Error"), severity("notice")) == (Severity.ERROR, Severity.NOTICE)
    with pytest.raises(ValueError, match="error, warning, notice"):
        severity("unknown")


class Followed:
    """A client's events; the stream ends by an interrupt, as a person ends it."""

    def __init__(self, *entries: Entry) -> None:
        self.entries = entries
        self.asked: dict[str, Any] = {}

    async def list(self, **options: Any) -> Any:
        from daos_control.client.events import History

        self.asked = options
        return History(entries=self.entries[:1], last=12, oldest=1)

    async def follow(self, *, after: int, missed: Callable[[int], None], **options: Any) -> AsyncIterator[Entry]:
        assert after == 12
        self.asked |= options
        missed(7)
        for entry in self.entries[1:]:
            yield entry
        raise KeyboardInterrupt


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Followed:
    from daos_control.client.daos import DaosClient

    followed = Followed(heard(), moved(), heard(message="two"))
    monkeypatch.setattr(DaosClient, "events", followed)
    (tmp_path / "control.yml").write_text("transport_config:\n  allow_insecure: true\n")
    return followed


def test_following_emits_a_document_a_line_until_interrupted(
    followed: Followed, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["-o", str(tmp_path / "control.yml")]
    assert dmg.run([*where, "-j", "system", "events", "--follow", "--ranks", "3", "-m"]) == 130
    captured = capsys.readouterr()
    assert [json.loads(one)["sequence"] for one in captured.out.splitlines()] == [12, 13, 12]
    assert "7 entries were not kept" in captured.err
    assert (list(followed.asked["ranks"]), followed.asked["moves"], followed.asked["limit"]) == ([3], True, 10)


def test_following_for_people(followed: Followed, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert dmg.run(["-o", str(tmp_path / "control.yml"), "system", "events", "-f", "-n", "0"]) == 130
    assert capsys.readouterr().out.splitlines() == [line(moved()), line(heard(message="two"))]


@pytest.mark.parametrize(
    ("options", "limit"), [([], 50), (["--since", "1h"], 0), (["--since", "1h", "-n", "5"], 5), (["-n", "0"], 0)]
)
def test_how_many_are_listed(
    followed: Followed, tmp_path: Any, capsys: pytest.CaptureFixture[str], options: list[str], limit: int
) -> None:
    assert dmg.run(["-o", str(tmp_path / "control.yml"), "-j", "system", "events", *options]) == 0
    assert (followed.asked["limit"], followed.asked["newest"]) == (limit, bool(limit))
    assert [entry["sequence"] for entry in json.loads(capsys.readouterr().out)["response"]["events"]] == [12]


@pytest.mark.parametrize(
    ("line_", "complaint"),
    [
        ("system events --moves --pool tank", "leave out one of"),
        ("system query --explain 3 --ranks 3", "goes with no other selection"),
        ("system query --explain 3 --not-ok", "goes with no other selection"),
    ],
)
def test_what_does_not_go_together(
    followed: Followed, tmp_path: Any, capsys: pytest.CaptureFixture[str], line_: str, complaint: str
) -> None:
    assert dmg.run(["-o", str(tmp_path / "control.yml"), *line_.split()]) == 1
    assert complaint in capsys.readouterr().err


def test_people_see_columns_that_are_no_wider_than_they_have_to_be() -> None:
    far = heard(hostname="a-host-with-a-name-that-is-longer-than-the-column")
    titles, _, *rows = events_view((heard(), far)).splitlines()
    what = titles.index("What")
    assert {row[what - 1 : what + 5] for row in rows} == {" SWIM "}
    assert events_view(()) == ""


def test_what_does_not_fit_a_terminal_goes_below() -> None:
    first, *below = line(heard(), width=80).splitlines()
    assert first == "2026-01-02 03:04:05 ERROR    swim_rank_dead           rank 3 (storage2)"
    assert " ".join("".join(below).split()) == "SWIM marked rank as dead. => rank 3 is Excluded, map version 9"
    assert line(heard(), width=200) == line(heard())
