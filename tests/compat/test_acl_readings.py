"""Three readings of access control lists agree: ours, the emulated engine's, and DAOS 2.8's own where it is installed.

They were written apart, so what they have in common is what DAOS does. Texts are made up: good ones, and damaged ones.
"""

import ctypes
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from daos_control.apps.emulator import acl as emulated
from daos_control.base.errors import DaosError
from daos_control.model.acl import AccessControlList, AclEntry, Principal

Reading = tuple[int, str, int]
"""A status, and if it is good the canonical text and the bytes that it takes."""


def text(chance: random.Random) -> str:
    """Make up an entry; half of them are damaged."""
    types = "".join(chance.choices("AUL", k=chance.randint(1, 4)))
    name = chance.choice(["OWNER@", "GROUP@", "EVERYONE@", "ann@", "b.o-b@site", "x" * chance.randint(240, 260) + "@"])
    flags = "".join(chance.choices("GSFP", k=chance.randint(0, 4)))
    permissions = "".join(chance.choices("rwcdtTaAo", k=chance.randint(0, 12)))
    letters = list(f"{types}:{flags}:{name}:{permissions}")
    for _ in range(chance.choice([0, 0, 1, 2])):
        letters[chance.randrange(len(letters))] = chance.choice("AULGSFPrwcdtTaAo:@ xé")
    return "".join(letters)


def ours(entry: str) -> Reading:
    try:
        read = AclEntry.parse(entry)
    except DaosError as error:
        return error.status, "", 0
    return 0, str(read), read.stored_bytes


def the_emulators(entry: str) -> Reading:
    try:
        read = emulated.parse_entry(entry)
    except DaosError as error:
        return error.status, "", 0
    return 0, str(read), read.encoded_bytes


def genuine() -> Callable[[str], Reading]:
    """Return the reading of DAOS's own library."""
    prefix = os.environ.get("DAOS_GENUINE")
    found = sorted(Path(prefix or "/nonexistent").glob("**/libdaos_common.so"))
    if not found:
        pytest.skip("DAOS_GENUINE names no installation of DAOS 2.8")
    library = ctypes.CDLL(str(found[0]))
    pointer = ctypes.c_void_p
    library.daos_ace_from_str.argtypes = [ctypes.c_char_p, ctypes.POINTER(pointer)]
    library.daos_ace_to_str.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t]
    library.daos_ace_get_size.argtypes = [pointer]
    library.daos_ace_get_size.restype = ctypes.c_ssize_t
    library.daos_ace_free.argtypes = [pointer]

    def read(entry: str) -> Reading:
        ace, canonical = pointer(), ctypes.create_string_buffer(1024)
        status = library.daos_ace_from_str(entry.encode(), ctypes.byref(ace))
        if status:
            return status, "", 0
        assert library.daos_ace_to_str(ace, canonical, len(canonical)) == 0
        size = library.daos_ace_get_size(ace)
        library.daos_ace_free(ace)
        return 0, canonical.value.decode(), size

    return read


@pytest.mark.parametrize("seed", range(10))
def test_the_emulated_engine_reads_entries_as_we_do(seed: int) -> None:
    chance = random.Random(seed)
    entries = [text(chance) for _ in range(300)]
    readings = {entry: ours(entry) for entry in entries}
    assert readings == {entry: the_emulators(entry) for entry in entries}
    assert len({status for status, _, _ in readings.values()}) == 2, "some are good, and some are not"


def test_daos_itself_reads_entries_as_we_do() -> None:
    theirs = genuine()
    chance = random.Random(0)
    entries = [text(chance) for _ in range(5000)]
    assert {entry: ours(entry) for entry in entries} == {entry: theirs(entry) for entry in entries}


@pytest.mark.parametrize("seed", range(10))
def test_lists_are_ordered_changed_and_limited_alike(seed: int) -> None:
    chance = random.Random(seed)
    good = [entry for entry in (text(chance) for _ in range(400)) if ours(entry)[0] == 0]
    for _ in range(50):
        current, change = chance.sample(good, 4), chance.sample(good, 2)
        subject = chance.choice(["OWNER@", "GROUP@", "EVERYONE@", "u:ann@", "g:ann@", "u:b.o-b@site", "ann@", "u:"])
        assert our_changes(current, change, subject) == the_emulators_changes(current, change, subject)


def our_changes(current: list[str], change: list[str], subject: str) -> object:
    try:
        acl = AccessControlList.parse(current).updated(AccessControlList.parse(change))
        return [str(entry) for entry in acl.without(Principal.parse(subject))]
    except DaosError as error:
        return error.status


def the_emulators_changes(current: list[str], change: list[str], subject: str) -> object:
    try:
        acl = emulated.merge(emulated.parse_list(current), emulated.parse_list(change))
        return [str(entry) for entry in emulated.without(acl, subject)]
    except DaosError as error:
        return error.status
