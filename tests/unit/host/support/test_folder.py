"""A folder to collect into that is no trap."""

import os
import stat
import tarfile
from pathlib import Path

import pytest

from daos_control.host.support.folder import Folder, UnsafeFolder, archive, check_target


@pytest.mark.parametrize("path", ["/etc/daos/x", "/usr/x", "/dev/shm/x", "/proc/1/x", "/", "relative", "/tmp/../etc/x"])
def test_places_that_are_not_for_logs(path: str) -> None:
    with pytest.raises(UnsafeFolder, match="target folder"):
        check_target(Path(path))


def test_places_of_somebody_else(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFolder, match="is inside"):
        check_target(tmp_path / "daos0" / "logs", forbidden=[tmp_path / "daos0"])
    assert check_target(tmp_path / "daos01", forbidden=[tmp_path / "daos0"]) == tmp_path / "daos01"


def test_links_on_the_way_are_followed_before_the_place_is_judged(tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to("/etc")
    with pytest.raises(UnsafeFolder, match="inside /etc"):
        check_target(tmp_path / "way" / "x")


def test_a_new_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    with Folder.open_target(target) as top, top.sub("host", "Logs") as below, below.create("file") as file:
        file.write(b"text")
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert stat.S_IMODE((target / "host" / "Logs").stat().st_mode) == 0o700
    written = target / "host" / "Logs" / "file"
    assert (written.read_bytes(), stat.S_IMODE(written.stat().st_mode)) == (b"text", 0o600)


def test_a_link_in_place_of_the_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "target").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeFolder, match="a link"), Folder.open_target(tmp_path / "target"):
        pass
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_in_place_of_the_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    with pytest.raises(UnsafeFolder, match="no folder"), Folder.open_target(tmp_path / "target"):
        pass


def test_a_folder_that_everybody_may_write_in_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(UnsafeFolder, match="everybody may write"), Folder.open_target(tmp_path):
        pass


def test_links_inside_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    precious = tmp_path / "precious"
    precious.write_text("as it was")
    target = tmp_path / "target"
    target.mkdir()
    (target / "host").symlink_to(tmp_path / "elsewhere")
    (target / "file").symlink_to(precious)
    os.link(precious, target / "hard")
    with Folder.open_target(target) as top:
        with pytest.raises(OSError, match="host"), top.sub("host"):
            pass
        for name in ("file", "hard"):
            with top.create(name) as file:
                file.write(b"new")
    assert precious.read_text() == "as it was"
    assert (target / "file").read_text() == "new"


def test_an_archive_holds_files_and_folders_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "logs"
    (target / "host").mkdir(parents=True)
    (target / "host" / "file").write_text("text")
    (target / "link").symlink_to("/etc/passwd")
    os.mkfifo(target / "pipe")
    (tmp_path / "logs.tar.gz").write_text("an older one")
    packed = archive(target)
    assert packed == tmp_path / "logs.tar.gz"
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    with tarfile.open(packed) as tar:
        assert tar.getnames() == ["logs", "logs/host", "logs/host/file"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "logs.tar.gz"]


def test_an_archive_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        archive(tmp_path / "logs")
    assert not list(tmp_path.iterdir())
