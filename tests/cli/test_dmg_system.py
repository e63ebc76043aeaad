"""``dmg system ...``: what people are told when not everything went well, and what is refused before anybody is asked.

What is printed when all went well is held to recordings of DAOS 2.8, in tests/compat.
"""

from pathlib import Path

import pytest

from daos_control.cli import flags
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.dmg.session import Output, Session
from daos_control.client.daos import DaosClient
from daos_control.client.errors import InvalidRequest
from daos_control.testing.answers import Answers
from daos_control.wire.pb.mgmt import system_pb2
from daos_control.wire.pb.shared.ranks_pb2 import RankResult


async def run(line: str, host: Answers) -> Output:
    parsed = flags.parse(PROGRAM, ["system", *line.split()])
    command = flags.load(parsed.command.run).__wrapped__  # the coroutine, without configuration and printing
    output: Output = await command(Session(DaosClient(host, ["a"]), json=False), parsed.values)
    return output


def failed(rank: int, addr: str, text: str) -> RankResult:
    return RankResult(rank=rank, action="stop", state="errored", errored=True, msg=text, addr=addr)


MIXED = [
    RankResult(rank=0, action="stop", state="stopped", addr="10.0.0.1:10001"),
    failed(1, "10.0.0.1:10001", "would not end"),
    failed(2, "10.0.0.2:10001", "would not end"),
    failed(4, "", "no host is known"),
]


async def test_what_was_stopped_is_shown_though_others_failed_and_others_do_not_exist() -> None:
    reply = system_pb2.SystemStopResp(results=MIXED, absentranks="8-9", absenthosts="node7")
    output = await run("stop", Answers(SystemStop=reply))
    assert output.text == (
        "Rank  Operation Result           \n"
        "----  --------- ------           \n"
        "[8-9] ----      Unknown Rank     \n"
        "[1-2] stop      would not end    \n"
        "0     stop      OK               \n"
        "4     stop      no host is known \n"
        "\n"
    )
    assert output.error_text == (
        "Unknown 1 host: node7\nranks 1-2 on 10.0.0.[1-2]:10001: would not end\nrank 4: no host is known"
    )
    assert str(output.problem) == (
        "non-existent hosts node7, non-existent ranks 8-9, check results for failed ranks 1-2,4"
    )
    assert [result["Errored"] for result in output.document["Results"]] == [False, True, True, True]  # type: ignore[index]


async def test_ranks_that_could_not_be_excluded_are_not_among_those_that_were() -> None:
    output = await run("exclude --ranks 0-4", Answers(SystemExclude=system_pb2.SystemExcludeResp(results=MIXED)))
    assert output.text == "updated ranks: 0\n"
    assert "rank 4: no host is known" in output.error_text
    assert str(output.problem) == "check results for failed ranks 1-2,4"


async def test_a_system_that_could_not_be_erased_everywhere_is_not_called_erased() -> None:
    stopped = system_pb2.SystemQueryResp(members=[system_pb2.SystemMember(rank=0, state="stopped")])
    output = await run("erase", Answers(SystemQuery=stopped, SystemErase=system_pb2.SystemEraseResp(results=MIXED)))
    assert output.text == ""
    assert "ranks 1-2 on 10.0.0.[1-2]:10001: would not end" in output.error_text
    assert output.problem


async def test_pools_that_drained_are_shown_though_others_failed() -> None:
    results = [RankResult(rank=1), failed(2, "", "busy"), RankResult(rank=3)]
    reply = system_pb2.SystemDrainResp()
    reply.responses.add(id="tank", results=results)
    output = await run("drain --ranks 1-3", Answers(SystemDrain=reply))
    assert [line.split() for line in output.text.splitlines()[2:-1]] == [
        ["tank", "1,3", "OK", "-"],
        ["tank", "2", "FAIL", "busy"],
    ]
    assert str(output.problem) == "rank 2 failed on pool tank"


async def test_pools_that_took_a_request_to_rebuild_are_counted_though_others_did_not() -> None:
    reply = system_pb2.SystemRebuildManageResp()
    reply.results.add(id="tank", op_code=2)
    reply.results.add(id="scratch", op_code=2, errored=True, msg="pool-rebuild stop failed: busy")
    host = Answers(SystemRebuildManage=reply)
    output = await run("rebuild stop -v --force", host)
    assert output.text == "System-rebuild stop request succeeded on 1 pool [tank]\n"
    assert str(output.problem) == "pool-rebuild stop failed on pool scratch: pool-rebuild stop failed: busy"
    assert [line.split() for line in output.view.splitlines()[2:]] == [["tank", "OK", "-"], ["scratch", "FAIL", "busy"]]
    assert (host.sent[0].op_code, host.sent[0].force) == (2, True)


async def test_handles_that_could_not_be_closed_are_an_error() -> None:
    reply = system_pb2.SystemCleanupResp()
    reply.results.add(pool_id="tank", count=2)
    reply.results.add(pool_id="scratch", status=-1012, msg="DER_BUSY(-1012): Device or resource busy")
    output = await run("cleanup -v node1", Answers(SystemCleanup=reply))
    assert output.text.splitlines()[2].split() == ["tank", "2"]
    assert str(output.problem).startswith("handles were not closed on scratch: DER_BUSY")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("query --not-ok --with-states joined", "--not-ok and --with-states"),
        ("query --ranks 1 --rank-hosts node1", "--ranks and --rank-hosts"),
        ("stop --full --force", "--full may not be mixed with --force"),
        ("stop --full --ranks 1", "--full may not be mixed with --ranks"),
        ("stop --full --rank-hosts node1", "--full may not be mixed with --rank-hosts"),
        ("start --ranks 1 --rank-hosts node1", "--ranks and --rank-hosts"),
        ("exclude", "no ranks or hosts"),
        ("clear-exclude --ranks=", "no ranks or hosts"),
        ("drain", "no ranks or hosts"),
        ("reint", "no ranks or hosts"),
        ("set-prop self_heal:EXCLUDE", "invalid value 'EXCLUDE'"),
        ("set-prop daos_version:3", 'property "daos_version" is not settable'),
        ("get-prop nonsense", "invalid system property key: nonsense"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(line: str, complaint: str) -> None:
    host = Answers()
    with pytest.raises(InvalidRequest, match=complaint):
        await run(line, host)
    assert not host.asked


async def test_keys_of_properties_may_be_written_in_any_case() -> None:
    host = Answers(SystemGetProp=system_pb2.SystemGetPropResp(properties={"self_heal": "none", "unheard_of": "1"}))
    output = await run("get-prop SELF_HEAL", host)
    assert host.sent[0].keys == ["self_heal"]
    assert output.document == [
        {"key": "self_heal", "value": "none", "description": "Self-heal policy for the system"}
    ], "what is not known here is left out, as DAOS leaves it out"


async def test_stopping_is_by_force_unless_a_full_stop_is_asked_for() -> None:
    host = Answers(SystemStop=system_pb2.SystemStopResp())
    await run("stop", host)
    await run("stop --force", host)
    await run("stop --full", host)
    assert [request.force for request in host.sent] == [True, True, False]


def test_a_refusal_ends_dmg_with_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "daos_control.yml"
    config.write_text("transport_config:\n  allow_insecure: true\n")
    run_dmg = flags.load("daos_control.cli.dmg:run")
    assert run_dmg(["-o", str(config), "system", "exclude"]) == 1
    assert capsys.readouterr().err == "ERROR: dmg: no ranks or hosts specified\n"


@pytest.mark.parametrize(("options", "beginning"), [([], "system set-prop failed: "), (["-j"], "")])
def test_errors_of_attributes_and_properties_begin_otherwise_in_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], beginning: str
) -> None:
    config = tmp_path / "daos_control.yml"
    config.write_text("transport_config:\n  allow_insecure: true\n")
    run_dmg = flags.load("daos_control.cli.dmg:run")
    assert run_dmg(["-o", str(config), *options, "system", "set-prop", "colour:blue"]) == 1
    assert capsys.readouterr().err.startswith(f"ERROR: dmg: {beginning}unknown property")
