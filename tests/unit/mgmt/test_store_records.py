"""What is written is what is read back, whatever has happened to the system."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.mgmt import records
from daos_control.mgmt.rules.membership import join
from daos_control.mgmt.system import System
from daos_control.model.checker import Action, CheckRecords, Finding, Inconsistency
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolService, PoolState
from daos_control.model.system_property import Note
from daos_control.store.api import Snapshot, StoreUnavailable, Versioned
from daos_control.testing.management import a_join

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def snapshot(items: dict[str, bytes]) -> Snapshot:
    return Snapshot({key: Versioned(value, 1) for key, value in sorted(items.items())}, 1)


def stored(systems: list[System]) -> dict[str, bytes]:
    items: dict[str, bytes] = {}
    for old, new in zip([System(), *systems], systems, strict=False):
        for key, value in records.writes(old, new).items():
            if value is None:
                del items[key]
            else:
                items[key] = value
    return items


KINDS = ["join", "move", "pool", "nopool", "remains", "noremains", "attr", "noattr", "find", "nofind", "policy"]
STEP = st.tuples(st.sampled_from(KINDS), st.integers(1, 4))


def checked(check: CheckRecords, what: str, number: int) -> CheckRecords:
    match what:
        case "find":
            finding = Finding(
                seq=(1 << 64) - number,
                kind=Inconsistency(number * 11),
                action=Action.INTERACT,
                result=-1012,
                pool_uuid="ü",
                choices=(Action.READD, Action(77)),
                details=("a", ""),
            )
            return check.with_findings([finding])
        case "nofind":
            return check.with_findings((), without=[(1 << 64) - number])
        case _:
            policies = {Inconsistency(number): Action(number), Inconsistency.UNKNOWN: Action.STALE}
            check = replace(check, policies=policies)
            return replace(check, last_policies=policies) if number % 2 else check


@given(st.lists(STEP, max_size=25))
def test_any_history_is_read_back(steps: list[tuple[str, int]]) -> None:
    systems = [System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")]
    for what, number in steps:
        system = systems[-1]
        match what:
            case "join":
                request = a_join(number, secondary_uris=("b://x",), secondary_contexts=(2,))
                system = join(system, request, now=NOW).system
            case "move" if number in system.members:
                system = system.with_member(system.members[number].placed(MemberState.STOPPED, now=NOW, info="ü"))
            case "pool":
                pool = PoolService(
                    uuid=f"u{number}",
                    label=f"x{number}" if len(systems) % 3 else "",
                    state=PoolState.READY if len(systems) % 2 else PoolState.CREATING,
                    replicas=(1,),
                    ranks=(1, 2),
                    tier_bytes=(number << 40, 0),
                    mem_ratio=0.5,
                    last_update=NOW,
                )
                system = system.with_pool(pool)
            case "nopool":
                system = system.without_pool(f"u{number}")
            case "remains":
                system = system.with_remains(f"u{number}", frozenset({1, number}))
            case "noremains":
                system = system.with_remains(f"u{number}", frozenset())
            case "attr" | "noattr":
                system = system.with_attributes({f"a/{number}": "wert ü\n" if what == "attr" else None})
            case "find" | "nofind" | "policy":
                system = system.with_check(checked(system.check, what, number))
        systems.append(system)
    assert records.load(snapshot(stored(systems))) == systems[-1]


def test_only_what_changed_is_written() -> None:
    one = join(System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp"), a_join(1), now=NOW).system
    two = join(one, a_join(2), now=NOW).system
    assert set(records.writes(one, two)) == {"system/map", "system/member/2", "system/domain/host2"}
    assert records.writes(two, two) == {}
    assert records.writes(two, two.with_attributes({"k": "v"})) == {"system/attr/k": b'"v"'}


def test_values_can_be_read_by_people() -> None:
    system = join(System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp"), a_join(1), now=NOW).system
    member = records.writes(System(), system)["system/member/1"]
    assert member is not None
    assert b'"state":"joined"' in member
    assert b'"fault_domain":"/host1"' in member


@pytest.mark.parametrize(
    "key",
    [
        "system/map",
        "system/member/1",
        "system/pool/x",
        "system/remains/x",
        "system/attr/k",
        "system/domain/h",
        "system/check/finding/1",
        "system/check/policies",
        "system/check/last-policies",
    ],
)
def test_damage_is_reported_with_the_key(key: str) -> None:
    with pytest.raises(StoreUnavailable, match=key):
        records.load(snapshot({key: b'{"half'}))
