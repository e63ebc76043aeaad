"""Everything genuine programs said on the wire: our messages read all of it, lose nothing, and say the same."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from daos_control.base.errors import DaosControlError
from daos_control.net.drpc.frames import Assembler, encode
from daos_control.net.drpc.methods import BY_ID, Module
from daos_control.net.rpc.methods import find
from daos_control.net.rpc.status import ERROR_INFO, Status, StatusError, from_status, to_status
from daos_control.security.credentials import validate
from daos_control.wire.pb import drpc_pb2
from daos_control.wire.pb.rpc import error_pb2
from daos_control.wire.pb.security import auth_pb2


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as file:
        yield from map(json.loads, file)


def grpc_calls(recordings: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every recorded call with where it stands, in one shape."""
    for path in sorted((recordings / "cases").glob("*.json")):
        case = json.loads(path.read_text())
        for index, rpc in enumerate(case["json"]["rpcs"]):
            yield f"{path.stem} rpc {index}", {**rpc, "path": rpc["method"], "status": rpc["code"]}
    for path in sorted((recordings / "drpc").glob("*.grpc.jsonl")):
        for number, call in enumerate(lines(path), 1):
            yield f"{path.name}:{number}", call


def drpc_calls(recordings: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((recordings / "drpc").glob("*.jsonl")):
        if path.name.count(".") == 1:
            for number, call in enumerate(lines(path), 1):
                yield f"{path.name}:{number}", call


def has_unknown_fields(message: Message) -> bool:
    if len(UnknownFieldSet(message)):
        return True
    return any(map(has_unknown_fields, parts(message)))


def parts(message: Message) -> Iterator[Message]:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            yield from (item for item in value.values() if isinstance(item, Message))
        elif field.is_repeated:
            yield from value
        else:
            yield value


def same(kind: type[Message], recorded: bytes, text: str | None) -> Message:
    """Decode bytes, and check that nothing is unknown, nothing is lost, and the fields are those of the text."""
    message = kind.FromString(recorded)
    assert not has_unknown_fields(message)
    assert kind.FromString(message.SerializeToString()) == message
    if text is not None:
        assert text_format.Parse(text, kind()) == message
    return message


def checked(items: Iterable[tuple[str, Any]], check: Callable[[Any], None]) -> int:
    """Check every item; report all that fail, by name, and return how many there were."""
    wrong, count = [], 0
    for where, item in items:
        count += 1
        try:
            check(item)
        except (AssertionError, DecodeError, text_format.ParseError) as error:
            wrong.append(f"{where}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
    assert not wrong, "\n".join(wrong)
    return count


def test_every_grpc_request_and_reply(recordings):
    def check(call: dict[str, Any]) -> None:
        method = find(call["path"])
        assert method is not None, call["path"]
        if call.get("request_hex") is not None:
            recorded = bytes.fromhex(call["request_hex"])
            request = same(method.request, recorded, call["request_text"])
            assert len(request.SerializeToString()) == len(recorded), "clients are canonical, but for the order of maps"
        if call.get("response_hex") is not None and not call.get("details_hex"):  # one recording has two calls in one
            same(method.reply, bytes.fromhex(call["response_hex"]), call["response_text"])

    assert checked(grpc_calls(recordings), check) > 900


def test_every_grpc_error(recordings):
    def check(call: dict[str, Any]) -> None:
        details = bytes.fromhex(call.get("details_hex") or "")
        recorded = Status(call["status"], call["message"], details)
        error = from_status(recorded)
        if not details:
            assert to_status(error) == recorded
            return
        assert not isinstance(error, StatusError)
        ours = to_status(error)
        theirs = error_pb2.Status.FromString(details)
        assert not has_unknown_fields(theirs)
        assert (ours.code, ours.message) == (recorded.code, recorded.message)
        assert as_info(error_pb2.Status.FromString(ours.details)) == as_info(theirs)

    errors = ((where, call) for where, call in grpc_calls(recordings) if call["status"])
    assert checked(errors, check) > 100


def as_info(status: error_pb2.Status) -> tuple[int, str, error_pb2.ErrorInfo]:
    (detail,) = status.details
    assert detail.type_url == ERROR_INFO
    return status.code, status.message, error_pb2.ErrorInfo.FromString(detail.value)


def joined(frames: list[str]) -> bytes:
    assembler = Assembler()
    messages = [assembler.feed(bytes.fromhex(frame)) for frame in frames]
    assert messages[:-1] == [None] * (len(frames) - 1)
    assert messages[-1] is not None
    return messages[-1]


def well_formed(recordings: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield dRPC calls but for those that break the framing rules on purpose."""
    for where, call in drpc_calls(recordings):
        if where not in {"h_edge_cases.jsonl:81", "h_edge_cases.jsonl:82", "h_edge_cases.jsonl:83"}:
            yield where, call


def test_every_drpc_packet(recordings):
    def check(call: dict[str, Any]) -> None:
        for frames in (call["call_frames_hex"], call["response_frames_hex"]):
            if frames:
                assert [packet.hex() for packet in encode(joined(frames))] == frames

    assert checked(well_formed(recordings), check) > 1000


def test_every_drpc_request_and_reply(recordings):
    def check(call: dict[str, Any]) -> None:
        if call["method"] is None:
            return
        recorded = joined(call["call_frames_hex"])
        message = same(drpc_pb2.Call, recorded, None)
        assert isinstance(message, drpc_pb2.Call)
        assert message.SerializeToString() == recorded
        assert (message.module, message.method, message.sequence) == (
            call["module_id"],
            call["method_id"],
            call["sequence"],
        )
        method = BY_ID.get((message.module, message.method))
        if method is None or method.module == Module.TEST or call["request_text"] is None:
            return
        assert method.name == call["method"].removeprefix("MGMT_").removeprefix("SRV_").removeprefix(
            "SEC_"
        ).removeprefix("AGENT_")
        request = method.parse_request(message.body)
        if request is not None:
            same(method.request, message.body, call["request_text"])
        if call["response_frames_hex"]:
            response = drpc_pb2.Response.FromString(joined(call["response_frames_hex"]))
            assert response.sequence == message.sequence
            assert drpc_pb2.Status.Name(response.status) == call["response_status"]
            if method.parse_reply(response.body) is not None:
                same(method.reply, response.body, call["response_text"])

    assert checked(well_formed(recordings), check) > 1000


@pytest.mark.parametrize("scenario", ["d_agent_certificates", "d_agent_insecure", "d_agent_usermap"])
def test_credentials_of_genuine_agents(recordings, scenario, tmp_path):
    """We find genuine what a genuine server did; the agent's certificate is among the artefacts."""
    secure = scenario == "d_agent_certificates"
    if secure:
        certificate = (recordings / "drpc" / "artefacts" / scenario / "agent.crt").read_bytes()
        (tmp_path / "agent.crt").write_bytes(certificate)
        (tmp_path / "agent.crt").chmod(0o644)

    def check(call: dict[str, Any]) -> None:
        body = drpc_pb2.Call.FromString(joined(call["call_frames_hex"])).body
        recorded = drpc_pb2.Response.FromString(joined(call["response_frames_hex"])).body
        reply = validate(auth_pb2.ValidateCredReq.FromString(body), client_certificates=tmp_path if secure else None)
        theirs = auth_pb2.ValidateCredResp.FromString(recorded)
        if secure and theirs.status:
            return  # because of certificates that the scenario took away or exchanged; those are not recorded
        assert reply == theirs
        assert reply.SerializeToString() == recorded

    path = recordings / "drpc" / f"{scenario}.jsonl"
    calls = [(f"line {number}", call) for number, call in enumerate(lines(path), 1)]
    validations = [(where, call) for where, call in calls if call["method"] == "SEC_VALIDATE_CREDS"]
    assert checked(validations, check) > 1


def test_errors_without_details_are_still_errors(recordings):
    assert isinstance(from_status(Status(12, "method SystemSelfHealEval not implemented")), DaosControlError)
