"""The kernel's mount table."""

import os
from pathlib import Path

import pytest

from daos_control.host.mounts import Mount, MountError, mounted_at, parse_mountinfo, space, unmount


def test_lines_are_read_with_their_escapes():
    text = (
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "36 22 0:32 / /mnt/a\\040b rw,noatime shared:1 master:2 - tmpfs tmpfs rw,size=4g\n"
        "nonsense\n"
    )
    assert parse_mountinfo(text) == [Mount("/", "ext4"), Mount("/mnt/a b", "tmpfs")]


def test_only_the_very_place_counts(tmp_path):
    assert mounted_at(Path("/proc")) == Mount("/proc", "proc")
    assert mounted_at(tmp_path) is None
    assert mounted_at(tmp_path / "absent") is None


def test_a_refused_unmount_says_what_was_tried(tmp_path):
    with pytest.raises(MountError, match=f"umount2 {tmp_path}"):
        unmount(tmp_path)


def test_space_is_that_of_the_file_system(tmp_path):
    assert space(tmp_path).total_bytes == os.statvfs(tmp_path).f_frsize * os.statvfs(tmp_path).f_blocks
