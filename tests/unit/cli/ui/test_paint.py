"""Colours and folding at a terminal: on the words that matter, and with nothing lost."""

import io
import re

import pytest

from daos_control.cli.ui.paint import WORTH, bare, paint
from daos_control.cli.ui.style import Style
from daos_control.cli.ui.tables import entity, framed, table
from daos_control.cli.ui.terminal import for_stream, is_wanted

CODES = re.compile(r"\x1b\[\d*m")
MEMBERS = table(
    ["Rank", "State", "Reason"],
    [("[0-2]", "Joined", ""), (3, "Excluded", "engine exited: signal: killed"), (4, "AdminExcluded", "")],
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_states_are_painted_where_they_are_states() -> None:
    painted = paint(MEMBERS)
    assert Style.GOOD.on("Joined") in painted
    assert Style.BAD.on("Excluded") in painted
    assert Style.CARE.on("AdminExcluded") in painted
    named_joined = paint(table(["Pool", "State"], [("Joined", "Ready")]))
    assert named_joined.splitlines()[2] == f"Joined {Style.GOOD.on('Ready')}"


def test_titles_stand_out_and_dashes_do_not() -> None:
    assert paint(framed("host[1-4]")) == (
        f"{Style.QUIET.on('---------')}\n{Style.TITLE.on('host[1-4]')}\n{Style.QUIET.on('---------')}\n"
    )
    assert paint(entity("Pool tank", {"State": "Degraded"})).splitlines() == [
        Style.TITLE.on("Pool tank"),
        Style.QUIET.on("---------"),
        f"  State: {Style.CARE.on('Degraded')}",
    ]


@pytest.mark.parametrize(
    ("used", "worth"), [("79%", None), ("80%", Style.CARE), ("95%", Style.BAD), ("100%", Style.BAD)]
)
def test_a_pool_that_fills_up_is_seen(used: str, worth: Style | None) -> None:
    row = paint(table(["Pool", "Used", "Disabled"], [("tank", used, "0/8")])).splitlines()[2]
    assert row.split() == ["tank", worth.on(used) if worth else used, "0/8"]


@pytest.mark.parametrize(
    "text",
    [MEMBERS, framed("h1"), entity("Pool", {"A": 1}), "a sentence\n\n  - Dead ranks: 3\n", "", "---\n", "no newline"],
    ids=["table", "frame", "entity", "sentences", "nothing", "dashes", "no newline"],
)
def test_without_its_colours_a_text_is_what_it_was(text: str) -> None:
    plain = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    assert CODES.sub("", paint(text)) == plain


def test_a_table_that_is_too_wide_is_folded_in_its_sentences_only() -> None:
    text = table(["Rank", "UUID", "Reason"], [(3, "11f5e040-f9f2-4d86-8bc5-c0841667e7d5", "it ended " * 12)])
    folded = [CODES.sub("", line) for line in paint(text, width=80).splitlines()]
    assert max(map(len, folded)) <= 80
    assert folded[2].startswith("3    11f5e040-f9f2-4d86-8bc5-c0841667e7d5 it ended it ended")
    assert {line[:42] for line in folded[3:]} == {" " * 42}
    assert " ".join(" ".join(folded[2:]).split()).count("it ended") == 12


def test_a_sentence_goes_below_its_row_where_its_words_would_stand_one_below_the_other() -> None:
    rows = [("u" * 60, "it ended unexpectedly, and nobody knows why"), ("v", "it ended")]
    _, rule, *folded = [bare(line) for line in paint(table(["UUID", "Reason"], rows), width=80).splitlines()]
    reason = rule.index("------")
    assert folded == ["u" * 60, "    it ended unexpectedly, and nobody knows why", "v".ljust(reason) + "it ended"]


def test_where_others_are_long_as_well_all_sentences_are_folded() -> None:
    rows = [
        ("3", "it ended unexpectedly, and nobody knows why", "find out why it did, and start it again"),
        ("4", "-", "-"),
    ]
    text = [bare(line) for line in paint(table(["Rank", "Last Exit", "Next"], rows), width=60).splitlines()]
    assert text[-1].split() == ["4", "-", "-"]
    assert max(map(len, text)) <= 60


def test_a_long_sentence_goes_on_below_itself() -> None:
    told = "  2026-01-31 12:00:00 ERROR   engine_died   it ended unexpectedly, and nobody knows why that was so"
    assert paint(told, width=70).splitlines() == [
        "  2026-01-31 12:00:00 ERROR   engine_died   it ended unexpectedly, and",
        "                                            nobody knows why that was",
        "                                            so",
    ]
    assert paint("  one two three four five six seven", width=24) == "  one two three four\n    five six seven\n"


def test_a_row_that_overflows_its_columns_is_left_as_it_is() -> None:
    text = "Time Where What\n---- ----- ----\n1    a-very-long-host something\n"
    assert paint(text).splitlines()[2] == "1    a-very-long-host something"


def test_what_is_piped_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert for_stream(io.StringIO(), MEMBERS) == MEMBERS


def test_what_others_have_written_does_not_steer_a_terminal(terminal: Terminal) -> None:
    hostile = table(["Name", "Value"], [("color", "\x1b[2J\x9bred\r"), ("place", "caf\u00e9")])
    shown = CODES.sub("", for_stream(terminal, hostile))
    assert shown.isprintable() or set(shown) - {"\n"} == set(filter(str.isprintable, shown))
    assert r"\x1b[2J\x9bred\x0d" in shown
    assert "caf\u00e9" in shown


def test_a_terminal_gets_colours_and_no_blank_lines_at_the_end(terminal: Terminal) -> None:
    assert for_stream(terminal, MEMBERS + "\n\n") == paint(MEMBERS)


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(
    setting: tuple[str, str], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*setting)
    assert not is_wanted(terminal)
    assert for_stream(terminal, MEMBERS) == CODES.sub("", paint(MEMBERS))


def test_an_empty_no_color_means_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert is_wanted(terminal)


def test_no_word_has_two_worths() -> None:
    words = [word for several in WORTH.values() for word in several.split()]
    assert len(words) == len(set(words))
