"""What dmg offers to shells as values: properties, policies, states, events, and whatever can be explained."""

from collections.abc import Iterable, Mapping

from daos_control.cli.guidance.completion import Candidate, listed, settings


def pool_settings(word: str) -> Iterable[Candidate]:
    """Offer properties of pools with their values."""
    from daos_control.model.pool_property_text import KINDS

    return settings(word, {prop.text: (kind.description, kind.choices) for prop, kind in KINDS.items()})


def pool_keys(word: str) -> Iterable[Candidate]:
    """Offer properties of pools."""
    from daos_control.model.pool_property_text import KINDS

    return listed(word, {prop.text: kind.description for prop, kind in KINDS.items()})


def system_settings(word: str) -> Iterable[Candidate]:
    """Offer properties of the system with their values."""
    from daos_control.model.system_property import SETTABLE

    return settings(word, {name: ("", prop.choices) for name, prop in SETTABLE.items()})


def system_keys(word: str) -> Iterable[Candidate]:
    """Offer properties of the system."""
    from daos_control.model.system_property import COMPUTED, SETTABLE

    return listed(word, dict.fromkeys((*COMPUTED, *SETTABLE), ""))


def policies(word: str) -> Iterable[Candidate]:
    """Offer classes of inconsistency with what can be done about them."""
    from daos_control.model.checker import Action, Inconsistency

    actions = [action.name for action in Action if action is not Action.STALE]
    return settings(word, {kind.name: ("", actions) for kind in Inconsistency})


def inconsistencies(word: str) -> Iterable[Candidate]:
    """Offer classes of inconsistency."""
    from daos_control.model.checker import Inconsistency

    return listed(word, {kind.name: "" for kind in Inconsistency})


def states(word: str) -> Iterable[Candidate]:
    """Offer states of members."""
    from daos_control.model.member_moves import MEANINGS
    from daos_control.model.member_state import MemberState

    known = (state for state in MemberState if state is not MemberState.UNKNOWN)
    return listed(word, {state.words: MEANINGS[state] for state in known})


def events(word: str) -> Iterable[Candidate]:
    """Offer names of events."""
    from daos_control.model.event_words import WORDS

    return listed(word, {event.name.lower(): words.meaning for event, words in WORDS.items()})


def severities(word: str) -> Iterable[Candidate]:
    """Offer how bad an event can be."""
    return _beginning(word, dict.fromkeys(("error", "warning", "notice"), ""))


def explainable(word: str) -> Iterable[Candidate]:
    """Offer names that can be explained; numbers are too many to choose from."""
    from daos_control.model.glossary import entries

    return _beginning(word, {entry.name: entry.summary for entry in entries()})


def _beginning(word: str, known: Mapping[str, str]) -> Iterable[Candidate]:
    return (Candidate(name, about) for name, about in known.items() if name.lower().startswith(word.lower()))
