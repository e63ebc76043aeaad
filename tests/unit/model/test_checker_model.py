"""Findings, and numbers that newer engines may use."""

import pytest

from daos_control.model.checker import Action, CheckPhase, CheckRecords, Finding, Inconsistency

CHOICES = (Action.READD, Action.DISCARD, Action.IGNORE)


def finding(**changes: object) -> Finding:
    given: dict[str, object] = {"seq": 1, "kind": Inconsistency.POOL_NONEXIST_ON_MS, "action": Action.INTERACT}
    return Finding(**{**given, **changes})  # type: ignore[arg-type]


def test_a_number_that_has_no_name_is_named_by_itself() -> None:
    later = CheckPhase(42)
    assert (later.name, later, later.known) == ("42", 42, False)
    assert CheckPhase.DONE.known
    assert Inconsistency(100) is Inconsistency.UNKNOWN
    assert 42 not in list(CheckPhase)
    with pytest.raises(ValueError, match="nonsense"):
        CheckPhase("nonsense")


def test_a_decision_keeps_only_its_own_words() -> None:
    open_one = finding(choices=CHOICES, details=("a", "b", "c"), words=("x", "y", "z"))
    assert open_one.open
    assert open_one.unresolved
    settled = open_one.decided(Action.DISCARD)
    assert (settled.action, settled.choices, settled.details, settled.words) == (Action.DISCARD, (), ("b",), ("y",))
    assert not settled.unresolved
    with pytest.raises(ValueError, match="not in tuple"):
        open_one.decided(Action.TRUST_PS)


def test_choices_are_described_by_the_engine_unless_it_has_but_a_word() -> None:
    described = finding(choices=CHOICES, details=("bring it back", "bye"), words=("x", "y", "z"))
    assert [words for _, words in described.options] == ["bring it back", "y", "z"]
    assert finding(choices=CHOICES[:1], details=("bye",)).options == ((Action.READD, "bye"),)


def test_records_are_never_changed_in_place() -> None:
    records = CheckRecords(findings={1: finding()})
    after = records.with_findings([finding(seq=2)], without=[1])
    assert list(after.findings) == [2]
    assert list(records.findings) == [1]
