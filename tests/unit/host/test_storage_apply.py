"""Plans carried out on a real directory, without any privilege."""

import os
from pathlib import Path

import pytest

from daos_control.host.storage.apply import StorageError, apply, clear_out, look, usage
from daos_control.host.storage.plan import MARKER, Found, Means, RamDisk, plan_format

ME = {"uid": os.geteuid(), "gid": os.getegid()}


def test_a_stand_in_is_made_used_and_made_anew(tmp_path):
    disk = RamDisk(target=tmp_path / "a" / "daos0", size_gib=4)
    assert look(disk.target) == Found()
    apply(plan_format(disk, look(disk.target), Means.DIRECTORY, force=False), **ME)
    assert look(disk.target) == Found(exists=True, marked=True, empty=False)
    (disk.target / "pool").mkdir()
    (disk.target / "pool" / "vos-0").write_text("data")
    (disk.target / "link").symlink_to(tmp_path)
    apply(plan_format(disk, look(disk.target), Means.DIRECTORY, force=True), **ME)
    assert [entry.name for entry in disk.target.iterdir()] == [MARKER]
    assert tmp_path.is_dir(), "a link is removed, not what it points to"


def test_a_disk_is_cleared_out_and_stays_formatted(tmp_path):
    for name in (MARKER, "last", "file"):
        (tmp_path / name).write_text("")
    (tmp_path / "pool" / "deep").mkdir(parents=True)
    clear_out(tmp_path, last="last")
    assert [entry.name for entry in tmp_path.iterdir()] == [MARKER]
    clear_out(tmp_path, last="last")
    with pytest.raises(StorageError, match="cannot clear"):
        clear_out(tmp_path / "missing", last="last")


def test_usage_of_a_stand_in_is_of_the_configured_size(tmp_path):
    disk = RamDisk(target=tmp_path, size_gib=4)
    (tmp_path / "file").write_bytes(os.urandom(1 << 20))
    space = usage(disk)
    assert space.total_bytes == 4 << 30
    assert space.available_bytes <= (4 << 30) - (1 << 20)


def test_usage_counts_what_files_are_to_hold(tmp_path):
    """A pool of an emulated engine takes no memory, and its space is given away all the same."""
    disk = RamDisk(target=tmp_path, size_gib=4)
    before = usage(disk).available_bytes
    (tmp_path / "pool").mkdir()
    with (tmp_path / "pool" / "vos-0").open("wb") as file:
        file.truncate((4 << 30) - (64 << 20))
    assert usage(disk).available_bytes <= min(before, 64 << 20)


def test_what_fails_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    disk = RamDisk(target=tmp_path / "file" / "daos0", size_gib=4)
    with pytest.raises(StorageError, match="file/daos0"):
        apply(plan_format(disk, Found(), Means.DIRECTORY, force=False), **ME)


def test_a_mount_point_is_recognised():
    assert look(Path("/proc")).mounted
