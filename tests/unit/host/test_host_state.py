"""Small readers of the host's state, each on a tree of files."""

import fcntl
import os
from pathlib import Path

import pytest

from daos_control.host import clock, hugepages, iommu, limits, locks, nvme, places, pmem
from daos_control.host.processes import Process

LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 524288               files     
Max locked memory         8388608              unlimited            bytes     
"""


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("always [madvise] never\n", "madvise"),
        ("[always] madvise never\n", "always"),
        ("always madvise [never]", "never"),
    ],
)
def test_transparent_hugepages(tmp_path, text, mode):
    write(tmp_path / "sys/kernel/mm/transparent_hugepage/enabled", text)
    assert hugepages.transparent(tmp_path) == mode


def test_a_kernel_without_transparent_hugepages(tmp_path):
    assert hugepages.transparent(tmp_path) == ""


def test_files_of_huge_pages_are_abandoned_when_their_process_is_gone(tmp_path):
    for name in ("spdk_pid7map_0", "spdk_pid8map_0", "rtemap_1"):
        write(tmp_path / "dev/hugepages" / name)
    (tmp_path / "proc/8").mkdir(parents=True)
    assert [path.name for path in hugepages.abandoned_files(tmp_path)] == ["spdk_pid7map_0"]


def test_limits(tmp_path):
    write(tmp_path / "proc/self/limits", LIMITS)
    assert limits.limits_of(root=tmp_path) == limits.Limits(open_files=524288, locked_bytes=limits.UNLIMITED)


def test_our_own_limits_can_be_read():
    assert limits.limits_of().open_files != 0


def test_the_holder_of_a_lock_is_found_without_touching_it(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as file:
        assert locks.holder(path) is None
        fcntl.flock(file, fcntl.LOCK_EX)
        assert locks.holder(path) == os.getpid()
    assert locks.holder(path) is None
    with pytest.raises(FileNotFoundError):
        locks.holder(tmp_path / "absent")


def test_file_systems_that_show_two_devices_for_one_file(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    write(tmp_path / "proc/locks", f"1: FLOCK  ADVISORY  WRITE 77 ff:ff:{path.stat().st_ino} 0 EOF\n2: POSIX x\n")
    assert locks.holder(path, tmp_path) == 77


def test_drivers_of_ssds(tmp_path):
    devices = tmp_path / "sys/bus/pci/devices"
    write(devices / "0000:81:00.0" / "class", "0x010802\n")
    write(devices / "0000:82:00.0" / "class", "0x010802\n")
    (tmp_path / "sys/bus/pci/drivers/vfio-pci").mkdir(parents=True)
    (devices / "0000:82:00.0" / "driver").symlink_to("../../drivers/vfio-pci")
    assert [(str(one.address), one.driver) for one in nvme.drives(tmp_path)] == [
        ("0000:81:00.0", ""),
        ("0000:82:00.0", "vfio-pci"),
    ]


def test_iommu_and_vfio(tmp_path):
    assert (iommu.has_iommu(tmp_path), iommu.has_vfio(tmp_path)) == (False, False)
    (tmp_path / "sys/class/iommu").mkdir(parents=True)
    assert not iommu.has_iommu(tmp_path)
    (tmp_path / "sys/class/iommu/dmar0").mkdir()
    (tmp_path / "sys/module/vfio_pci").mkdir(parents=True)
    assert (iommu.has_iommu(tmp_path), iommu.has_vfio(tmp_path)) == (True, True)


def test_persistent_memory(tmp_path):
    for name in ("nmem1", "nmem0", "region0"):
        (tmp_path / "sys/bus/nd/devices" / name).mkdir(parents=True)
    assert pmem.modules(tmp_path) == ("nmem0", "nmem1")


def test_the_kernel_tells_about_its_clock():
    assert clock.kernel_clock().most_error_s >= 0


def test_programs_that_keep_the_clock():
    running = [Process(pid=1, uid=0, words=(word,)) for word in ("/usr/sbin/chronyd", "/sbin/init")]
    assert clock.time_daemons(running) == ("chronyd",)


def test_places(tmp_path):
    (tmp_path / "file").write_text("")
    here = places.look_at(tmp_path)
    assert (here.exists, here.is_folder, here.is_writable) == (True, True, True)
    file = places.look_at(tmp_path / "file")
    assert (file.exists, file.is_folder, file.is_writable) == (True, False, True)
    absent = places.look_at(tmp_path / "a" / "b")
    assert (absent.exists, absent.parent, absent.can_be_made) == (False, tmp_path, True)
    inside_a_file = places.look_at(tmp_path / "file" / "b")
    assert (inside_a_file.exists, inside_a_file.can_be_made) == (False, False)
