from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import yaml

from daos_control.config import document
from daos_control.config.document import ConfigError, Problem, UInt8, internal, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    size: int = setting(16)
    kind: str = setting("plain", name="class", omit=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    name: str = setting("car")
    fast: bool = setting(False)
    gears: UInt8 = setting(5)
    turbo: bool | None = setting(None, omit=True)
    spare: Wheel = setting(Wheel(size=15), omit=True)
    wheels: tuple[Wheel, ...] = setting((), skip_null=True)
    seats: tuple[Wheel, ...] = setting(())
    owners: tuple[str, ...] = setting((), omit=True)
    keys: Mapping[str, Wheel] = setting(omit=True, factory=dict)
    path: str = internal("")


def parse(text: str) -> Car:
    return document.parse(text, Car(path="x"), source="car.yml")


def problems(text: str) -> list[Problem]:
    with pytest.raises(ConfigError) as error:
        parse(text)
    return list(error.value.problems)


def test_a_document_changes_what_it_names_at_every_depth():
    car = parse("fast: yes\nspare: {class: snow}\nwheels: [{}, {size: 17}]\n")
    assert car == Car(fast=True, spare=Wheel(size=15, kind="snow"), wheels=(Wheel(), Wheel(size=17)), path="x")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~", "name:\nspare:\nowners: ~\n"])
def test_what_has_no_value_is_not_given(text):
    assert parse(text) == Car(path="x")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("gears: 0x10", "gears", 16),
        ("gears: 0b11", "gears", 3),
        ("gears: 010", "gears", 8),
        ("gears: 1_0", "gears", 10),
        ("fast: on", "fast", True),
        ("fast: No", "fast", False),
        ("turbo: off", "turbo", False),
        ("name: 0123", "name", "0123"),
        ("name: yes", "name", "yes"),
        ("name: 2026-01-01", "name", "2026-01-01"),
        ("owners: [1, yes, x]", "owners", ("1", "yes", "x")),
    ],
)
def test_scalars_are_those_of_yaml_1_1(text, field, value):
    assert getattr(parse(text), field) == value


def test_empty_items_are_skipped_or_stand_for_defaults_as_declared():
    car = parse("wheels: [~, {size: 1}, ~]\nseats: [~, {size: 1}]\n")
    assert car.wheels == (Wheel(size=1),)
    assert car.seats == (Wheel(), Wheel(size=1))


def test_anchors_and_merged_mappings():
    car = parse("spare: &w {size: 3, class: snow}\nwheels:\n- *w\n- {<<: *w, size: 4}\n")
    assert car.wheels == (Wheel(size=3, kind="snow"), Wheel(size=4, kind="snow"))


def test_all_problems_are_told_with_their_lines():
    assert problems("nam: x\ngears: many\nfast: maybe\nowners: x\nwheels:\n- siz: 1\n") == [
        Problem(1, 'unknown key "nam": did you mean "name"?'),
        Problem(2, 'gears: a whole number is wanted, not "many"'),
        Problem(3, 'fast: true or false is wanted, not "maybe"'),
        Problem(4, "owners: a list is wanted, such as [a, b]"),
        Problem(6, 'unknown key "siz": did you mean "size"?'),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("zzz: 1", 'unknown key "zzz"'),
        ("size: 1", 'unknown key "size": it belongs under spare'),
        ("name: a\nname: b", '"name" is given twice (first in line 1)'),
        ("wheels: [{size: 1, size: 2}]", '"size" is given twice (first in line 1)'),
        ("gears: 256", "gears: a number from 0 to 255 is wanted, not 256"),
        ("gears: -1", "gears: a number from 0 to 255 is wanted, not -1"),
        ('gears: "5"', 'gears: a whole number is wanted, not "5"'),
        ("gears: 1.5", 'gears: a whole number is wanted, not "1.5"'),
        ("gears: 1:30", 'gears: a whole number is wanted, not "1:30"'),
        ('fast: "yes"', 'fast: true or false is wanted, not "yes"'),
        ("name: [a]", "name: a single value is wanted"),
        ("spare: 3", "a mapping of keys to values is wanted here"),
        ("[1, 2]", "a mapping of keys to values is wanted here"),
        ("keys: [1]", "keys: a mapping of keys to values is wanted"),
        ("{[1]: 2}", "a key must be a plain word"),
        ("spare: &s {<<: *s}", "what is merged in (<<) must be another mapping"),
        ("spare: {<<: 3}", "what is merged in (<<) must be another mapping"),
    ],
)
def test_what_is_wrong_is_said(text, problem):
    assert [one.text for one in problems(text)] == [problem]


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: b: c",
        "\tname: x",
        "a: *nowhere",
        "a: !!python/object:os.system x\n]",
        "--- a\n--- b\n",
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_yaml_is_refused(text):
    assert "no YAML" in problems(text)[0].text


def test_errors_name_the_file_and_the_line():
    one = ConfigError("/etc/daos/x.yml", [Problem(3, "wrong")])
    assert str(one) == "cannot use /etc/daos/x.yml: line 3: wrong"
    assert str(ConfigError("x.yml", ["a", Problem(2, "b")])) == "cannot use x.yml:\n  a\n  line 2: b"


def test_what_is_written_can_be_read():
    car = Car(fast=True, spare=Wheel(kind="snow"), wheels=(Wheel(),), owners=("yes", "0x1"), keys={"1": Wheel()})
    assert document.parse(document.dump(car), Car(), source="car.yml") == car


def test_writing_keeps_the_order_and_leaves_out_what_is_empty():
    text = document.dump(Car(name="n", path="secret"))
    assert text == "name: n\nfast: false\ngears: 5\nspare:\n  size: 15\n  class: plain\nwheels: []\nseats: []\n"
    assert "spare" not in yaml.safe_load(document.dump(Car(spare=Wheel())))
