"""A lab as its user has it: ``daos_lab`` and ``dmg`` as programs, for tests of whole systems.

::

    lab = DrivenLab(folder)
    lab.lab("up", "--hosts", "2", "--pool", "1GiB")
    lab.ask("system", "stop")
    until(lambda: set(lab.states().values()) == {"stopped"})
    lab.lab("down")
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAMS = Path(sys.executable).parent
PATIENCE_S = 60.0


class DrivenLab:
    """A lab in a folder, driven through its command lines alone. What is not as wanted is an AssertionError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lab(self, *arguments: str, code: int = 0) -> str:
        """Run daos_lab; return all it says."""
        return _said(_run([str(PROGRAMS / "daos_lab"), "-D", str(self.folder), *arguments], code))

    def dmg(self, *arguments: str, code: int = 0) -> str:
        """Run dmg; return all it says."""
        return _said(_run(self.dmg_command(*arguments), code))

    def dmg_command(self, *arguments: str) -> list[str]:
        """Return what runs dmg."""
        return [str(PROGRAMS / "dmg"), "-o", str(self.folder / "daos_control.yml"), *arguments]

    def document(self, *arguments: str) -> dict[str, Any]:
        """Run dmg with ``--json``; return its document, whatever it ends with."""
        document: dict[str, Any] = json.loads(_run(self.dmg_command("-j", *arguments), None).stdout)
        return document

    def ask(self, *arguments: str) -> Any:
        """Run dmg with ``--json``; return the response. There must be no error."""
        document = self.document(*arguments)
        if document["error"] is not None:
            raise AssertionError(f"dmg {' '.join(arguments)}: {document}")
        return document["response"]

    def refusal(self, *arguments: str) -> tuple[int, str]:
        """Run dmg with ``--json``, which must end with an error; return its status and what it says."""
        document = self.document(*arguments)
        if not document["error"]:
            raise AssertionError(f"dmg {' '.join(arguments)} was not refused: {document}")
        return document["status"], document["error"]

    def members(self) -> list[dict[str, Any]]:
        """Return the members of the system as dmg's document has them."""
        members: list[dict[str, Any]] = self.ask("system", "query")["members"]
        return members

    def states(self) -> dict[int, str]:
        """Return the state of every rank."""
        return {member["rank"]: member["state"] for member in self.members()}


def until(
    condition: Callable[[], bool], told: Callable[[], object] | None = None, *, patience_s: float = PATIENCE_S
) -> None:
    """Wait for something that other processes bring about; ``told`` says how things stand if it never comes."""
    ends = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"waited in vain: {told() if told else condition}")
        time.sleep(0.1)


def _run(command: list[str], code: int | None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if (code is not None and done.returncode != code) or "Traceback" in done.stderr:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr
