"""The edge of daos_lab's commands: what is said of errors, and with which exit code."""

import pytest

from daos_control.base.errors import DaosControlError
from daos_control.cli.daos_lab.commands import command
from daos_control.cli.flags import Values


def run(error: Exception) -> int:
    @command
    def fails(_: Values) -> int:
        raise error

    return fails(Values())


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DaosControlError("there is no lab here"), "there is no lab here"),
        (PermissionError(13, "Permission denied", "/lab"), "/lab: Permission denied"),
    ],
)
def test_errors_are_told_by_name(error: Exception, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(error) == 1
    assert capsys.readouterr() == ("", f"ERROR: daos_lab: {text}\n")


def test_readers_who_have_gone_are_no_error_to_tell_of(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BrokenPipeError):  # the program ends quietly, as under "| head"
        run(BrokenPipeError(32, "Broken pipe"))
    assert capsys.readouterr() == ("", "")
