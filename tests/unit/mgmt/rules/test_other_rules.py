"""The group map, selections, properties and the fabric provider."""

from datetime import UTC, datetime

import pytest

from daos_control.base.errors import EmptyGroupMap
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.rules import properties, provider
from daos_control.mgmt.rules.group_map import group_map
from daos_control.mgmt.rules.selection import select
from daos_control.mgmt.system import System
from daos_control.model.member_state import MemberState
from daos_control.model.system_property import Note
from daos_control.testing.management import a_system

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_stopped_member_stays_in_the_map_and_an_excluded_one_does_not() -> None:
    system = a_system()
    system = system.with_member(system.members[1].placed(MemberState.STOPPED, now=NOW))
    system = system.with_member(system.members[2].placed(MemberState.EXCLUDED, now=NOW))
    group = group_map(system)
    assert group.ranks == (1, 3, 4)
    assert group.version == system.map_version
    assert [member.rank for member in group.on({"10.0.0.3:10001", "10.0.0.2:10001"})] == [3]


def test_a_map_of_nobody_is_none() -> None:
    with pytest.raises(EmptyGroupMap):
        group_map(System())


def test_ranks_are_selected_and_missed() -> None:
    selection = select(a_system(), ranks="0-2,4,7-9", hosts={})
    assert (selection.ranks, selection.absent_ranks) == ({1, 2, 4}, "0,7-9")
    assert selection.explicit


def test_hosts_are_selected_and_missed() -> None:
    hosts = {"host1": "10.0.0.1:10001", "host7": "10.0.0.7:10001", "nowhere": None}
    selection = select(a_system(), ranks="", hosts=hosts)
    assert selection.ranks == {1}
    assert selection.absent_hosts in {"host7,nowhere", "nowhere,host7"}
    assert selection.explicit


def test_neither_means_all_and_both_are_too_many() -> None:
    selection = select(a_system(), ranks="", hosts={})
    assert (selection.ranks, selection.explicit) == ({1, 2, 3, 4}, False)
    with pytest.raises(Refused, match="ranklist and hostlist cannot both be set in request"):
        select(a_system(), ranks="1", hosts={"h": None})


def test_rubbish_for_ranks_is_refused() -> None:
    with pytest.raises(Refused):
        select(a_system(), ranks="1-,x", hosts={})


def test_users_attributes_are_set_removed_and_kept_apart_from_ours() -> None:
    system = properties.set_attributes(a_system(0), {"site": "lab", "owner": "ops"}).system
    system = properties.set_attributes(system, {"owner": ""}).system
    assert properties.get_attributes(system, []) == {"site": "lab"}
    assert properties.get_attributes(system, ["site", "mgmt.fabric_providers"]) == {"site": "lab"}
    with pytest.raises(Refused, match='unable to find system attribute with key "owner"'):
        properties.get_attributes(system, ["owner"])
    for reserved in ("prop.self_heal", "mgmt.x"):
        with pytest.raises(Refused, match=f'cannot set reserved key "{reserved}"'):
            properties.set_attributes(system, {"ok": "1", reserved: "x"})


def test_properties_have_defaults_and_are_set_all_or_none() -> None:
    computed = {"daos_system": "daos_server", "daos_version": "2.8.0"}
    system = a_system(0)
    with pytest.raises(Refused):
        properties.set_properties(system, {"self_heal": "none", "pool_scrub_mode": "sometimes"})
    change = properties.set_properties(system, {"Self_Heal": "none"})
    assert [prop.name for prop in change.outcome] == ["self_heal"]
    system = change.system
    assert properties.get_properties(system, [], computed=computed) == {
        **computed,
        "pool_scrub_mode": "off",
        "pool_scrub_thresh": "0",
        "self_heal": "none",
    }
    assert properties.get_properties(system, ["self_heal"], computed=computed) == {"self_heal": "none"}
    assert properties.get_properties(system, ["pool_scrub_mode"], computed=computed) == {
        "pool_scrub_mode": "off",
        "self_heal": "none",  # was set
    }
    with pytest.raises(Refused, match='unknown property "nonsense"'):
        properties.get_properties(system, ["nonsense"], computed=computed)


def test_the_provider_is_noted_once_and_changed_only_while_nobody_has_joined() -> None:
    noted = provider.settle(System(), "ofi+tcp", now=NOW, hostname="h").system
    assert provider.settle(noted, "ofi+tcp", now=NOW, hostname="h").system is noted
    changed = provider.settle(noted, "ofi+verbs", now=NOW, hostname="h")
    assert changed.system.note(Note.FABRIC_PROVIDERS) == "ofi+verbs"
    assert changed.system.paused
    assert [event.name for event in changed.events] == ["system_fabric_provider_changed"]
    with pytest.raises(Refused, match=r"1 member\(s\) already joined"):
        provider.settle(a_system(1), "ofi+verbs", now=NOW, hostname="h")
