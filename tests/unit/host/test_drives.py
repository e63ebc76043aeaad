"""Which SSDs and which persistent memory engines can have."""

import pytest

from daos_control.host import nvme, pmem
from daos_control.testing.sysfs import NVME_CLASS, Machine


def test_drives_are_found_whoever_drives_them(tmp_path):
    machine = Machine(tmp_path, nodes=2)
    machine.nvme(0, "0000:82:00.0", node=1)
    machine.pci("0000:81:00.0", kind=NVME_CLASS)  # bound to a driver of user space: no block device
    machine.pci("0000:01:00.0")
    assert [(str(drive.address), drive.numa_node, drive.in_use) for drive in nvme.drives(tmp_path)] == [
        ("0000:81:00.0", 0, ""),
        ("0000:82:00.0", 1, ""),
    ]
    assert [controller.pci_address for controller in nvme.controllers(tmp_path)] == ["0000:82:00.0"]


def test_a_drive_behind_a_vmd_is_named_as_daos_names_it(tmp_path):
    machine = Machine(tmp_path)
    vmd = machine.pci("0000:5d:05.5", kind="0x010400")
    machine.nvme(3, "10000:01:00.0", behind=vmd)
    (drive,) = nvme.drives(tmp_path)
    assert str(drive.address) == "5d0505:01:00.0"


@pytest.mark.parametrize(
    ("path", "text", "use"),
    [
        ("proc/mounts", "/dev/nvme0n1 /srv ext4 rw 0 0", "nvme0n1 is mounted at /srv"),
        ("proc/mounts", "/dev/nvme0n1p2 / ext4 rw 0 0", "nvme0n1 is mounted at /"),
        ("proc/swaps", "Filename Type\n/dev/nvme0n1 partition 1 0 -2", "nvme0n1 is swap space"),
        ("run/udev/data/b259:1", "E:ID_FS_TYPE=xfs", "nvme0n1 has a file system or a table of partitions"),
        ("run/udev/data/b259:1", "E:ID_PART_TABLE_TYPE=gpt", "nvme0n1 has a file system or a table of partitions"),
        ("proc/mounts", "/dev/sda1 / ext4 rw 0 0", ""),
    ],
)
def test_a_drive_that_the_host_needs_says_what_for(tmp_path, path, text, use):
    machine = Machine(tmp_path)
    machine.nvme(0, "0000:82:00.0")
    machine.write(path, text)
    assert [drive.in_use for drive in nvme.drives(tmp_path)] == [use]


def test_a_divided_drive_is_in_use_and_so_is_a_part_of_something(tmp_path):
    machine = Machine(tmp_path)
    machine.partition(machine.nvme(0, "0000:82:00.0"))
    block = machine.nvme(1, "0000:83:00.0")
    (block / "holders/dm-0").mkdir(parents=True)
    assert [drive.in_use for drive in nvme.drives(tmp_path)] == ["nvme0n1 has partitions", "nvme1n1 is part of dm-0"]


def test_a_namespace_with_several_paths_is_known_by_its_own_name(tmp_path):
    machine = Machine(tmp_path)
    machine.nvme(0, "0000:82:00.0")
    controller = tmp_path / "sys/bus/pci/devices/0000:82:00.0/nvme/nvme0"
    (controller / "nvme0n1").rename(controller / "nvme0c0n1")
    machine.write("proc/mounts", "/dev/nvme0n1 /srv ext4 rw 0 0")
    assert [drive.in_use for drive in nvme.drives(tmp_path)] == ["nvme0n1 is mounted at /srv"]


def test_persistent_memory(tmp_path):
    machine = Machine(tmp_path, nodes=2)
    machine.pmem(0, node=0, size=1 << 30)
    machine.pmem(1, node=1)
    first, second = pmem.namespaces(tmp_path)
    assert first == pmem.Namespace(
        blockdev="pmem0",
        name="namespace0.0",
        uuid="5c000000-cccc-4ccc-8ccc-000000000000",
        numa_node=0,
        size=1 << 30,
    )
    assert (second.blockdev, second.numa_node) == ("pmem1", 1)
    assert pmem.namespaces(tmp_path / "nowhere") == ()
