"""Running commands: what ``run`` of Avocado takes and gives."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class CmdResult:
    """A finished command."""

    command: str
    stdout: bytes
    stderr: bytes
    exit_status: int | None
    interrupted: bool = False

    @property
    def stdout_text(self) -> str:
        """Its standard output."""
        return self.stdout.decode()

    @property
    def stderr_text(self) -> str:
        """Its standard error."""
        return self.stderr.decode()


class CmdError(Exception):
    """A command failed, or took too long."""

    def __init__(self, command: str, result: CmdResult) -> None:
        super().__init__(f"{command} ended with {result.exit_status}: {result.stderr_text}")
        self.result = result


def run(
    cmd: str,
    timeout: float | None = None,
    *,
    ignore_status: bool = False,
    env: Mapping[str, object] | None = None,
    **_: object,
) -> CmdResult:
    """Run a command; what only concerns how Avocado records it is left out."""
    environment = os.environ | {name: str(value) for name, value in (env or {}).items()}
    try:
        done = subprocess.run(shlex.split(cmd), capture_output=True, timeout=timeout, env=environment, check=False)
        result = CmdResult(cmd, done.stdout, done.stderr, done.returncode)
    except subprocess.TimeoutExpired as late:
        result = CmdResult(cmd, late.stdout or b"", late.stderr or b"", None, interrupted=True)
    if result.interrupted or (result.exit_status and not ignore_status):
        raise CmdError(cmd, result)
    return result
