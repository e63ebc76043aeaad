"""``daos_server scm`` and ``nvme``: what they list, what they refuse, and in which order."""

import json
import sys

import pytest

from daos_control.cli import daos_server
from daos_control.host import nvme, pmem, processes
from daos_control.host.nvme import Controller
from daos_control.host.pmem import Namespace
from daos_control.host.processes import Process

SSD = Controller(
    pci_address="0000:81:00.0", model="M", serial="S", firmware="F", numa_node=1, namespaces=((1, 10**12),)
)


@pytest.fixture(autouse=True)
def host(monkeypatch):
    """A host with an SSD, without persistent memory, and with nobody else at it."""
    monkeypatch.setattr(nvme, "controllers", lambda: (SSD,))
    monkeypatch.setattr(pmem, "modules", lambda: ())
    monkeypatch.setattr(pmem, "namespaces", lambda: ())
    monkeypatch.setattr(processes, "others", lambda _: ())


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = daos_server.run(arguments)
        return code, *capsys.readouterr()

    return call


def test_ssds_for_people(run):
    code, out, err = run("nvme", "scan", "--ignore-config")
    assert (code, err) == (0, "")
    assert "0000:81:00.0 M     F           1      1.0 TB" in out


def test_ssds_in_json(run):
    code, out, _ = run("nvme", "scan", "--ignore-config", "-j", "--skip-prep", "--disable-vmd", "-l", "/tmp/l")
    [ssd] = json.loads(out)["response"]
    assert code == 0
    assert (ssd["pci_addr"], ssd["dev_state"], ssd["namespaces"]) == (
        "0000:81:00.0",
        "NORMAL",
        [{"id": 1, "size": 10**12}],
    )


def test_a_configuration_without_hugepages_forbids_looking_for_ssds(run, tmp_path):
    (tmp_path / "c.yml").write_text("disable_hugepages: true\n")
    code, out, err = run("nvme", "scan", "-o", str(tmp_path / "c.yml"))
    assert code == 1
    assert out == f"DAOS Server config loaded from {tmp_path / 'c.yml'}\n"
    assert "code = 107" in err


def test_no_persistent_memory(run):
    assert run("scm", "scan", "--ignore-config") == (0, "\tNo SCM modules found\n", "")
    code, out, _ = run("-j", "scm", "scan", "--ignore-config", "--socket", "1")
    assert (code, json.loads(out)) == (0, {"response": None, "error": None, "status": 0})


def test_namespaces_of_persistent_memory(run, monkeypatch):
    spaces = [
        Namespace(blockdev=f"pmem{node}", name=f"namespace{node}.0", uuid="u", numa_node=node, size=10**12)
        for node in range(2)
    ]
    monkeypatch.setattr(pmem, "namespaces", lambda: tuple(spaces))
    _, out, _ = run("scm", "scan", "--ignore-config")
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "SCM Namespace Socket Capacity",
        "------------- ------ --------",
        "pmem0 0 1.0 TB",
        "pmem1 1 1.0 TB",
    ]
    _, out, _ = run("-j", "scm", "scan", "--ignore-config", "--socket", "1")
    [space] = json.loads(out)["response"]
    assert space == {
        "uuid": "u",
        "blockdev": "pmem1",
        "dev": "namespace1.0",
        "numa_node": 1,
        "size": 10**12,
        "mount": None,
    }


def test_persistent_memory_is_not_passed_over(run, monkeypatch):
    monkeypatch.setattr(pmem, "modules", lambda: ("nmem0", "nmem1"))
    code, _, err = run("scm", "scan", "--ignore-config")
    assert code == 1
    assert "nmem0, nmem1" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["scm", "prepare", "-f", "-S", "2", "--socket", "0", "-l", "/tmp/log"],
        ["scm", "reset", "-f"],
        ["nvme", "prepare", "0000:81:00.0,0000:82:00.0", "--pci-block-list", "0000:83:00.0", "-p", "64", "-u", "me"],
        ["nvme", "prepare", "--disable-vfio"],
        ["nvme", "reset", "0000:81:00.0", "-u", "me"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_yet_says_so_and_fails(run, arguments):
    code, _, err = run(*arguments, "--ignore-config")
    assert code == 1
    assert "is not there yet" in err
    code, out, _ = run("-j", *arguments, "--ignore-config")
    assert code == 1
    assert "is not there yet" in json.loads(out)["error"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-j", "scm", "prepare"], "nobody can be asked"),
        (["-j", "scm", "reset"], "nobody can be asked"),
        (["scm", "prepare", "-f", "-S", "0"], "must be 1 or more"),
        (["scm", "prepare", "-S", "-1"], "got option `-1'"),
        (["nvme", "prepare", "a", "b"], "unexpected arguments"),
        (["nvme", "reset", "-o", "/nowhere.yml"], "/nowhere.yml: there is no such file"),
    ],
    ids=str,
)
def test_refusals(run, arguments, complaint):
    code, _, err = run(*arguments)
    assert code == 1
    assert complaint in err


def test_nothing_is_changed_beside_a_running_server(run, monkeypatch):
    other = Process(pid=77, uid=0, words=("/usr/bin/daos_server", "start"))
    monkeypatch.setattr(processes, "others", lambda _: (other,))
    code, _, err = run("nvme", "prepare", "--ignore-config")
    assert code == 1
    assert "another daos_server (pid 77)" in err


@pytest.mark.parametrize("answer", ["no\n", "", "maybe\nno\n"])
def test_who_does_not_want_it_is_not_made_to(run, monkeypatch, answer):
    class Person:
        lines = iter(answer.splitlines(keepends=True))

        def readline(self):
            return next(self.lines, "")

    monkeypatch.setattr(sys, "stdin", Person())
    code, out, err = run("scm", "reset", "--ignore-config")
    assert code == 1
    assert "(yes/no)" in out
    assert "not wanted" in err
