"""Certificates of a DAOS program: read once at start, checked so that mistakes are told here and not in a handshake.

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

__all__ = ["ADMIN_KEY_MODE", "KEY_MODE", "CertificateError", "CertificateFiles", "Certificates", "load"]


def load(files: CertificateFiles, *, now: datetime | None = None) -> Certificates:
    """Read and check certificates; ``now`` defaults to the clock.

    Raises the faults SecurityMissingCertFile, SecurityUnreadableCertFile and SecurityInvalidCert, and CertificateError.
    """
    if files.client_cert_dir is not None:
        check_listable(files.client_cert_dir)
    certificates = Certificates(
        authority=read(files.ca_cert, CERTIFICATE_MODE),
        certificate=read(files.cert, CERTIFICATE_MODE),
        key=read(files.key, files.key_mode),
    )
    if now is None and trial.passes(files):
        return certificates
    from daos_control.security import chains  # noqa: PLC0415 - a large library, needed to say what is wrong

    chains.check_pair(files, certificates)
    chains.check_chain(files, certificates, now or datetime.now(UTC))
    return certificates
