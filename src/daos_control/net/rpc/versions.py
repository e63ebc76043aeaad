"""Which DAOS releases may talk to each other, and how a server finds out which one its caller is.

A caller says so in two headers. One that sends none is judged by the version at the end of the system name in its
request (``daos_server-2.8.0``), and by stricter rules. Everything here is pure; the texts of refusals are for people,
their codes for programs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.net.rpc.status import access_denied
from daos_control.security.components import Component

AGENT_MINOR_DISTANCE = 2
_FORM = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)


class Version(NamedTuple):
    """A release number; compares as one expects.

    >>> Version.parse("v2.8.0") < Version.parse("2.10.0")
    True
    """

    major: int
    minor: int
    patch: int

    @classmethod
    @lru_cache(maxsize=64)  # every call carries one, and all carry the same few
    def parse(cls, text: str) -> Self:
        """Read ``X.Y.Z``; raises ValueError for anything else."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"invalid version {text!r}: three numbers X.Y.Z are expected")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


UNKNOWN = Version(0, 0, 0)
"""The version of a caller that could have said one and did not."""


def compatible(server: Version, component: Component, version: Version) -> bool:
    """Decide whether a server of one version may serve a caller of another.

    Agents stay behind or run ahead of servers for two minor releases, because whole clusters cannot be updated in one
    night; all others must be of the same minor release.
    """
    if server == version:
        return True
    if component is Component.AGENT:
        return server.major == version.major and abs(server.minor - version.minor) <= AGENT_MINOR_DISTANCE
    return server[:2] == version[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is known of a caller before its request is read."""

    component_header: str | None
    version_header: str | None
    secure: bool
    certificate: Component | None = None
    """The component its certificate speaks for; meaningless unless secure."""


class Identity(NamedTuple):
    """Who the caller is taken for; ``version`` is None if there was nothing to judge it by."""

    component: Component | None
    version: Version | None


def identify(claim: Claim, own: Version, sys: Callable[[], str | None]) -> Identity:
    """Judge a caller.

    ``sys`` reads the system name from the request, and returns None if this kind of request has none; it is only
    called if headers do not tell. Raises the faults ServerIncompatibleComponents and ServerNoCompatibilityInsecure,
    access denied when header and certificate disagree, and a plain error when headers make no sense.
    """
    if claim.component_header is not None and claim.version_header is not None:
        component, version = _from_headers(claim, claim.component_header, claim.version_header)
    else:
        name = sys()
        if name is None:
            return Identity(claim.certificate if claim.secure else Component.SERVER, None)
        version = version_of_system(name)
        if not claim.secure and version != own:
            raise FaultCode.SERVER_NO_COMPATIBILITY_INSECURE.fault(server=str(own), other=str(version))
        component = claim.certificate if claim.secure else Component.SERVER
    if component is None or not compatible(own, component, version):
        other = f"{component or 'unknown'}:{version}"
        raise FaultCode.SERVER_INCOMPATIBLE_COMPONENTS.fault(server=f"{Component.SERVER}:{own}", other=other)
    return Identity(component, version)


def _from_headers(claim: Claim, component_text: str, version_text: str) -> tuple[Component | None, Version]:
    try:
        component, version = Component(component_text), Version.parse(version_text)
    except ValueError as error:
        raise DaosControlError(f"version check failed: {error} in the headers of the request") from error
    if claim.secure and component is not claim.certificate:
        certified = claim.certificate or "undefined"
        raise access_denied(f"component mismatch: header says {component}, certificate says {certified}")
    return component, version


def version_of_system(name: str) -> Version:
    """Return the version a system name ends in, or 0.0.0.

    >>> str(version_of_system("daos_server-2.8.0")), str(version_of_system("daos-server"))
    ('2.8.0', '0.0.0')
    """
    try:
        return Version.parse(name.rpartition("-")[2])
    except ValueError:
        return UNKNOWN
