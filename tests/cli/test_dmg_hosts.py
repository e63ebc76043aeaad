"""Commands that go to hosts, where these have nothing to show or fail: the words and places of DAOS 2.8."""

import pytest

from daos_control.base.errors import Uninitialized
from daos_control.cli import flags
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.dmg.session import Output, Session
from daos_control.client.daos import DaosClient
from daos_control.net.rpc.status import Code, StatusError
from daos_control.testing.answers import Answers
from daos_control.wire.pb.ctl import smd_pb2, storage_pb2


async def run(line: str, host: Answers) -> Output:
    parsed = flags.parse(PROGRAM, line.split())
    command = flags.load(parsed.command.run).__wrapped__  # the coroutine, without configuration and printing
    output: Output = await command(Session(DaosClient(host, ["a"]), json=False), parsed.values)
    return output


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("storage scan -v", "HugePage Size: 0 KB\n\n  No SCM modules found\n\n  No NVMe devices found\n\n"),
        ("storage scan -n", "  No NVMe devices detected\n"),
        ("storage query list-devices", "  No devices found\n"),
        ("storage query list-pools", "  No pools with NVMe found\n"),
    ],
)
async def test_hosts_that_have_nothing_say_so(line: str, words: str) -> None:
    host = Answers(StorageScan=storage_pb2.StorageScanResp(), SmdQuery=smd_pb2.SmdQueryResp())
    assert (await run(line, host)).text == f"-\na\n-\n{words}"


async def test_nothing_was_formatted() -> None:
    host = Answers(SystemQuery=Uninitialized(), StorageFormat=storage_pb2.StorageFormatResp())
    text = (await run("storage format --verbose", host)).text
    assert "  No SCM mount results\n" in text
    assert "  No NVMe devices were formatted\n" in text


@pytest.mark.parametrize("line", ["firmware query", "network scan"])
async def test_errors_of_looking_around_are_among_what_was_found(line: str) -> None:
    refused = StatusError(Code.UNKNOWN, "not supported here")
    found = await run(line, Answers(FirmwareQuery=refused, NetworkScan=refused))
    assert found.text.startswith("Errors:\n  Hosts Error")
    assert "  a     not supported here" in found.text
    assert found.error_text == ""
    assert str(found.problem) == "1 host had errors"
