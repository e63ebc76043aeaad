"""How the doctor's findings are printed, and what scripts get."""

import io
import json

import pytest

from daos_control.apps.doctor.finding import Topic
from daos_control.cli import daos_agent, daos_server
from daos_control.cli.flags import parse
from daos_control.cli.local.doctor import arrow_for, document, text
from daos_control.cli.program import execute

CLOCK, PORTS = Topic("clock"), Topic("ports")
FINDINGS = (
    CLOCK.ok("synchronised", "off by 1 ms"),
    PORTS.problem("control", "port 10001 is held by nginx (pid 7)", "stop that process, or set port to another port"),
    PORTS.not_applicable("telemetry", "not configured"),
    PORTS.warning("engine 0", "busy", "wait"),
    PORTS.unknown("engine 1", "not visible", "look as root"),
)


def shown(**how: object) -> str:
    return text("here", FINDINGS, **{"only_wrong": False, "width": 80, "colour": False, **how})  # type: ignore[arg-type]


def test_a_table_for_people():
    assert shown() == (
        "here\n"
        "\n"
        "  ok       clock: synchronised  off by 1 ms\n"
        "  problem  ports: control       port 10001 is held by nginx (pid 7)\n"
        "                                → stop that process, or set port to another port\n"
        "  n/a      ports: telemetry     not configured\n"
        "  warning  ports: engine 0      busy\n"
        "                                → wait\n"
        "  unknown  ports: engine 1      not visible\n"
        "                                → look as root\n"
        "\n"
        "1 problem, 1 warning, 1 could not be looked at, 1 fine."
    )


def test_long_lines_are_wrapped_under_themselves():
    lines = shown(width=60).splitlines()
    problem = next(number for number, line in enumerate(lines) if "problem " in line)
    assert lines[problem + 2 : problem + 5] == [
        " " * 32 + "→ stop that process, or set",
        " " * 32 + "  port to another port",
        "  n/a      ports: telemetry     not configured",
    ]


def test_nothing_is_wider_than_the_terminal():
    long = Topic("permissions").problem("engines[0].log_file", "may not be written by anybody else " * 3, "do " * 40)
    lines = text("here", (*FINDINGS, long), only_wrong=False, width=80, colour=False).splitlines()
    assert max(map(len, lines)) <= 80
    assert "  problem  permissions: engines[0].log_file" in lines, "a long name has a line of its own"
    assert any(line.startswith("  problem  ports: control  ") for line in lines)


def test_a_terminal_without_arrows_gets_what_it_can_show():
    plain = shown(arrow="->", width=60)
    assert plain.isascii()
    assert " -> stop that process, or set\n" + " " * 35 + "port to another port\n" in plain


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "→"), ("latin-1", "->"), ("ascii", "->")])
def test_the_arrow_is_one_that_the_output_can_hold(encoding, sign):
    assert arrow_for(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) == sign
    assert arrow_for(io.StringIO()) == "→"


def test_what_is_fine_can_be_left_out():
    assert "synchronised" not in shown(only_wrong=True)
    assert "telemetry" not in shown(only_wrong=True)
    assert (
        text("here", FINDINGS[:1], only_wrong=True, width=80, colour=False)
        == "here\n\nno problems, no warnings, 1 fine."
    )


def test_colours_do_not_move_columns():
    assert shown(colour=True).replace("\x1b[31m", "").replace("\x1b[0m", "").count("problem  ports") == 1


def test_a_document_for_scripts():
    made = document(FINDINGS)
    assert made["healthy"] is False
    assert made["counts"] == {"ok": 1, "warning": 1, "problem": 1, "n/a": 1, "unknown": 1}
    assert made["findings"][1] == {
        "topic": "ports",
        "check": "control",
        "verdict": "problem",
        "found": "port 10001 is held by nginx (pid 7)",
        "remedy": "stop that process, or set port to another port",
        "code": 0,
    }


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (daos_server.PROGRAM, ["doctor", "-j", "-o", "/nowhere"]),
        (daos_agent.PROGRAM, ["-o", "/nowhere", "-j", "doctor"]),
    ],
    ids=["server", "agent"],
)
def test_a_problem_ends_with_1(capsys, program, arguments):
    assert execute(parse(program, arguments)) == 1
    made = json.loads(capsys.readouterr().out)
    assert (made["status"], made["error"], made["response"]["healthy"]) == (0, None, False)
