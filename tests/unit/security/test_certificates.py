"""Certificate files are checked when they are read, and each mistake is told apart."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from daos_control.base.errors import Fault
from daos_control.security.authority import issue_certificates
from daos_control.security.certificates import (
    ADMIN_KEY_MODE,
    CertificateError,
    CertificateFiles,
    Certificates,
    load,
)
from daos_control.security.chains import read_client_certificate


@pytest.fixture
def folder(certificates: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(certificates, tmp_path / "certs"))


def files(folder: Path, component: str = "server", **changes) -> CertificateFiles:
    return CertificateFiles(
        ca_cert=changes.pop("ca_cert", folder / "daosCA.crt"),
        cert=changes.pop("cert", folder / f"{component}.crt"),
        key=changes.pop("key", folder / f"{component}.key"),
        **changes,
    )


def replace(path: Path, content: bytes, mode: int = 0o400) -> None:
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)


def fault_of(what: CertificateFiles, **options) -> int:
    with pytest.raises(Fault) as caught:
        load(what, **options)
    assert caught.value.domain == "security"
    return caught.value.code


@pytest.mark.parametrize("component", ["server", "agent", "admin"])
def test_what_the_authority_makes_loads(certificates, component):
    loaded = load(files(certificates, component))
    assert loaded == Certificates(
        authority=(certificates / "daosCA.crt").read_bytes(),
        certificate=(certificates / f"{component}.crt").read_bytes(),
        key=(certificates / f"{component}.key").read_bytes(),
    )


def test_links_are_followed(folder, tmp_path):
    link = tmp_path / "link.crt"
    link.symlink_to(folder / "server.crt")
    load(files(folder, cert=link))


def test_text_before_the_pem_block_is_fine(folder):
    text = b"Certificate:\n    Data:\n        Version: 3 (0x2)\n"
    replace(folder / "server.crt", text + (folder / "server.crt").read_bytes(), 0o644)
    load(files(folder))


def test_several_authorities_may_share_a_file(folder, tmp_path):
    other = tmp_path / "other"
    issue_certificates(other)
    both = (other / "daosCA.crt").read_bytes() + (folder / "daosCA.crt").read_bytes()
    replace(folder / "daosCA.crt", both, 0o644)
    load(files(folder))


@pytest.mark.parametrize("role", ["ca_cert", "cert", "key"])
def test_a_missing_file_is_a_fault(folder, role):
    assert fault_of(files(folder, **{role: folder / "missing"})) == 901
    assert fault_of(files(folder, **{role: folder / "server.crt" / "below"})) == 901


@contextmanager
def somebody() -> Iterator[None]:
    """Be a user whom permissions mean something to."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["daosCA.crt", "server.crt", "server.key", "clients"])
def test_a_file_that_may_not_be_read_is_a_fault(certificates, name):
    load(files(certificates))  # first as ourselves: libraries are loaded with our rights
    with TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = Path(shutil.copytree(certificates, Path(place) / "certs"))
        folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder / "server.key", 65534, -1)
        (folder / name).chmod(0)
        with somebody():
            assert fault_of(files(folder, client_cert_dir=folder / "clients")) == 902
        (folder / name).chmod(0o700)


@pytest.mark.parametrize("role", ["ca_cert", "cert", "key"])
def test_a_folder_is_no_certificate(folder, role):
    with pytest.raises(CertificateError, match="not a regular file"):
        load(files(folder, **{role: folder}))


@pytest.mark.parametrize(
    ("name", "mode", "suggested"),
    [
        ("server.key", 0o600, "400"),
        ("server.key", 0o440, "400"),
        ("server.crt", 0o666, "664"),
        ("daosCA.crt", 0o755, "664"),
    ],
)
def test_permissions_that_are_too_wide_are_told_with_the_remedy(folder, name, mode, suggested):
    (folder / name).chmod(mode)
    with pytest.raises(CertificateError, match=f"{mode:04o}.*chmod {suggested}"):
        load(files(folder))


def test_an_administrators_key_may_belong_to_a_group(folder):
    (folder / "admin.key").chmod(0o440)
    load(files(folder, "admin", key_mode=ADMIN_KEY_MODE))
    with pytest.raises(CertificateError):
        load(files(folder, "admin"))


def test_the_key_must_belong_to_the_certificate(folder):
    with pytest.raises(CertificateError, match="does not belong"):
        load(files(folder, key=folder / "agent.key"))


@pytest.mark.parametrize("name", ["server.crt", "server.key", "daosCA.crt"])
@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_junk_is_an_error(folder, name, content):
    replace(folder / name, content)
    with pytest.raises(CertificateError, match=name):
        load(files(folder))


def test_another_authority_is_a_stranger(folder, tmp_path):
    other = tmp_path / "other"
    issue_certificates(other)
    with pytest.raises(CertificateError, match="signed by"):
        load(files(folder, ca_cert=other / "daosCA.crt"))


@pytest.mark.parametrize("days", [-1, 2000])
def test_dates_are_checked(certificates, days):
    assert fault_of(files(certificates), now=datetime.now(UTC) + timedelta(days=days)) == 903


def test_an_issuer_that_is_no_authority_vouches_for_nobody(folder, certificates):
    """A component's own key must not be able to make certificates."""
    server = x509.load_pem_x509_certificate((folder / "agent.crt").read_bytes())
    with pytest.raises(CertificateError, match="signed by"):
        load(files(folder, ca_cert=folder / "agent.crt"))
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_folder_of_client_certificates_must_be_there(folder):
    load(files(folder, client_cert_dir=folder / "clients"))
    with pytest.raises(CertificateError, match="client_cert_dir"):
        load(files(folder, client_cert_dir=folder / "nowhere"))


def test_what_the_authority_makes_is_what_daos_makes(certificates):
    def parsed(name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((certificates / f"{name}.crt").read_bytes())

    authority = parsed("daosCA")
    assert authority.subject.rfc4514_string() == "CN=DAOS CA,O=DAOS"
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 1)
    for name in ("server", "agent", "admin"):
        leaf = parsed(name)
        assert leaf.subject.rfc4514_string() == f"CN={name},O=DAOS"
        assert leaf.signature_hash_algorithm is not None
        assert leaf.signature_hash_algorithm.name == "sha512"
        key = leaf.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == 3072
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert usage.value.digital_signature
        assert usage.value.key_encipherment
        purposes = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        wanted = {ExtendedKeyUsageOID.CLIENT_AUTH} | ({ExtendedKeyUsageOID.SERVER_AUTH} if name == "server" else set())
        assert purposes == wanted
        with pytest.raises(x509.ExtensionNotFound):
            leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 1095


def test_the_folder_is_laid_out_like_daos_does(certificates):
    modes = {str(path.relative_to(certificates)): stat.S_IMODE(path.stat().st_mode) for path in certificates.rglob("*")}
    assert modes.pop("private") == 0o700
    assert {name: mode for name, mode in modes.items() if name.endswith(".key")} == dict.fromkeys(
        ["private/daosCA.key", "server.key", "agent.key", "admin.key"], 0o400
    )
    assert {name: mode for name, mode in modes.items() if name.endswith(".crt")} == dict.fromkeys(
        ["daosCA.crt", "server.crt", "agent.crt", "admin.crt", "clients/agent.crt", "clients/admin.crt"], 0o644
    )


def test_certificates_in_use_are_never_replaced(certificates):
    before = (certificates / "daosCA.crt").read_bytes()
    with pytest.raises(FileExistsError):
        issue_certificates(certificates)
    assert (certificates / "daosCA.crt").read_bytes() == before


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_agrees(certificates):
    command = ["openssl", "verify", "-x509_strict", "-CAfile", certificates / "daosCA.crt"]
    subprocess.run([*command, "-purpose", "sslserver", certificates / "server.crt"], check=True, capture_output=True)
    for name in ("server", "agent", "admin"):
        purpose = [*command, "-purpose", "sslclient", certificates / f"{name}.crt"]
        subprocess.run(purpose, check=True, capture_output=True)


def test_a_client_certificate_is_read_by_its_origin(certificates):
    certificate = read_client_certificate(certificates / "clients", "agent")
    assert certificate.subject.rfc4514_string() == "CN=agent,O=DAOS"


@pytest.mark.parametrize("origin", ["", ".", "..", "../server", "clients/agent", "/etc/passwd", "agent\0", "nobody"])
def test_an_origin_is_a_plain_name_of_a_file_that_is_there(certificates, origin):
    with pytest.raises((CertificateError, Fault)):
        read_client_certificate(certificates / "clients", origin)


def test_a_client_certificate_stands_alone(folder):
    path = folder / "clients" / "agent.crt"
    pem = path.read_bytes()
    for content in (pem + pem, pem + b"more\n", pem + b"\n", b""):
        replace(path, content, 0o644)
        with pytest.raises(CertificateError):
            read_client_certificate(folder / "clients", "agent")
    for content in (pem, pem.rstrip(b"\n"), b"text before\n" + pem):
        replace(path, content, 0o644)
        read_client_certificate(folder / "clients", "agent")
    path.chmod(0o777)
    with pytest.raises(CertificateError, match="chmod"):
        read_client_certificate(folder / "clients", "agent")
