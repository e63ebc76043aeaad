"""The edge of daos_server's commands: what is said of errors, and with which exit code."""

import json

import pytest

from daos_control.base.errors import Fault
from daos_control.cli.daos_server.edge import command
from daos_control.cli.flags import Values


def values(*, json: bool) -> Values:
    given = Values()
    given.declare("json", json)
    return given


def run(error: Exception, *, json: bool = False) -> int:
    @command
    def fails(_: Values) -> None:
        raise error

    return fails(values(json=json))


def test_a_fault_is_followed_by_what_to_do_in_quotes_that_can_be_taken_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault = Fault("server", 7, "it is broken", resolution='set "x" in the configuration')
    assert run(fault) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        'ERROR: server: code = 7 description = "it is broken"',
        r'ERROR: server: code = 7 resolution = "set \"x\" in the configuration"',
    ]


def test_a_fault_without_a_way_out_has_no_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Fault("server", 7, "it is broken")) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_errors_of_the_operating_system_read_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FileNotFoundError(2, "No such file or directory", "/nowhere"), json=True) == 1
    out, err = capsys.readouterr()
    assert err == "ERROR: /nowhere: No such file or directory\n"
    assert json.loads(out)["error"] == "/nowhere: No such file or directory"


@pytest.mark.parametrize("json", [False, True])
def test_readers_who_have_gone_are_no_error_to_tell_of(json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BrokenPipeError):  # the program ends quietly, as under "| head"
        run(BrokenPipeError(32, "Broken pipe"), json=json)
    assert capsys.readouterr() == ("", "")
