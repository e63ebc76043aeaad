"""Makes a system's certificates: an authority of its own, and one certificate for servers, agents and administrators.

They are what DAOS 2.8's own programs accept and make: RSA keys of 3072 bits, which may encipher keys (the handshake of
those programs needs that), the component as common name, and no host names. The files::

    daosCA.crt                  the authority, for everybody
    private/daosCA.key          its key: who has it can make certificates
    server.crt, server.key      ... agent, admin
    clients/agent.crt, admin.crt    whose credentials servers accept
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from daos_control.security.components import Component

KEY_BITS = 3072
DAYS = 1095
ORGANISATION = "DAOS"
_BACKDATED = timedelta(hours=1)  # hosts whose clocks are a little behind accept it at once

_PURPOSES = {
    Component.SERVER: [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
    Component.AGENT: [ExtendedKeyUsageOID.CLIENT_AUTH],
    Component.ADMIN: [ExtendedKeyUsageOID.CLIENT_AUTH],
}


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates. ``now`` is when their lives begin."""

    def __init__(self, *, now: datetime | None = None, days: int = DAYS, common_name: str = "DAOS CA") -> None:
        self._from = (now or datetime.now(UTC)) - _BACKDATED
        self._until = self._from + _BACKDATED + timedelta(days=days)
        self._key = _new_key()
        self._name = _name(common_name)
        usage = _usage(sign_certificates=True, content_commitment=True)
        constraints = x509.BasicConstraints(ca=True, path_length=1)
        self._certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, SHA512())
        )

    @property
    def certificate(self) -> bytes:
        """What others need to check our signatures, in PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    @property
    def key(self) -> bytes:
        """What is needed to sign, in PEM."""
        return _pem(self._key)

    def issue(self, component: Component) -> Issued:
        """Make a certificate for a component, with a fresh key."""
        return self.issue_named(component.value, _PURPOSES[component])

    def issue_named(self, common_name: str, purposes: list[x509.ObjectIdentifier]) -> Issued:
        """Make a certificate for any name; for tests of what happens to those with a wrong one."""
        key = _new_key()
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            self._builder(_name(common_name), key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, SHA512())
        )
        return Issued(certificate.public_bytes(Encoding.PEM), _pem(key))

    def _builder(self, subject: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._from)
            .not_valid_after(self._until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def issue_certificates(folder: Path, *, now: datetime | None = None, days: int = DAYS) -> None:
    """Create ``folder`` with everything a system needs; it is there completely or not at all.

    Raises FileExistsError if it exists: keys in use must not be lost.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists already: to make new certificates, move it away first")
    draft = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    authority = Authority(now=now, days=days)
    clients = draft / "clients"
    clients.mkdir(parents=True)
    private = draft / "private"
    private.mkdir(mode=0o700)
    _write(private / "daosCA.key", authority.key, 0o400)
    _write(draft / "daosCA.crt", authority.certificate, 0o644)
    for component in _PURPOSES:
        issued = authority.issue(component)
        _write(draft / f"{component}.key", issued.key, 0o400)
        _write(draft / f"{component}.crt", issued.certificate, 0o644)
        if component is not Component.SERVER:
            _write(clients / f"{component}.crt", issued.certificate, 0o644)
    draft.rename(folder)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.touch(mode=mode & 0o600 | 0o200)
    path.write_bytes(content)
    path.chmod(mode)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, sign_certificates: bool = False, content_commitment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_cert_sign=sign_certificates,
        content_commitment=content_commitment,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
