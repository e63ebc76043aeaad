"""Files are replaced whole, or not at all."""

import stat
from pathlib import Path

import pytest

from daos_control.base.durable import replace_file, sync_folder


def test_a_file_takes_the_place_of_another_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "superblock"
    replace_file(path, b"old", mode=0o640)
    replace_file(path, b"new", mode=0o660)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_beside_it_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "superblock"
    replace_file(path, b"old")
    (tmp_path / "superblock.staging").write_bytes(b"a part of what was longer")
    assert path.read_bytes() == b"old"
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_where_there_is_no_folder_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "absent" / "file", b"new")
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "absent")
