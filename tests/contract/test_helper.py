"""The helper's language: our client against programs that speak it well, badly or not at all, and our helper itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daos_control.base.errors import Fault
from daos_control.base.version import DAOS_VERSION
from daos_control.host.helper.client import Helper, HelperVersionError
from daos_control.host.helper.protocol import (
    MAX_MESSAGE,
    ProtocolError,
    Request,
    Response,
    decode_request,
    decode_response,
)
from daos_control.host.storage.plan import RamDisk
from daos_control.host.storage.scm import ByHelper


@pytest.fixture
def helper(tmp_path):
    def speaking(script):
        path = tmp_path / "daos_server_helper"
        path.write_text(f"#!{sys.executable}\nimport json, os, sys\nrequest = json.load(sys.stdin)\n{script}\n")
        path.chmod(0o755)
        return Helper(path, log_file="/var/log/helper.log")

    return speaking


def answer(payload="None", error="None"):
    return f"print(json.dumps({{'Error': {error}, 'Payload': {payload}}}))"


async def test_a_request_goes_out_as_genuine_helpers_read_it(helper):
    echo = helper(answer("{'request': request, 'log': os.environ['DAOS_HELPER_LOG_FILE'], 'path': os.environ['PATH']}"))
    heard = await echo.ask("ScmFormat", {"Forwarded": True, "Force": False})
    assert heard["request"] == {"Method": "ScmFormat", "Payload": {"Forwarded": True, "Force": False}}
    assert heard["log"] == "/var/log/helper.log"
    assert heard["path"].endswith(":/sbin:/usr/sbin")


async def test_its_fault_is_ours(helper):
    fault = "{'Domain': 'scm', 'Code': '101', 'Description': 'd', 'Reason': '', 'Resolution': 'r'}"
    with pytest.raises(Fault) as raised:
        await helper(answer(error=fault) + "; sys.exit(1)").ask("ScmFormat")
    assert (raised.value.domain, raised.value.code, raised.value.resolution) == ("scm", 101, "r")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        pytest.param("sys.exit(3)", "ended with 3 and did not answer Ping", id="silence"),
        pytest.param(
            answer("{}") + "; sys.exit(1)", "answered Ping but ended with 1", id="an answer, and yet an error"
        ),
    ],
)
async def test_failures_without_a_fault(helper, script, problem):
    with pytest.raises(Fault, match=problem) as raised:
        await helper(script).ask("Ping")
    assert raised.value.code == 5


async def test_nonsense_is_an_error(helper):
    with pytest.raises(ProtocolError):
        await helper("print('hello')").ask("Ping")


async def test_a_helper_of_another_release_is_refused(helper):
    await helper(answer(f"{{'Version': '{DAOS_VERSION}', 'AppName': 'x'}}")).check()
    with pytest.raises(HelperVersionError, match="install one release of both"):
        await helper(answer("{'Version': '2.6.0', 'AppName': 'x'}")).check()


async def test_no_helper_is_fault_4(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Fault) as missing:
        Helper.find(tmp_path)
    assert missing.value.code == 4


def test_an_answer_may_stand_in_the_middle_of_noise():
    noisy = b"libfabric says hi\n" + Response({"Version": "2.8.0"}).encode() + b"\n"
    assert decode_response(noisy) == Response({"Version": "2.8.0"})


@pytest.mark.parametrize(
    "message", [b"", b"[]", b"{", b'{"Method": 1}', b'{"Method": "Ping", "Payload": 3}', b" " * (MAX_MESSAGE + 1)]
)
def test_requests_that_are_none(message):
    with pytest.raises(ProtocolError):
        decode_request(message)


def test_requests_survive_the_trip():
    request = Request("ScmFormat", {"Mountpoint": "/mnt/daos0"})
    assert decode_request(request.encode()) == request


NAMED_DAOS_SERVER = """
import asyncio, json, sys
from pathlib import Path
from daos_control.host.helper.client import Helper
from daos_control.host.storage.plan import RamDisk
from daos_control.host.storage.scm import ByHelper

async def main():
    helper = Helper(Path(sys.argv[1]))
    await helper.check()
    maker, disk = ByHelper(helper), RamDisk(target=Path(sys.argv[2]), size_gib=4)
    seen = [(await maker.look(disk)).mounted]
    await maker.format(disk, force=False)
    seen.append((await maker.look(disk)).mounted)
    await maker.format(disk, force=True)
    print(json.dumps([seen, Path("/proc/self/mounts").read_text()]))

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounting needs root")
def test_our_helper_mounts_for_our_server(tmp_path):
    server = tmp_path / "daos_server"
    server.write_text(NAMED_DAOS_SERVER)
    program = Path(sys.executable).with_name("daos_server_helper")
    private = ["unshare", "--mount", "--propagation", "private"]
    done = subprocess.run(
        [*private, sys.executable, server, program, tmp_path / "daos0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen, mounts = json.loads(done.stdout)
    assert seen == [False, True]
    assert mounts.count(f"{tmp_path}/daos0 tmpfs rw,noatime") == 1


async def test_what_the_helper_refuses_reaches_the_caller(helper, tmp_path):
    fault = "{'Domain': 'scm', 'Code': 101, 'Description': 'formatted', 'Reason': '', 'Resolution': ''}"
    maker = ByHelper(helper(answer(error=fault)))
    with pytest.raises(Fault, match="formatted"):
        await maker.format(RamDisk(target=tmp_path, size_gib=4), force=False)
