"""Pool properties: every text that DAOS takes, what it becomes, and how it is shown again."""

import pytest

from daos_control.client.errors import InvalidRequest
from daos_control.client.pool_properties import from_pb, number, refuse_fixed, to_pb
from daos_control.model.pool_property import PoolProperty
from daos_control.model.pool_property_text import KINDS, NAMES
from daos_control.wire.pb.mgmt.pool_pb2 import PoolProperty as Sent


@pytest.mark.parametrize(
    ("name", "text", "sent", "shown"),
    [
        ("label", "tank", "tank", "tank"),
        ("reclaim", "Lazy", 1, "lazy"),
        ("self_heal", "rebuild;exclude", 3, "exclude;rebuild"),
        ("self_heal", "none", 0, "none"),
        ("space_rb", "20%", 20, "20%"),
        ("ec_cell_sz", "64KiB", 65536, "64 KiB"),
        ("data_thresh", "4096", 4096, "4.0 KiB"),
        ("rd_fac", "2", 2, "2"),
        ("rf", "2", 2, "2"),
        ("perf_domain", "group", 200, "group"),
        ("svc_ops_entry_age", "300", 300, "300"),
        ("scrub_freq", "604800", 604800, "604800"),
        ("upgrade_status", "in progress", 1, "in progress"),
    ],
)
def test_texts_and_values(name: str, text: str, sent: int | str, shown: str) -> None:
    (message,) = to_pb({name: text})
    assert (message.strval or message.numval) == sent
    assert message.number == number(name)
    (value,) = from_pb([number(name)], [message])
    assert value.text == shown


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rd_fac", "99", r"invalid redun fac value 99 \(valid values: 0-4\)"),
        ("space_rb", "101", "invalid space_rb value 101"),
        ("label", "11111111-1111-4111-8111-111111111111", 'invalid label "1111'),
        ("label", "a b", "invalid label"),
        ("reclaim", "never", r"valid: disabled,lazy,time"),
        ("ec_cell_sz", "5000", "invalid EC Cell size"),
        ("data_thresh", "4GiB", "invalid data threshold size"),
        ("svc_ops_entry_age", "5", "60-600"),
        ("svc_list", "0", "pool service itself chooses"),
        ("nope", "1", r'"nope" is not a pool property \(valid: checkpoint,'),
    ],
)
def test_wrong_texts_are_explained(name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        to_pb({name: text})


def test_every_property_that_can_be_set_comes_back_as_it_went() -> None:
    texts = {prop.text: kind.default for prop, kind in KINDS.items() if kind.choices or kind.default[:1].isdigit()}
    texts["label"] = "tank"
    assert set(texts) == set(NAMES) - {"svc_list", "global_version"}
    sent = to_pb(texts)
    values = {value.name: value for value in from_pb([number(name) for name in texts], sent)}
    assert {name: value.text for name, value in values.items()} == texts
    assert all(
        isinstance(values[prop.text].value, int) == kind.numeric for prop, kind in KINDS.items() if prop.text in texts
    )


def test_a_property_under_two_names_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="given twice"):
        to_pb({"rf": "1", "rd_fac": "2"})


def test_what_is_sent_is_ordered_by_name() -> None:
    assert [p.number for p in to_pb({"space_rb": "1", "reclaim": "lazy"})] == [5, 3]


def test_unset_values_are_left_out_and_numbers_without_a_name_are_unknown() -> None:
    wanted = [PoolProperty.LABEL, PoolProperty.RECLAIM, PoolProperty.SVC_LIST]
    values = from_pb(wanted, [Sent(number=1), Sent(number=5, numval=3), Sent(number=8, strval="[0-2]")])
    assert [(value.name, value.value) for value in values] == [("reclaim", "unknown"), ("svc_list", [0, 1, 2])]


def test_some_properties_are_for_new_pools_only() -> None:
    refuse_fixed(["reclaim"])
    with pytest.raises(InvalidRequest, match="ec_pda can only be set when a pool is created"):
        refuse_fixed(["reclaim", "ec_pda"])
