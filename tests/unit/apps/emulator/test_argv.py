"""daos_engine's command line."""

from pathlib import Path

import pytest

from daos_control.apps.emulator.argv import HelpRequested, UsageError, parse


def test_the_line_daos_server_writes() -> None:
    line = (
        "-t 42 -x 1 -g daos_server -d /run/daos -T 2 -n /mnt/daos0/daos_nvme.conf -b "
        "-p 1 -I 3 -r 1024 -H 2 -C -s /mnt/daos0"
    )
    found = parse(line.split())
    assert (found.targets, found.helpers, found.group, found.socket_dir) == (42, 1, "daos_server", Path("/run/daos"))
    assert (found.nvme_config, found.numa_node, found.instance) == (Path("/mnt/daos0/daos_nvme.conf"), 1, 3)
    assert found.check_mode
    assert found.bypass_health
    assert found.storage == Path("/mnt/daos0")
    assert found.ignored == ("-r 1024", "-H 2")


@pytest.mark.parametrize(("targets", "helpers", "contexts"), [(1, 0, 3), (2, 0, 4), (4, 2, 8), (2, 7, 6)], ids=str)
def test_contexts(targets: int, helpers: int, contexts: int) -> None:
    assert parse(["-t", str(targets), "-x", str(helpers)]).contexts == contexts


def test_long_options_and_other_number_bases() -> None:
    found = parse(["--targets=0x10", "--socket_dir", "/d", "--instance_idx=2"])
    assert (found.targets, found.socket_dir, found.instance) == (16, Path("/d"), 2)


@pytest.mark.parametrize(
    "line",
    [
        "-S secondary",
        "-t many",
        "-t 0",
        "-T 0",
        "-T 5",
        "-I -1",
        "-g a_name_of_sixteen",
        "-t",
        f"-m {'m' * 65}",
        "-r lots",
    ],
)
def test_refused(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line.split())


def test_help_is_not_an_error() -> None:
    with pytest.raises(HelpRequested):
        parse(["-t", "2", "-h"])
