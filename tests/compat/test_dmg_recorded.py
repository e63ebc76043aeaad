"""dmg against recorded conversations of DAOS 2.8's dmg: the same requests, documents, tables and failures.

Everything but the transport is real: recorded replies are decoded, the requests we make are compared by their fields.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.message import Message

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.cli import flags
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.dmg.session import Output, Session
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.envelope import envelope
from daos_control.client.daos import DaosClient
from daos_control.config.control import ControlConfig
from daos_control.net.rpc.methods import Method, find
from daos_control.net.rpc.status import Status, from_status

CASES = Path("cases")

ELSEWHERE = ("bad-config-path", "version", "no-config-default", "telemetry-")
"""Cases about what happens before there is a client, or over plain HTTP: tests/cli has them."""
OUR_WORDS = ("pool-delete-acl-nonexist",)
"""Documents that the session adds."""
SAME_TABLE = ("system-query", "system-stop", "system-start", "system-drain", "system-reint", "pool-list", "list-pools",
              "pool-query", "storage-scan", "storage-format", "storage-list-dev", "storage-led", "network-scan",
              "storage-query-usage", "pool-get-prop", "pool-get-acl-verbose", "system-leader", "check-",
              "firmware-query", "firmware-update-scm")  # fmt: skip
"""Cases whose text scripts take apart, or that are worth keeping: printed exactly as by DAOS 2.8."""
NICER = ("check-query", "network-scan-provider", "query-list-pools", "pool-get-acl-outfile")


class Recording:
    """Answers requests with what was recorded for the same request, and remembers what was asked."""

    def __init__(self, rpcs: list[dict[str, Any]], unstable: dict[str, list[int]]) -> None:
        self.rpcs = rpcs
        self.unstable = unstable
        self.asked: set[tuple[str, str]] = set()
        self.used: set[int] = set()

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None: ...

    async def call(self, address: str, method: Method, request: Message, *, timeout_s: float | None = None) -> Message:
        asked = (method.path, self.stable(method.path, request))
        ranked = [
            (
                self.stable(method.path, self.request(rpc)) != asked[1],
                f"{rpc['host']}:10001" != address,
                n in self.used,
                n,
            )
            for n, rpc in enumerate(self.rpcs)
            if rpc["method"] == method.path
        ]
        if address.partition(":")[0] not in {rpc["host"] for rpc in self.rpcs if rpc["method"] == method.path}:
            raise FaultCode.CLIENT_CONNECTION_REFUSED.fault(address=address)
        self.asked.add(asked)
        number = min(ranked)[3]
        self.used.add(number)
        rpc = self.rpcs[number]
        if rpc["code"]:
            details = bytes.fromhex(rpc.get("details_hex") or "")
            raise from_status(Status(rpc["code"], rpc.get("message", ""), details), address=address)
        return method.reply.FromString(bytes.fromhex(rpc["response_hex"]))

    async def aclose(self) -> None: ...

    def request(self, rpc: dict[str, Any]) -> Message:
        method = find(rpc["method"])
        assert method is not None
        return method.request.FromString(bytes.fromhex(rpc["request_hex"]))

    def stable(self, path: str, request: Message) -> str:
        """Spell a request, without the fields that every client makes up anew."""
        copy = type(request)()
        copy.CopyFrom(request)
        for number in self.unstable.get(path, ()):
            copy.ClearField(type(request).DESCRIPTOR.fields_by_number[number].name)  # type: ignore[arg-type]
        return copy.SerializeToString(deterministic=True).hex()

    def expected(self) -> set[tuple[str, str]]:
        return {(rpc["method"], self.stable(rpc["method"], self.request(rpc))) for rpc in self.rpcs}


def cases(recordings: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((recordings / CASES).glob("*.json")):
        name = path.stem.partition("-")[2]
        if not name.startswith(ELSEWHERE):
            yield path.stem, json.loads(path.read_text())


async def replay(
    case: dict[str, Any], run: dict[str, Any], folder: Path
) -> tuple[Output, DaosControlError | None, Recording]:
    for name, text in (case.get("files") or {}).items():
        (folder / name).write_text(text)
    config = folder / "daos_control.yml"
    config.write_text(case["config"] or "")
    argv = [arg.replace("@CONFIG@", str(config)).replace("@DIR@", str(folder)) for arg in run["argv"][1:]]
    recording = Recording(run["rpcs"], case.get("unstable_fields", {}))
    parsed = flags.parse(PROGRAM, argv)
    settings = ControlConfig.load(config)
    hosts = parsed.values.host_list or ([parsed.values.host] if "host" in parsed.values else settings.hostlist)
    daos = DaosClient(recording, hosts, system=settings.name)
    command = flags.load(parsed.command.run).__wrapped__  # the coroutine, without event loop and printing
    output, error = Output(), None
    try:
        output = await command(Session(daos, json=parsed.values.json), parsed.values)
        error = output.problem
    except DaosControlError as raised:
        error = raised
    return output, error, recording


def normal(text: str) -> Any:
    """Read an envelope; the wording of an error is ours, that there is one is not."""
    read = json.loads(text)
    read["error"] = bool(read["error"])
    return read


async def test_requests_documents_and_failures_are_those_recorded(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)  # root asked, and makes pools for itself
    monkeypatch.setattr(os, "getegid", lambda: 0)
    wrong, count = {}, 0
    for name, case in cases(recordings):
        try:
            output, error, recording = await replay(case, case["json"], tmp_path)
        except flags.UsageError as usage:
            if case["json"]["exit_code"] != 1 or case["json"]["rpcs"]:
                wrong[name] = f"usage error: {usage}"
            continue
        count += 1
        difference = compared(case, name, envelope(document(output.document), error))
        if difference:
            wrong[name] = difference
        elif recording.asked != recording.expected():
            wrong[name] = f"asked {recording.asked ^ recording.expected()}"
        elif bool(error) != bool(case["json"]["exit_code"]):
            wrong[name] = f"error {error}"
    assert not wrong
    assert count > 120, "the recordings are there, and most are about verbs we have"


def compared(case: dict[str, Any], name: str, text: str) -> str:
    """Say how a document differs from the recorded one, but for what the client makes up and words that are ours."""
    ours, theirs = normal(text), normal(json.dumps(case["json"]["json"]))
    for read in (ours, theirs):
        for key in case.get("unstable_json", ()):
            if isinstance(read["response"], dict):
                read["response"].pop(key)
        if name.endswith(OUR_WORDS):
            read["response"] = None
    if ours == theirs and json.dumps(ours) != json.dumps(theirs):
        return f"keys are in another order: {json.dumps(ours)} instead of {json.dumps(theirs)}"
    return "" if ours == theirs else f"{ours} instead of {theirs}"


async def test_tables_are_printed_as_recorded(recordings: Path, tmp_path: Path) -> None:
    wrong, count = {}, 0
    for name, case in cases(recordings):
        run = case["human"]
        if not any(word in name for word in SAME_TABLE) or any(word in name for word in NICER) or "-J" in run["argv"]:
            continue
        try:
            output, _, _ = await replay(case, run, tmp_path)
        except flags.UsageError:
            continue  # compared above
        count += 1
        if output.text.rstrip() != run["stdout"].rstrip():
            wrong[name] = f"{output.text}\n instead of\n{run['stdout']}"
    assert not wrong
    assert count > 40


async def test_a_generated_configuration_is_the_one_recorded(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 0
    for name, case in cases(recordings):
        run = case["human"]
        if "config-generate" in name and run["exit_code"] == 0:
            output, _, _ = await replay(case, run, tmp_path)
            assert yaml.safe_load(output.text) == yaml.safe_load(run["stdout"]), name
            assert list(yaml.safe_load(output.text)) == list(yaml.safe_load(run["stdout"])), name
            explained, _, _ = await replay(case, {**run, "argv": [*run["argv"], "--explain"]}, tmp_path)
            assert yaml.safe_load(explained.text) == yaml.safe_load(run["stdout"]), name
            run = case["json"]
            explained, _, _ = await replay(case, {**run, "argv": [*run["argv"], "--explain"]}, tmp_path)
            assert explained.document == run["json"]["response"], name
            assert "engines[0].fabric_iface = " in capsys.readouterr().err, name
            count += 1
    assert count >= 4


async def test_a_check_is_shown_as_recorded_but_for_the_words_about_its_phase(recordings: Path, tmp_path: Path) -> None:
    def without_words(text: str) -> str:
        return re.sub(r"(?<=phase: )(\w+) \(.*\)", r"\1", text).rstrip()

    count = 0
    for name, case in cases(recordings):
        if "-check-query" in name:
            run = case["human"]
            output, _, _ = await replay(case, run, tmp_path)
            assert without_words(output.text) == without_words(run["stdout"]), name
            count += 1
    assert count >= 4


READ_BY_C_TESTS = {
    "149-pool-create-size": ("uuid", "svc_ldr", "svc_reps[]"),
    "171-pool-list": ("pools[].uuid", "pools[].svc_reps[]"),
    "208-pool-get-prop-some": ("[].value",),
    "100-storage-list-devices": (
        *("host_storage_map.*.hosts", "host_storage_map.*.storage.smd_info.devices[].uuid"),
        *(
            "host_storage_map.*.storage.smd_info.devices[].tgt_ids[]",
            "host_storage_map.*.storage.smd_info.devices[].rank",
        ),
        "host_storage_map.*.storage.smd_info.devices[].ctrlr.dev_state",
    ),
    "102-storage-list-devices-health": (
        "host_storage_map.*.storage.smd_info.devices[].ctrlr.health_stats.bio_read_errs",
        "host_storage_map.*.storage.smd_info.devices[].ctrlr.health_stats.bio_write_errs",
    ),
    "237-check-query-pool": (
        *("status", "scan_phase", "leader", "pools.*.uuid", "pools.*.status", "pools.*.phase"),
        *("reports[].pool_uuid", "reports[].seq", "reports[].class", "reports[].action", "reports[].rank"),
    ),
}
"""What the helpers of DAOS's C tests take out of the response of each command."""


def taken(found: Any, path: str) -> list[Any]:
    """Follow a path; ``[]`` and ``*`` stand for each of the values there."""
    values = [found]
    for step in path.replace("[]", ".[]").strip(".").split("."):
        values = [
            inner
            for value in values
            for inner in (value if step == "[]" else value.values() if step == "*" else [value[step]])
        ]
    return values


async def test_the_helpers_of_c_tests_find_what_they_read(recordings: Path, tmp_path: Path) -> None:
    read = {name: case for name, case in cases(recordings) if name in READ_BY_C_TESTS}
    assert read.keys() == READ_BY_C_TESTS.keys()
    for name, case in read.items():
        output, _, _ = await replay(case, case["json"], tmp_path)
        document_read = json.loads(envelope(document(output.document)))
        assert (document_read["error"], document_read["status"]) == (None, 0)
        for path in READ_BY_C_TESTS[name]:
            assert taken(document_read["response"], path), f"{name}: {path}"
