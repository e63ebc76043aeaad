"""The privileged helper, as far as it goes without privileges."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from daos_control.apps.helper.main import StrangerError, handle, refuse_strangers
from daos_control.host.helper.protocol import Request
from daos_control.host.storage.payloads import format_payload
from daos_control.host.storage.plan import RamDisk


@pytest.fixture
def proc(tmp_path):
    def process(program, *words):
        folder = tmp_path / "42"
        folder.mkdir()
        (folder / "exe").symlink_to(program)
        (folder / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
        return tmp_path

    return process


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(["/usr/bin/daos_server", "daos_server", "start"], id="the original program"),
        pytest.param(["/usr/bin/python3.11", "python3", "/usr/bin/daos_server", "start"], id="ours"),
    ],
)
def test_its_parent_may_start_it(proc, parent):
    refuse_strangers(42, proc(*parent))


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(["/bin/bash", "bash", "/usr/bin/daos_server"], id="a shell"),
        pytest.param(["/usr/bin/python3.11", "python3", "/tmp/daos_serverish"], id="another script"),
        pytest.param(["/usr/bin/python3.11", "python3"], id="a bare interpreter"),
    ],
)
def test_nobody_else_may(proc, parent):
    with pytest.raises(StrangerError, match="only daos_server may start this"):
        refuse_strangers(42, proc(*parent))


def test_started_by_hand_it_says_so_and_does_nothing():
    program = Path(sys.executable).with_name("daos_server_helper")
    done = subprocess.run([program], input=b'{"Method":"Ping"}', capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"only daos_server may start this" in done.stderr


def test_ping():
    assert handle(Request("Ping")).payload == {"Version": "2.8.0", "AppName": "daos_server_helper"}


def test_a_check_tells_what_is_there(tmp_path):
    payload = format_payload(RamDisk(target=tmp_path, size_gib=4), force=False, uid=0, gid=0)
    assert handle(Request("ScmCheckFormat", payload)).payload == {
        "Mountpoint": str(tmp_path),
        "Formatted": False,
        "Mounted": False,
        "Mountable": False,
    }


@pytest.mark.parametrize(
    ("method", "payload", "code"),
    [
        pytest.param("ScmPrepare", {}, 5, id="a method that comes later"),
        pytest.param("ScmFormat", {"Mountpoint": "/mnt/daos0"}, 205, id="neither RAM nor persistent memory"),
        pytest.param("ScmFormat", {"Ramdisk": {"Size": 4}}, 203, id="no mount point"),
        pytest.param("ScmFormat", {"Ramdisk": {"Size": 4}, "Dcpm": {"Device": "/dev/pmem0"}}, 206, id="both"),
        pytest.param("ScmFormat", {"Ramdisk": {"Size": 4}, "Mountpoint": "relative"}, 5, id="no absolute path"),
        pytest.param("ScmFormat", {"Ramdisk": {"Size": "4"}, "Mountpoint": "/mnt/daos0"}, 5, id="a size in words"),
        pytest.param("ScmFormat", {"Ramdisk": {"Size": 0}, "Mountpoint": "/mnt/daos0"}, 201, id="no size"),
        pytest.param("ScmUnmount", {"Target": ""}, 5, id="nothing to unmount"),
    ],
)
def test_what_makes_no_sense_is_answered_with_a_fault(method, payload, code):
    response = handle(Request(method, payload))
    assert response.payload is None
    document = json.loads(response.encode())
    assert document["Error"]["Code"] == code
    assert set(document["Error"]) == {"Domain", "Code", "Description", "Reason", "Resolution"}
