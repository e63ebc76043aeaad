"""Whatever a number or a name in a message is, it is found, and there are words for it."""

import re
from collections.abc import Iterator

import pytest

from daos_control.base.der import Der, der_text
from daos_control.base.der_words import WORDS as DER_WORDS
from daos_control.base.fault_codes import FaultCode
from daos_control.base.fault_words import NOTES, TABLE
from daos_control.cli.daos_agent import PROGRAM as DAOS_AGENT
from daos_control.cli.daos_server import PROGRAM as DAOS_SERVER
from daos_control.cli.dmg.commands import PROGRAM as DMG
from daos_control.cli.flags import Command
from daos_control.model.event import EventId
from daos_control.model.event_words import WORDS as EVENT_WORDS
from daos_control.model.glossary import Entry, Kind, entries, find

PROGRAMS = {program.name: program for program in (DMG, DAOS_SERVER, DAOS_AGENT)}


def titles(words: str) -> list[str]:
    return [entry.title for entry in find(words).entries]


def test_every_code_event_and_state_has_an_entry() -> None:
    assert set(DER_WORDS) == set(Der)
    assert set(EVENT_WORDS) == set(EventId)
    assert TABLE.keys() == {code.name for code in FaultCode} >= NOTES.keys()
    assert len({entry.title for entry in entries()}) == len(entries())


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.title)
def test_an_entry_says_what_it_means_and_what_to_do(entry: Entry) -> None:
    for situation in entry.situations:
        assert len(situation.meaning) > 10
        assert situation.steps or entry.name == "BDEV_FORMAT_FAILURE"
        assert not re.search(r"[{}]", situation.meaning + "".join(situation.steps)), "facts are filled in"


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.title)
def test_an_entry_is_found_by_its_title_as_lists_show_it(entry: Entry) -> None:
    assert find(entry.title).entries == (entry,)
    assert entry in find(f"{entry.kind} {entry.name}").entries
    assert entry.number is None or entry in find(f"{entry.kind} {entry.number}").entries


@pytest.mark.parametrize("code", FaultCode, ids=lambda code: code.name)
def test_faults_are_found_as_they_are_told(code: FaultCode) -> None:
    entry = next(entry for entry in entries() if entry.kind is Kind.FAULT and entry.number == int(code))
    camel_case = "".join(word.capitalize() for word in code.name.split("_"))
    for words in (str(int(code)), f"fault {int(code)}", code.name, code.name.lower(), camel_case, entry.says):
        assert entry in find(words).entries, words
    assert find(f'{entry.says} description = "x"').entries == (entry,)


@pytest.mark.parametrize("code", Der, ids=lambda code: code.name)
def test_der_codes_are_found_as_they_are_told(code: Der) -> None:
    title = f"DER_{code.name}({int(code)})"
    for words in (str(int(code)), str(-int(code)), f"DER_{code.name}", code.name, code.name.lower()):
        assert title in titles(words), words
    assert titles(f"pool create failed: {der_text(code)}") == [title]


@pytest.mark.parametrize("event", EventId, ids=lambda event: event.name)
def test_events_are_found_as_they_are_told(event: EventId) -> None:
    title = f"event {int(event)} {event.name.lower()}"
    assert title in titles(str(int(event)))
    assert title in titles(event.name)
    assert titles(f"event {int(event)}") == [title]
    assert title in titles(f"id: [{event.name.lower()}] ts: [2026-01-02] type: [INFO] sev: [ERROR]")


def test_states_and_properties_are_found() -> None:
    assert titles("AdminExcluded") == titles("adminexcluded") == ["member state AdminExcluded"]
    assert titles("excluded") == ["DER_EXCLUDED(-1032)", "member state Excluded"]
    assert titles("rd_fac") == titles("property rf") == ["pool property rd_fac"]


def test_a_part_of_a_word_finds_all_that_have_it() -> None:
    found = find("hugepage")
    assert not found.exact
    assert {"STORAGE_HUGEPAGES_DISABLED", "SERVER_TRANSPARENT_HUGEPAGE_ENABLED"} <= {e.name for e in found.entries}
    assert "DER_HLC_SYNC" in {entry.name for entry in find("clock").entries}
    assert "DER_QUOTA_LIMIT" in {entry.name for entry in find("limit quota").entries}


@pytest.mark.parametrize(
    ("words", "nearest"), [("DER_NOSPCE", "DER_NOSPACE"), ("swim_dead", "swim_rank_dead"), ("Joinde", "Joined")]
)
def test_what_is_misspelt_is_guessed(words: str, nearest: str) -> None:
    found = find(words)
    assert found.entries == ()
    assert nearest in found.nearest


@pytest.mark.parametrize("words", ["", "  ", "99999", "-3", "(-1007", "DER_", "code = ", "%s" * 50, "\x00"])
def test_nonsense_is_not_found_and_does_no_harm(words: str) -> None:
    find(words)
    assert find("99999").entries == ()


def _said() -> Iterator[str]:
    for entry in entries():
        for situation in entry.situations:
            yield from (situation.meaning, *situation.steps)
        yield from (*entry.causes, *entry.notes)


def _commands_in(text: str) -> Iterator[str]:
    yield from re.findall(r"\b(?:dmg|daos_server|daos_agent)(?: (?:--?)?[a-z][a-z-]*)+(?:=|\b)", text)


@pytest.mark.parametrize("line", sorted({line for text in _said() for line in _commands_in(text)}))
def test_commands_that_are_advised_exist(line: str) -> None:
    name, *words = line.split()
    command: Command = PROGRAMS[name]
    options = _spellings(command)
    for word in words:
        if word.startswith("-"):
            assert word.rstrip("=") in options | {"-h"}, f"{line}: no option {word}"
        elif command.commands:
            found = [inner for inner in command.commands if word == inner.name]
            if not found and command.name in PROGRAMS:
                return  # a sentence about the program: "dmg and agents"
            assert found, f"{line}: no command {word}"
            command = found[0]
            options |= _spellings(command)


def _spellings(command: Command) -> set[str]:
    return {f"--{option.name}" for option in command.options} | {f"-{option.short}" for option in command.options}
