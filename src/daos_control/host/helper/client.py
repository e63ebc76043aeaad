"""Asking the privileged helper: one process for each request."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.version import DAOS_VERSION
from daos_control.host.helper.protocol import HELPER, LOG_FILE_VARIABLE, Request, decode_response

log = logs.get(__name__)

_MORE_PLACES = "/sbin:/usr/sbin"


class HelperVersionError(DaosControlError):
    """The helper belongs to another release than the server."""


class Helper:
    """The way to a helper program; requests may run side by side."""

    def __init__(self, program: Path, *, log_file: str = "") -> None:
        self._program = program
        self._log_file = log_file

    @classmethod
    def find(cls, beside: Path, *, log_file: str = "") -> "Helper":
        """Look for the helper in PATH, then in a folder; fault 4 if it is in neither or may not be executed."""
        found = shutil.which(HELPER) or shutil.which(HELPER, path=str(beside))
        if found is None:
            raise FaultCode.PRIVILEGED_HELPER_NOT_AVAILABLE.fault(helper=HELPER)
        return cls(Path(found), log_file=log_file)

    async def check(self) -> None:
        """See whether it works: fault 3 if it has no privileges, HelperVersionError if it is of another release."""
        answer = await self.ask("Ping")
        version = answer.get("Version") if isinstance(answer, Mapping) else None
        if version != DAOS_VERSION:
            raise HelperVersionError(
                f"{self._program} is of version {version}, this server of {DAOS_VERSION}: install one release of both"
            )

    async def ask(self, method: str, payload: Mapping[str, Any] | None = None) -> Any:
        """Have something done and return the response's payload.

        Raises the helper's fault, fault 4 if it cannot be run and fault 5 if it fails without saying how.
        """
        request = Request(method, payload or {"Forwarded": True})
        try:
            process = await asyncio.create_subprocess_exec(
                str(self._program),
                env=self._environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise FaultCode.PRIVILEGED_HELPER_NOT_AVAILABLE.fault(helper=str(self._program)) from error
        answer, complaints = await process.communicate(request.encode())
        for line in complaints.decode(errors="replace").splitlines():
            log.error(f"{HELPER} {line}")
        return self._result(method, process.returncode, answer)

    def _result(self, method: str, code: int | None, answer: bytes) -> Any:
        if not answer:
            raise FaultCode.PRIVILEGED_HELPER_REQUEST_FAILED.fault(
                problem=f"{self._program} ended with {code} and did not answer {method}"
            )
        response = decode_response(answer)
        if response.error is not None:
            raise response.error
        if code != 0:
            raise FaultCode.PRIVILEGED_HELPER_REQUEST_FAILED.fault(
                problem=f"{self._program} answered {method} but ended with {code}"
            )
        return response.payload

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        environment["PATH"] = f"{environment.get('PATH', '')}:{_MORE_PLACES}"
        if self._log_file:
            environment[LOG_FILE_VARIABLE] = self._log_file
        return environment
