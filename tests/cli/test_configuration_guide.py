"""The examples of the guide to configurations run, and print what it says; they need no system."""

import re
from pathlib import Path

import pytest

from daos_control.cli import daos_server
from daos_control.testing.sysfs import INFINIBAND, LOOPBACK, Machine

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "configuration.md"


@pytest.fixture
def copy_of_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host of the guide: two processors, each with InfiniBand and SSDs; the system is on an SSD, too."""
    monkeypatch.chdir(tmp_path)
    machine = Machine(tmp_path / "storage1", nodes=2, cores=24, threads=2)
    for node in (0, 1):
        bus = 0x10 + 0x70 * node
        bridge = machine.bridge(f"0000:{bus:02x}:02.0", node=node, secondary=bus + 1, subordinate=bus + 8)
        card = machine.pci(f"0000:{bus + 1:02x}:00.0", node=node, speed="16.0 GT/s PCIe", width=16, behind=bridge)
        machine.net(f"ib{node}", card, kind=INFINIBAND)
        machine.infiniband(f"mlx5_{node}", card)
        for number in range(4 + node):
            machine.nvme(8 * node + number, f"0000:{bus + 2 + number:02x}:00.0", node=node, behind=bridge)
    machine.net("eth0", machine.pci("0000:00:1f.6"))
    machine.partition(machine.nvme(7, "0000:01:00.0"))
    machine.virtual_net("lo", kind=LOOPBACK, state="unknown")


@pytest.mark.usefixtures("copy_of_a_host")
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    ran = 0
    for block in re.findall(r"```console\n(.*?)```", GUIDE.read_text(), re.DOTALL):
        for example in block.removeprefix("$ ").split("\n$ "):
            command, _, shown = example.partition("\n")
            program, *words = command.split()
            assert program == "daos_server"
            daos_server.run(words)
            printed = plain("".join(capsys.readouterr()))
            assert re.fullmatch(pattern(shown), printed), f"$ {command}\n{printed}\ninstead of\n{shown}"
            ran += 1
    assert ran > 5


def pattern(shown: str) -> str:
    """Return what matches the text that is shown: dots stand for anything in a line, or, alone, for any lines."""
    lines = [
        "(?s:.*)" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") for line in plain(shown).splitlines()
    ]
    return "\n".join(lines)


def plain(text: str) -> str:
    """Leave out blanks at the ends of lines, and empty lines."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
