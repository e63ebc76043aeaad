"""Certificates looked at from all sides: all that is wrong with them, whose they are, and for how long.

``certificates.load`` applies the same rules to a program that starts, which the first mistake stops.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.x509 import Certificate
from cryptography.x509.oid import NameOID

from daos_control.base.errors import DaosControlError
from daos_control.security import chains
from daos_control.security.certificate_files import (
    CERTIFICATE_MODE,
    CertificateError,
    CertificateFiles,
    Certificates,
    check_listable,
    read,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Whose certificate it is, and how long it is good."""

    path: Path
    name: str
    """Its common name: of programs, the component."""
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found."""

    certificate: Life | None
    """The program's own; None if it cannot be read."""
    authorities: tuple[Life, ...]
    problems: tuple[DaosControlError, ...]


def inspect(files: CertificateFiles, now: datetime) -> Inspection:
    """Look at everything that can be looked at."""
    problems: list[DaosControlError] = []
    pem: dict[Path, bytes] = {}
    if files.client_cert_dir is not None:
        problems += _raised(lambda: check_listable(files.client_cert_dir or Path()))
    for path, mode in ((files.ca_cert, CERTIFICATE_MODE), (files.cert, CERTIFICATE_MODE), (files.key, files.key_mode)):
        try:
            pem[path] = read(path, mode)
        except DaosControlError as problem:
            problems.append(problem)
    lives = {}
    for path in (files.ca_cert, files.cert):
        try:
            lives[path] = tuple(_lives(path, pem[path])) if path in pem else ()
        except CertificateError as problem:
            problems.append(problem)
    if all(lives.get(path) for path in (files.ca_cert, files.cert)):
        whole = Certificates(authority=pem[files.ca_cert], certificate=pem[files.cert], key=pem.get(files.key, b""))
        if files.key in pem:
            problems += _raised(lambda: chains.check_pair(files, whole))
        problems += _raised(lambda: chains.check_chain(files, whole, now))
    own = lives.get(files.cert, ())
    return Inspection(
        certificate=own[0] if own else None, authorities=lives.get(files.ca_cert, ()), problems=tuple(problems)
    )


def _raised(check: Callable[[], object]) -> list[DaosControlError]:
    try:
        check()
    except DaosControlError as problem:
        return [problem]
    return []


def _lives(path: Path, pem: bytes) -> Iterator[Life]:
    for certificate in chains.parse(path, pem):
        yield Life(
            path=path,
            name=_common_name(certificate),
            begins=certificate.not_valid_before_utc,
            ends=certificate.not_valid_after_utc,
        )


def _common_name(certificate: Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
