"""What is done to a RAM disk: every situation, and that nobody's files are ever among it."""

from pathlib import Path

import pytest

from daos_control.base.errors import Fault
from daos_control.host.storage.plan import (
    Clear,
    Found,
    MakeDirectory,
    Mark,
    Means,
    MountTmpfs,
    OccupiedError,
    Own,
    RamDisk,
    Unmount,
    enough_memory,
    needs_format,
    plan_format,
    tmpfs_options,
)

AT = Path("/mnt/daos0")
DISK = RamDisk(target=AT, size_gib=4, numa_node=1)
MOUNT = MountTmpfs(AT, 4, 1, hugepages=False)
NOTHING = Found()
EMPTY = Found(exists=True)
OCCUPIED = Found(exists=True, empty=False)
MOUNTED = Found(exists=True, mounted=True, empty=False)
MARKED = Found(exists=True, marked=True, empty=False)


@pytest.mark.parametrize(
    ("means", "found", "force", "steps"),
    [
        pytest.param(Means.TMPFS, NOTHING, False, [MakeDirectory(AT), MOUNT, Own(AT)], id="fresh host"),
        pytest.param(
            Means.TMPFS, OCCUPIED, False, [MakeDirectory(AT), MOUNT, Own(AT)], id="files end up below the mount"
        ),
        pytest.param(Means.TMPFS, MOUNTED, True, [Unmount(AT), MakeDirectory(AT), MOUNT, Own(AT)], id="again, forced"),
        pytest.param(Means.TMPFS, MARKED, False, [Clear(AT), MakeDirectory(AT), MOUNT, Own(AT)], id="after a stand-in"),
        pytest.param(Means.DIRECTORY, NOTHING, False, [MakeDirectory(AT), Mark(AT)], id="fresh stand-in"),
        pytest.param(Means.DIRECTORY, EMPTY, False, [MakeDirectory(AT), Mark(AT)], id="empty directory"),
        pytest.param(Means.DIRECTORY, MARKED, True, [Clear(AT), Mark(AT)], id="stand-in again, forced"),
    ],
)
def test_steps(means, found, force, steps):
    assert list(plan_format(DISK, found, means, force=force)) == steps


@pytest.mark.parametrize(
    ("means", "found"), [(Means.TMPFS, MOUNTED), (Means.DIRECTORY, MARKED), (Means.DIRECTORY, MOUNTED)]
)
def test_what_is_formatted_is_only_formatted_again_by_force(means, found):
    assert not needs_format(found, means)
    with pytest.raises(Fault) as refused:
        plan_format(DISK, found, means, force=False)
    assert refused.value.code == 101


@pytest.mark.parametrize("force", [False, True])
def test_files_that_no_format_made_are_never_touched(force):
    with pytest.raises(OccupiedError, match="/mnt/daos0 holds files"):
        plan_format(DISK, OCCUPIED, Means.DIRECTORY, force=force)


@pytest.mark.parametrize(
    ("disk", "code"),
    [
        pytest.param(RamDisk(target=Path(), size_gib=4), 203, id="no mount point"),
        pytest.param(RamDisk(target=AT, size_gib=0), 201, id="no size"),
    ],
)
def test_a_disk_that_cannot_be_is_refused(disk, code):
    with pytest.raises(Fault) as refused:
        plan_format(disk, NOTHING, Means.TMPFS, force=False)
    assert refused.value.code == code


def test_a_tmpfs_that_is_gone_needs_a_format_even_if_its_directory_is_there():
    assert needs_format(EMPTY, Means.TMPFS)


@pytest.mark.parametrize(
    ("numa", "hugepages", "options"),
    [
        (True, False, "mpol=prefer:1,size=4g"),
        (False, False, "size=4g"),
        (True, True, "mpol=prefer:1,size=4g,huge=always"),
    ],
)
def test_options(numa, hugepages, options):
    assert tmpfs_options(MountTmpfs(AT, 4, 1, hugepages=hugepages), numa=numa) == options


def test_disks_must_fit_into_nine_tenths_of_themselves():
    gib = 1 << 20  # in KiB
    enough_memory([4, 4], 8 * gib * 9 // 10 + 1)
    enough_memory([100], 90 * gib)  # just as much
    with pytest.raises(Fault) as refused:
        enough_memory([4, 4], 8 * gib * 9 // 10 - 1024)
    assert refused.value.code == 214
