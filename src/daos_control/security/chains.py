"""What makes a certificate valid: it belongs to its key, an authority we know has signed it, and it is in date."""

from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import BasicConstraints, Certificate, ExtensionNotFound, load_pem_x509_certificates

from daos_control.base.fault_codes import FaultCode
from daos_control.security.certificate_files import (
    CERTIFICATE_MODE,
    CertificateError,
    CertificateFiles,
    Certificates,
    read,
)


def parse(path: Path, pem: bytes) -> list[Certificate]:
    """Read PEM blocks; ``path`` is for the error."""
    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateError(
            f"{path} holds no certificate in PEM form; put the right file there, or correct transport_config"
        ) from error


def check_pair(files: CertificateFiles, pem: Certificates) -> None:
    """Raise CertificateError unless the key belongs to the certificate."""
    try:
        # Whether the numbers are primes takes longer to find out than all else that a short command does, and is no
        # question here: the key must fit the certificate, and both must stand the handshake.
        private = load_pem_private_key(pem.key, password=None, unsafe_skip_rsa_key_validation=True)
    except TypeError as error:  # it has a password
        raise CertificateError(
            f"the key {files.key} is locked with a password, which nobody is there to enter; "
            f"put an unlocked copy there: openssl pkey -in {files.key}"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            f"{files.key} holds no private key that can be used; put the key there that belongs to {files.cert}"
        ) from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = parse(files.cert, pem.certificate)[0]
    if private.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise CertificateError(
            f"the key {files.key} does not belong to the certificate {files.cert}; "
            "put the two there that were made together"
        )


def check_chain(files: CertificateFiles, pem: Certificates, now: datetime) -> None:
    """Raise the fault SecurityInvalidCert, or CertificateError if it was signed by nobody we know."""
    leaf = parse(files.cert, pem.certificate)[0]
    issuers = [issuer for issuer in parse(files.ca_cert, pem.authority) if _issued(leaf, issuer)]
    if not issuers:
        raise CertificateError(
            f"{files.cert} was signed by {leaf.issuer.rfc4514_string()}, whose certificate is not in {files.ca_cert}; "
            "put the certificates of one authority on all hosts"
        )
    reason = _invalid(leaf, now) or min((_unsuitable(issuer, now) for issuer in issuers), key=len)
    if reason:
        raise FaultCode.SECURITY_INVALID_CERT.fault(path=files.cert, why=reason, reason=reason)


def _issued(leaf: Certificate, issuer: Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):  # another issuer's name, or kind of key
        return False
    return True


def _invalid(certificate: Certificate, now: datetime) -> str:
    """Say why a certificate is not valid at this time; nothing if it is."""
    if now < certificate.not_valid_before_utc:
        return f"not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"
    return ""


def _unsuitable(issuer: Certificate, now: datetime) -> str:
    """Say why a certificate may not vouch for others; nothing if it may."""
    try:
        is_authority = issuer.extensions.get_extension_for_class(BasicConstraints).value.ca
    except ExtensionNotFound:
        is_authority = False
    if not is_authority:
        return f"its issuer {issuer.subject.rfc4514_string()} is no certificate authority"
    reason = _invalid(issuer, now)
    return f"its issuer is {reason}" if reason else ""


def read_client_certificate(folder: Path, origin: str) -> Certificate:
    """Return the certificate by which credentials of this origin are verified: ``<folder>/<origin>.crt``.

    It is read anew each time, so that adding or removing a file takes effect at once. The file holds one certificate
    and nothing after it. Raises what ``certificates.load`` raises; an origin that is more than a file name is refused.
    """
    if not origin or origin in {".", ".."} or "/" in origin or "\0" in origin:
        raise CertificateError(f"{origin!r} is no name of a client certificate")
    path = folder / f"{origin}.crt"
    pem = read(path, CERTIFICATE_MODE)
    certificates = parse(path, pem)
    rest = pem.rpartition(b"-----END CERTIFICATE-----")[2]
    if len(certificates) != 1 or rest not in {b"", b"\n", b"\r\n"}:
        raise CertificateError(f"{path} must hold one certificate and nothing after it")
    return certificates[0]
