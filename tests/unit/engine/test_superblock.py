"""Superblocks: read what genuine servers wrote, never leave a part, never trust nonsense."""

import dataclasses
import stat

import pytest

from daos_control.engine import superblock
from daos_control.engine.superblock import Superblock, SuperblockError

GENUINE = """\
version: 1
uuid: f54b93d8-072a-48c4-b560-5bc43e452fb2
system: daos_server
rank: 0
uri: ofi+tcp://127.0.0.1:31416
validrank: true
hostfaultdomain: /storage1
incarnation: 2975003209876897792
"""


def test_a_genuine_superblock_is_written_back_byte_for_byte():
    assert superblock.decode(GENUINE).encode() == GENUINE


def test_a_new_one_has_no_rank_and_survives_a_round_trip():
    fresh = Superblock.new(system="", fault_domain="/h1")
    assert (fresh.system, fresh.rank, fresh.joined_rank) == ("daos_engine", None, None)
    assert superblock.decode(fresh.encode()) == fresh


def test_a_rank_that_was_never_granted_does_not_count():
    assert dataclasses.replace(superblock.decode(GENUINE), validrank=False).joined_rank is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty file"),
        pytest.param("a: [", id="not YAML"),
        pytest.param(GENUINE[:40], id="cut off"),
        pytest.param(GENUINE.replace("rank: 0", "rank: 4294967295"), id="the number that means no rank"),
        pytest.param(GENUINE.replace("rank: 0", "rank: zero"), id="a rank in words"),
        pytest.param(GENUINE.replace("version: 1", "version: 2"), id="a later version"),
        pytest.param(GENUINE.replace("version: 1", "version: true"), id="a version that is none"),
        pytest.param(GENUINE + "more: 1\n", id="a key nobody knows"),
    ],
)
def test_damage_is_told_with_the_file_and_a_way_out(tmp_path, text):
    (tmp_path / "superblock").write_text(text)
    with pytest.raises(SuperblockError, match=r"(?s)superblock .*/superblock is damaged .* format the storage anew"):
        superblock.read(tmp_path / "superblock")


def test_writing_replaces_the_whole_file_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "superblock"
    path.write_text("old")
    superblock.write(path, superblock.decode(GENUINE))
    assert path.read_text() == GENUINE
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert [entry.name for entry in tmp_path.iterdir()] == ["superblock"]


def test_a_vanished_mount_is_an_error_with_the_path(tmp_path):
    with pytest.raises(SuperblockError, match=r"cannot write superblock .*gone/superblock"):
        superblock.write(tmp_path / "gone" / "superblock", superblock.decode(GENUINE))


def test_no_superblock_is_no_error(tmp_path):
    assert superblock.read(tmp_path / "superblock") is None
    superblock.retire(tmp_path / "superblock")
    assert not superblock.is_retired(tmp_path / "superblock")


def test_a_retired_identity_is_remembered_until_there_is_a_new_one(tmp_path):
    path = tmp_path / "superblock"
    superblock.write(path, superblock.Superblock.new(system="s", fault_domain="/h"))
    superblock.retire(path)
    assert superblock.read(path) is None
    assert superblock.is_retired(path)
    superblock.retire(path)
    assert superblock.is_retired(path), "once more changes nothing"
    superblock.write(path, superblock.Superblock.new(system="s", fault_domain="/h"))
    assert not superblock.is_retired(path)
