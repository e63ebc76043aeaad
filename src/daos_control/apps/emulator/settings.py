"""What the environment tells an engine: the fabric it is on, where it logs, and the emulator's own knobs.

As with real engines, ``DAOS_MD_CAP`` is what each replica of a pool service takes of the storage at ``-s``, in MiB.
The emulator's own variables, all optional (set them with ``env_vars`` in daos_server.yml):

=============================  =====================================================================================
DAOS_EMULATOR_ADDRESS          IPv4 address to listen at, instead of that of ``D_INTERFACE``
DAOS_EMULATOR_SCM_BYTES        size of the storage at ``-s``; by default the size of the file system it lies on
DAOS_EMULATOR_SERVICE_BYTES    what a replica of a pool service takes of that, instead of ``DAOS_MD_CAP`` (1024) MiB
DAOS_EMULATOR_REBUILD_MS       how long each phase of a rebuild takes (1000)
DAOS_EMULATOR_CHECK_MS         how long each phase of a check takes (200)
DAOS_EMULATOR_TEARDOWN_MS      how long a faulty device cannot be replaced (2000)
DAOS_EMULATOR_SWIM_PERIOD_MS   one peer is pinged every so often (1000)
DAOS_EMULATOR_SWIM_PING_MS     how long a ping may take (800)
DAOS_EMULATOR_SWIM_SUSPECT_MS  how long a silent peer is only suspected (6000)
DAOS_EMULATOR_SERVICE_MS       how long a pool service without majority is waited for (30000; a real engine: 5 minutes)
DAOS_EMULATOR_SCRIPT           faults to inject, see ``script``
=============================  =====================================================================================
"""

import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from daos_control.base.logs import Level

_SIOCGIFADDR = 0x8915
_LEVELS = {
    "DEBUG": Level.DEBUG,
    "DBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "NOTE": Level.NOTICE,
    "WARN": Level.NOTICE,
    "ERROR": Level.ERROR,
    "ERR": Level.ERROR,
    "CRIT": Level.ERROR,
    "ALRT": Level.ERROR,
    "FATAL": Level.ERROR,
    "EMRG": Level.ERROR,
    "EMIT": Level.ERROR,
}
_NUMBER = re.compile(r"\s*[+-]?\d+")
SERVICE_MIB, LEAST_SERVICE_MIB = 1024, 128
Value = TypeVar("Value")


class SettingsError(Exception):
    """A variable is missing or makes no sense; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swim:
    """Timing of the failure detector, in seconds."""

    period_s: float = 1.0
    ping_s: float = 0.8
    suspect_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment, understood."""

    provider: str = "ofi+tcp"
    address: str = "127.0.0.1"
    port: int = 0
    """0: whichever is free."""
    log_file: str | None = None
    log_level: Level = Level.ERROR
    scm_bytes: int | None = None
    rebuild_s: float = 1.0
    check_s: float = 0.2
    teardown_s: float = 2.0
    service_bytes: int = SERVICE_MIB << 20
    """What a replica of a pool service takes."""
    service_s: float = 30.0
    swim: Swim = Swim()
    script: str = ""


def read(environ: Mapping[str, str], *, address_of: Callable[[str], str] | None = None) -> Settings:
    """Understand an environment; raises SettingsError. ``address_of`` finds the IPv4 address of an interface."""
    look_up = address_of or interface_address
    provider = environ.get("D_PROVIDER", "")
    if not provider:
        raise SettingsError("D_PROVIDER is not set: which fabric provider?")
    address = environ.get("DAOS_EMULATOR_ADDRESS") or look_up(environ.get("D_INTERFACE", ""))
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        raise SettingsError(f"DAOS_EMULATOR_ADDRESS {address!r} is not an IPv4 address") from None
    return Settings(
        provider=provider,
        address=address,
        port=_converted(environ, "D_PORT", int, 0),
        log_file=environ.get("D_LOG_FILE") or None,
        log_level=log_level(environ.get("D_LOG_MASK", "")),
        scm_bytes=_converted(environ, "DAOS_EMULATOR_SCM_BYTES", int, None),
        rebuild_s=_seconds(environ, "DAOS_EMULATOR_REBUILD_MS", 1000),
        check_s=_seconds(environ, "DAOS_EMULATOR_CHECK_MS", 200),
        teardown_s=_seconds(environ, "DAOS_EMULATOR_TEARDOWN_MS", 2000),
        service_bytes=_converted(
            environ, "DAOS_EMULATOR_SERVICE_BYTES", int, _service_mib(environ.get("DAOS_MD_CAP", "")) << 20
        ),
        service_s=_seconds(environ, "DAOS_EMULATOR_SERVICE_MS", 30_000),
        swim=Swim(
            period_s=_seconds(environ, "DAOS_EMULATOR_SWIM_PERIOD_MS", 1000),
            ping_s=_seconds(environ, "DAOS_EMULATOR_SWIM_PING_MS", 800),
            suspect_s=_seconds(environ, "DAOS_EMULATOR_SWIM_SUSPECT_MS", 6000),
        ),
        script=environ.get("DAOS_EMULATOR_SCRIPT", ""),
    )


def log_level(mask: str) -> Level:
    """Return the base level of a D_LOG_MASK; per-subsystem parts have nothing to act on here.

    >>> log_level("INFO,MGMT=DBUG")
    <Level.INFO: 20>
    """
    for part in mask.split(","):
        if "=" not in part and (level := _LEVELS.get(part.strip().upper())) is not None:
            return level
    return Level.ERROR


def _service_mib(text: str) -> int:
    """Read ``DAOS_MD_CAP`` as engines do: as far as it is a number, and what is too low does not count.

    >>> _service_mib(""), _service_mib("128"), _service_mib("127"), _service_mib("256M"), _service_mib("much")
    (1024, 128, 1024, 256, 1024)
    """
    found = _NUMBER.match(text)
    number = int(found[0]) if found else 0
    return number if number >= LEAST_SERVICE_MIB else SERVICE_MIB


def interface_address(name: str) -> str:
    """Ask the kernel for the IPv4 address of a network interface; raises SettingsError."""
    if not name:
        raise SettingsError("D_INTERFACE is not set: which network interface?")
    request = struct.pack("256s", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
        except OSError as error:
            raise SettingsError(f"D_INTERFACE {name}: no IPv4 address ({error.strerror})") from error
    return socket.inet_ntoa(answer[20:24])


def _converted(environ: Mapping[str, str], name: str, convert: Callable[[str], Value], default: Value) -> Value:
    text = environ.get(name, "")
    if not text:
        return default
    try:
        return convert(text)
    except ValueError:
        raise SettingsError(f"{name} {text!r} is not a number") from None


def _seconds(environ: Mapping[str, str], name: str, default_ms: int) -> float:
    return _converted(environ, name, float, float(default_ms)) / 1000
