"""``daos_server scm`` and ``nvme``: what they list, and what they refuse."""

import json

import pytest

from daos_control.cli import daos_server
from daos_control.host import nvme, pmem
from daos_control.host.nvme import Controller
from daos_control.host.pmem import Namespace

SSD = Controller(
    pci_address="0000:81:00.0", model="M", serial="S", firmware="F", numa_node=1, namespaces=((1, 10**12),)
)


@pytest.fixture(autouse=True)
def host(monkeypatch):
    """A host with an SSD and without persistent memory."""
    monkeypatch.setattr(nvme, "controllers", lambda: (SSD,))
    monkeypatch.setattr(pmem, "modules", lambda: ())
    monkeypatch.setattr(pmem, "namespaces", lambda: ())


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
        (["scm", "prepare", "-f", "-S", "0"], "must be 1 or more"),
        (["scm", "prepare", "-S", "-1"], "got option `-1'"),
        (["nvme", "prepare", "a", "b"], "unexpected arguments"),
        (["nvme", "scan", "-o", "/nowhere.yml"], "/nowhere.yml: there is no such file"),
    ],
    ids=str,
)
def test_refusals(run, arguments, complaint):
    code, _, err = run(*arguments)
    assert code == 1
    assert complaint in err


def test_nobody_is_asked_to_agree_to_what_will_not_be_done(run):
    for verb in ("prepare", "reset"):
        code, out, err = run("scm", verb)
        assert (code, out) == (1, "")
        assert f"scm {verb} is not there yet; use " in err
