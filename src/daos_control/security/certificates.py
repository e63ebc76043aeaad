"""Certificates of a DAOS program: read once at start, and checked so that mistakes are told in words and not by TLS.

A daemon checks them when it starts. A command, which meets a server at once, need not: when that fails, it has them
checked.

Text before a PEM block (``openssl ca`` writes such) is fine. New files need a restart.
"""

from datetime import UTC, datetime

from daos_control.security import trial
from daos_control.security.certificate_files import (
    ADMIN_KEY_MODE,
    CERTIFICATE_MODE,
    KEY_MODE,
    CertificateError,
    CertificateFiles,
    Certificates,
    check_listable,
    read,
)

__all__ = ["ADMIN_KEY_MODE", "KEY_MODE", "CertificateError", "CertificateFiles", "Certificates", "explain", "load"]


def load(files: CertificateFiles, *, now: datetime | None = None, check: bool = True) -> Certificates:
    """Read certificates, and check them unless that is left to ``explain``; ``now`` defaults to the clock.

    Raises the faults SecurityMissingCertFile, SecurityUnreadableCertFile and SecurityInvalidCert, and CertificateError.
    """
    if files.client_cert_dir is not None:
        check_listable(files.client_cert_dir)
    certificates = Certificates(
        authority=read(files.ca_cert, CERTIFICATE_MODE),
        certificate=read(files.cert, CERTIFICATE_MODE),
        key=read(files.key, files.key_mode),
        files=files,
        is_checked=check,
    )
    if check:
        explain(certificates, now=now)
    return certificates


def explain(certificates: Certificates, *, now: datetime | None = None) -> None:
    """Raise what is wrong with certificates, if anything is; ``now`` defaults to the clock."""
    files = certificates.files
    if files is None or (now is None and trial.passes(files)):
        return
    from daos_control.security import chains  # noqa: PLC0415 - a large library, needed to say what is wrong

    chains.check_pair(files, certificates)
    chains.check_chain(files, certificates, now or datetime.now(UTC))
