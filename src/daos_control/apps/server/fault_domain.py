"""This host's fault domain: configured, told by a program, or the host's name."""

import asyncio
import os
import stat
from pathlib import Path

from daos_control.base.fault_codes import FaultCode
from daos_control.model.fault_domain import FaultDomain, FaultDomainError

MOST_LEVELS = 2


async def find_fault_domain(*, fault_path: str, fault_cb: str, hostname: str, config_directory: Path) -> FaultDomain:
    """Return the fault domain; the program ``fault_cb`` must lie in ``config_directory``.

    Raises faults 717 to 724.
    """
    if fault_path and fault_cb:
        raise FaultCode.SERVER_CONFIG_BOTH_FAULT_PATH_AND_CB.fault()
    if fault_cb:
        return parse(await _ask(Path(fault_cb), config_directory))
    return parse(fault_path or f"/{hostname}")


def parse(text: str) -> FaultDomain:
    """Read a fault domain of one or two levels; faults 717 and 724 for others."""
    try:
        domain = FaultDomain.parse(text)
    except FaultDomainError as error:
        raise FaultCode.SERVER_CONFIG_FAULT_DOMAIN_INVALID.fault(fault_domain=text, problem=str(error)) from error
    if not domain.levels:
        raise FaultCode.SERVER_CONFIG_FAULT_DOMAIN_INVALID.fault(fault_domain=text, problem="it has no levels")
    if len(domain.levels) > MOST_LEVELS:
        raise FaultCode.SERVER_CONFIG_FAULT_DOMAIN_TOO_MANY_LAYERS.fault(fault_domain=text)
    return domain


async def _ask(program: Path, directory: Path) -> str:
    check_program(program, directory)
    try:
        process = await asyncio.create_subprocess_exec(
            str(program), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
    except PermissionError as error:
        raise FaultCode.SERVER_CONFIG_FAULT_CALLBACK_BAD_PERMS.fault(path=str(program)) from error
    except OSError as error:
        raise FaultCode.SERVER_CONFIG_FAULT_CALLBACK_FAILED.fault(
            path=str(program), problem=error.strerror or str(error)
        ) from error
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise FaultCode.SERVER_CONFIG_FAULT_CALLBACK_FAILED.fault(
            path=str(program), problem=f"it ended with {process.returncode}"
        )
    text = output.decode(errors="replace").strip()
    if not text:
        raise FaultCode.SERVER_CONFIG_FAULT_CALLBACK_EMPTY.fault(path=str(program))
    return text


def check_program(program: Path, directory: Path) -> None:
    """Refuse what somebody else could have put in the program's place."""
    insecure = FaultCode.SERVER_CONFIG_FAULT_CALLBACK_INSECURE
    if not Path(os.path.normpath(program.absolute())).is_relative_to(directory.absolute()):
        raise insecure.fault(path=str(program), directory=str(directory))
    try:
        mode = program.lstat().st_mode
    except PermissionError as error:
        raise FaultCode.SERVER_CONFIG_FAULT_CALLBACK_BAD_PERMS.fault(path=str(program)) from error
    except OSError as error:
        raise FaultCode.SERVER_CONFIG_FAULT_CALLBACK_NOT_FOUND.fault(path=str(program)) from error
    if stat.S_ISLNK(mode) or mode & (stat.S_ISUID | stat.S_IWGRP | stat.S_IWOTH):
        raise insecure.fault(path=str(program), directory=str(directory))
