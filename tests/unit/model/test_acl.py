"""Access control lists: every letter, every refusal, and texts that come back as they went."""

import random

import pytest

from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.model.acl import (
    CONTAINER_PERMISSIONS,
    FLAGS,
    MAX_ENTRY_BYTES,
    PERMISSIONS,
    POOL_PERMISSIONS,
    TYPES,
    AccessControlList,
    AccessFlag,
    AccessType,
    AclEntry,
    InvalidAcl,
    Permission,
    Principal,
    PrincipalKind,
    acl_text,
    entry_lines,
    spelled,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("A::OWNER@:rw", "A::OWNER@:rw"),
        ("A:G:GROUP@:wrrw", "A:G:GROUP@:rw"),
        ("A::EVERYONE@:", "A::EVERYONE@:"),
        ("AAA::ann@:oAaTtdcwr", "A::ann@:rwcdtTaAo"),
        ("A:PG:research@site:r", "A:GP:research@site:r"),
        ("LUA:PFSG:research@:r", "AUL:GSFP:research@:r"),
        ("U:F:ann@:w", "U:F:ann@:w"),
        ("A::a.b-c d@:r", "A::a.b-c d@:r"),
        ("A::owner@:r", "A::owner@:r"),
    ],
)
def test_entries_are_written_in_one_order(text: str, canonical: str) -> None:
    assert str(AclEntry.parse(text)) == canonical


@pytest.mark.parametrize("letter", TYPES)
def test_every_type(letter: str) -> None:
    entry = AclEntry.parse(f"{letter}:{'' if letter == 'A' else 'S'}:ann@:rw")
    assert entry.types == TYPES[letter]
    assert [kind for kind, permissions in entry.by_type.items() if permissions] == [TYPES[letter]]


@pytest.mark.parametrize(("letter", "flag"), FLAGS.items())
def test_every_flag(letter: str, flag: AccessFlag) -> None:
    entry = AclEntry.parse(f"{'U' if letter in 'SF' else 'A'}:{letter}:ann@:r")
    assert entry.flags == flag
    assert entry.principal.kind is (PrincipalKind.GROUP if letter == "G" else PrincipalKind.USER)


@pytest.mark.parametrize(("letter", "permission"), PERMISSIONS.items())
def test_every_permission(letter: str, permission: Permission) -> None:
    assert AclEntry.parse(f"A::ann@:{letter}").allow == permission


def test_the_numbers_are_those_of_daos() -> None:
    assert [int(bit) for bit in TYPES.values()] == [1, 2, 4]
    assert {letter: int(bit) for letter, bit in FLAGS.items()} == {"G": 1, "P": 2, "F": 4, "S": 8}
    assert [int(bit) for bit in PERMISSIONS.values()] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert [kind.value for kind in PrincipalKind] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "reason", "position"),
    [
        ("", "ends before flags", 0),
        ("A", "ends before flags", 1),
        ("A::OWNER@", "ends before permissions", 9),
        ("A::OWNER@:rw:x", 'the ":" at character 13 is one too many', 12),
        ("X::OWNER@:rw", '"X" at character 1 is not an access type (there are A U L)', 0),
        ("a::OWNER@:rw", '"a" at character 1 is not an access type', 0),
        ("A:Q:OWNER@:rw", '"Q" at character 3 is not a flag (there are G S F P)', 2),
        ("A::OWNER@:rx", '"x" at character 12 is not a permission (there are r w c d t T a A o)', 11),
        ("A::OWNER@: r", '" " at character 11 is not a permission', 10),
        ("A:::rw", "the principal is missing", 3),
        ("A::ann:rw", '"ann" has no "@"', 3),
        ("A::@site:rw", "has to be a name", 3),
        ("A::ann@a@b:rw", "has to be a name", 3),
        (f"A::{'x' * 255}@:rw", "longer than 255 bytes", 3),
        (f"A::{'x' * 310}@:rwcdt", "longer than 319 bytes", 319),
        ("::OWNER@:rw", "no access type", None),
        ("A::GROUP@:rw", "GROUP@ is a group, so the entry needs the flag G", None),
        ("A:G:OWNER@:rw", "OWNER@ is not a group", None),
        ("A:G:EVERYONE@:rw", "EVERYONE@ is not a group", None),
        ("U::ann@:r", "needs the flag S", None),
        ("L::ann@:r", "needs the flag S", None),
        ("A:S:ann@:r", "for audits (U) and alarms (L) only", None),
        ("A:F:ann@:r", "for audits (U) and alarms (L) only", None),
    ],
)
def test_refusals_say_what_is_wrong_and_where(text: str, reason: str, position: int | None) -> None:
    with pytest.raises(InvalidAcl) as caught:
        AclEntry.parse(text)
    assert reason in str(caught.value)
    assert caught.value.position == position
    assert caught.value.status == Der.INVAL


def test_the_longest_entries_pass() -> None:
    name = "x" * 254 + "@"
    assert AclEntry.parse(f"A::{name}:rw").principal.name == name
    assert len(f"A:{'G' * 46}:{name}:{'r' * 14}") == MAX_ENTRY_BYTES
    AclEntry.parse(f"A:{'G' * 46}:{name}:{'r' * 14}")
    with pytest.raises(InvalidAcl, match="longer than 319 bytes"):
        AclEntry.parse(f"A:{'G' * 46}:{name}:{'r' * 15}")


def test_names_are_measured_in_bytes() -> None:
    AclEntry.parse(f"A::{'é' * 127}@:")
    with pytest.raises(InvalidAcl, match="longer than 255 bytes"):
        AclEntry.parse(f"A::{'é' * 128}@:")


def test_entries_can_be_built_that_have_no_text() -> None:
    ann = Principal.parse("u:ann@")
    types = AccessType.ALLOW | AccessType.AUDIT
    entry = AclEntry(
        principal=ann, types=types, flags=AccessFlag.SUCCESS, allow=Permission.READ, audit=Permission.WRITE
    )
    assert entry.problem() == ""
    with pytest.raises(InvalidAcl, match="no text says that"):
        str(entry)
    with pytest.raises(InvalidAcl, match="permissions of a type that it does not have"):
        AccessControlList((AclEntry(principal=ann, alarm=Permission.READ),))


def test_permissions_that_mean_nothing_for_an_object_are_found() -> None:
    entry = AclEntry.parse("A::ann@:rwcdtTaAo")
    assert entry.pointless(POOL_PERMISSIONS) == "TaAo"
    assert entry.pointless(CONTAINER_PERMISSIONS) == "c"
    assert AclEntry.parse("A::ann@:rwcdt").pointless(POOL_PERMISSIONS) == ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("OWNER@", PrincipalKind.OWNER),
        ("GROUP@", PrincipalKind.OWNER_GROUP),
        ("EVERYONE@", PrincipalKind.EVERYONE),
        ("u:ann@", PrincipalKind.USER),
        ("g:research@site", PrincipalKind.GROUP),
        ("u:OWNER@", PrincipalKind.USER),
    ],
)
def test_principals(text: str, kind: PrincipalKind) -> None:
    principal = Principal.parse(text)
    assert (principal.kind, str(principal)) == (kind, text)


@pytest.mark.parametrize("text", ["", "ann@", "x:ann@", "u:", "u:ann", "g:@a", "u:a@b@c", "owner@", "U:ann@"])
def test_what_is_no_principal(text: str) -> None:
    with pytest.raises(InvalidAcl) as caught:
        Principal.parse(text)
    assert caught.value.status == Der.INVAL


MIXED = ["A::EVERYONE@:r", "A:G:b@:r", "A::bob@:r", "A:G:GROUP@:r", "A::ann@:r", "A::OWNER@:r", "A:G:a@:r"]


def test_lists_are_in_the_order_of_their_evaluation_and_stable_within_a_kind() -> None:
    assert [entry.principal.name for entry in AccessControlList.parse(MIXED)] == [
        "OWNER@", "bob@", "ann@", "GROUP@", "b@", "a@", "EVERYONE@",
    ]  # fmt: skip


def test_a_user_and_a_group_may_have_one_name_but_nobody_two_entries() -> None:
    assert len(AccessControlList.parse(["A::ann@:r", "A:G:ann@:r"])) == 2
    with pytest.raises(InvalidAcl, match='entry 3, "A::ann@:w": entry 1 is about u:ann@ already'):
        AccessControlList.parse(["A::ann@:r", "A:G:ann@:r", "A::ann@:w"])
    twice = AclEntry.parse("A::ann@:r")
    with pytest.raises(InvalidAcl, match="two entries about u:ann@"):
        AccessControlList((twice, twice))


def test_a_list_says_which_entry_is_wrong() -> None:
    with pytest.raises(InvalidAcl, match='entry 2, "A::OWNER@:z": "z" at character 11') as caught:
        AccessControlList.parse(["A::ann@:r", "A::OWNER@:z"])
    assert (caught.value.line, caught.value.position) == (2, 10)


def test_a_list_has_a_limit() -> None:
    fits = [f"A::{number:04}@:" for number in range(1638)]
    assert sum(entry.stored_bytes for entry in AccessControlList.parse(fits)) == 1638 * 40
    with pytest.raises(InvalidAcl, match="1639 entries take 65560 bytes, and there may be 65536"):
        AccessControlList.parse([*fits, "A::9999@:"])


def test_updating_replaces_and_adds_and_removing_needs_something_to_remove() -> None:
    acl = AccessControlList.parse(["A::OWNER@:rw", "A:G:GROUP@:rw"])
    changed = acl.updated(AccessControlList.parse(["A::OWNER@:r", "A::ann@:w"]))
    assert [str(entry) for entry in changed] == ["A::OWNER@:r", "A::ann@:w", "A:G:GROUP@:rw"]
    assert [str(entry) for entry in changed.without(Principal.parse("GROUP@"))] == ["A::OWNER@:r", "A::ann@:w"]
    with pytest.raises(DaosError) as caught:
        changed.without(Principal.parse("g:ann@"))
    assert caught.value.status == Der.NONEXIST


FILE = """
# Owner: ann@
  # a comment behind blanks
   A::OWNER@:rw

A:G:GROUP@:r
"""


def test_files() -> None:
    assert entry_lines(FILE) == ("A::OWNER@:rw", "A:G:GROUP@:r")
    acl = AccessControlList.parse_text(FILE)
    text = acl.to_text(owner_user="ann@", owner_group="research@", verbose=True)
    assert text == (
        "# Owner: ann@\n# Owner Group: research@\n# Entries:\n"
        "# Allow::Owner:Read/Write\nA::OWNER@:rw\n# Allow:Group:Owner-Group:Read\nA:G:GROUP@:r\n"
    )
    assert AccessControlList.parse_text(text) == acl
    assert acl_text([]) == "# Entries:\n#   None\n"


def test_everything_spelled_out() -> None:
    assert spelled("A::ann@:rwcdtTaAo") == (
        "Allow::ann@:Read/Write/Create-Cont/Destroy-Cont/Get-Prop/Set-Prop/Get-ACL/Set-ACL/Set-Owner"
    )
    assert spelled("UL:SFP:EVERYONE@:") == "Unknown/Unknown:Unknown/Unknown/Unknown:Everyone:None"
    assert spelled("garbage") == "Unknown/Unknown/Unknown/Unknown/Unknown/Unknown/Unknown:::None"


def any_entry(chance: random.Random) -> str:
    """Make up an entry that DAOS takes, its letters in any order and number."""
    types = "".join(chance.choices("AUL", k=chance.randint(1, 5)))
    name = chance.choice(
        ["OWNER@", "GROUP@", "EVERYONE@", "ann@", "b.o-b@site", "x@", f"{'n' * chance.randint(1, 90)}@"]
    )
    group = name == "GROUP@" or (name not in {"OWNER@", "EVERYONE@"} and chance.random() < 0.5)
    flags = ["G"] * group + ["P"] * chance.randint(0, 2)
    if set(types) & set("UL"):
        flags += chance.choices("SF", k=chance.randint(1, 3))
    chance.shuffle(flags)
    return f"{types}:{''.join(flags)}:{name}:{''.join(chance.choices(list(PERMISSIONS), k=chance.randint(0, 12)))}"


@pytest.mark.parametrize("seed", range(20))
def test_what_is_written_is_read_back_as_the_same(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        text = any_entry(chance)
        entry = AclEntry.parse(text)
        assert AclEntry.parse(str(entry)) == entry
        assert str(AclEntry.parse(str(entry))) == str(entry)
        assert [set(part) for part in str(entry).split(":")] == [set(part) for part in text.split(":")]


@pytest.mark.parametrize("seed", range(20))
def test_damaged_entries_are_read_or_refused_with_the_status_of_daos_and_never_anything_else(seed: int) -> None:
    chance = random.Random(seed)
    outcomes = [outcome(damaged(any_entry(chance), chance)) for _ in range(100)]
    assert {status for status, _ in outcomes} == {0, Der.INVAL}
    assert all(inside for _, inside in outcomes)


def damaged(entry: str, chance: random.Random) -> str:
    letters = list(entry)
    for _ in range(chance.randint(1, 3)):
        letters[chance.randrange(len(letters))] = chance.choice("AULGSFPrwcdtTaAo:@ xé\0")
    return "".join(letters)


def outcome(text: str) -> tuple[int, bool]:
    """Return the status of an entry, and whether the place it complains about is one in the text."""
    try:
        return 0, AclEntry.parse(text).problem() == ""
    except InvalidAcl as error:
        return error.status, error.position is None or 0 <= error.position <= len(text)


@pytest.mark.parametrize("seed", range(10))
def test_lists_come_back_whatever_their_order(seed: int) -> None:
    chance = random.Random(seed)
    unique = {AclEntry.parse(text).principal: text for text in (any_entry(chance) for _ in range(12))}
    texts = list(unique.values())
    acl = AccessControlList.parse(texts)
    assert AccessControlList.parse_text(acl.to_text(verbose=True)) == acl
    chance.shuffle(texts)
    assert set(AccessControlList.parse(texts)) == set(acl)
