"""The privileged helper: started by daos_server for one request, with root's rights and as little code as possible.

It answers on standard output, complains on standard error, and ends with 1 on any error. Before it reads anything it
makes sure who started it: a guard against accidents, since whoever may execute it may also imitate daos_server.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.version import DAOS_VERSION
from daos_control.host import mounts
from daos_control.host.helper.protocol import (
    HELPER,
    LOG_FILE_VARIABLE,
    MAX_MESSAGE,
    PARENT,
    ProtocolError,
    Request,
    Response,
    as_fault,
    decode_request,
)
from daos_control.host.storage.apply import apply, look
from daos_control.host.storage.payloads import owner, read_format, state_payload
from daos_control.host.storage.plan import Means, plan_format

Payload: TypeAlias = Mapping[str, Any]

log = logging.getLogger(HELPER)


class StrangerError(DaosControlError):
    """The program was not started by daos_server."""


def main() -> int:
    """Serve the one request on standard input; return the exit code."""
    _log_to_file()
    try:
        refuse_strangers(os.getppid())
    except StrangerError as stranger:
        sys.stderr.write(f"{HELPER}: {stranger}\n")
        return 1
    response = _serve()
    # One write: a genuine reader counts reads, and grants each of them little.
    os.write(sys.stdout.fileno(), response.encode())
    return 0 if response.error is None else 1


def refuse_strangers(parent: int, proc: Path = Path("/proc")) -> None:
    """Raise StrangerError unless the process ``parent`` is daos_server: that program, or a Python that runs it."""
    try:
        program = (proc / str(parent) / "exe").readlink().name
        words = (proc / str(parent) / "cmdline").read_bytes().split(b"\0")
    except OSError as error:
        raise StrangerError(f"cannot tell who started this: {error.strerror}") from error
    script = Path(os.fsdecode(words[1])).name if len(words) > 1 and program.startswith("python") else ""
    if PARENT not in {program, script}:
        raise StrangerError(f"started by {script or program}: only {PARENT} may start this")


def handle(request: Request) -> Response:
    """Do what is asked; whatever goes wrong as expected is in the response."""
    log.debug("request %s %s", request.method, dict(request.payload))
    action = _ACTIONS.get(request.method)
    try:
        if action is None:
            raise ProtocolError(f"this helper does not know the method {request.method!r}")
        return Response(action(request.payload))
    except DaosControlError as error:
        log.error("%s failed: %s", request.method, error)
        return Response(error=as_fault(error))


def _serve() -> Response:
    if os.geteuid() != 0 or not mounts.may_mount():
        return Response(error=FaultCode.PRIVILEGED_HELPER_NOT_PRIVILEGED.fault(helper=HELPER))
    os.setuid(0)
    try:
        return handle(decode_request(sys.stdin.buffer.read(MAX_MESSAGE + 1)))
    except ProtocolError as error:
        log.error("unusable request: %s", error)
        return Response(error=as_fault(error))


def _ping(_: Payload) -> Payload:
    return {"Version": DAOS_VERSION, "AppName": HELPER}


def _check_format(payload: Payload) -> Payload:
    disk = read_format(payload)
    return state_payload(disk, look(disk.target))


def _format(payload: Payload) -> Payload:
    disk = read_format(payload)
    uid, gid = owner(payload)
    apply(plan_format(disk, look(disk.target), Means.TMPFS, force=bool(payload.get("Force"))), uid=uid, gid=gid)
    return state_payload(disk, look(disk.target))


def _unmount(payload: Payload) -> Payload:
    target = Path(str(payload.get("Target") or ""))
    if not target.is_absolute():
        raise ProtocolError(f"target {str(target)!r} is not an absolute path")
    mounts.unmount(target)
    return {"Target": str(target), "Mounted": False}


_ACTIONS: Mapping[str, Callable[[Payload], Payload]] = {
    "Ping": _ping,
    "ScmCheckFormat": _check_format,
    "ScmFormat": _format,
    "ScmUnmount": _unmount,
}


def _log_to_file() -> None:
    """Log errors to standard error, and everything to the file that the server names, if it can be opened."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(asctime)s %(message)s", "%Y/%m/%d %H:%M:%S")
    complaints = logging.StreamHandler(sys.stderr)
    complaints.setLevel(logging.ERROR)
    complaints.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    log.addHandler(complaints)
    log.setLevel(logging.DEBUG)
    path = os.environ.get(LOG_FILE_VARIABLE)
    if path:
        try:
            file = logging.FileHandler(path)
        except OSError as error:
            log.error("cannot log to %s: %s", path, error.strerror)
            return
        file.setFormatter(formatter)
        log.addHandler(file)
