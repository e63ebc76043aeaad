"""A trial handshake takes what peers take and nothing else; what it refuses is explained by a closer look."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from daos_control.base.errors import Fault
from daos_control.security import trial
from daos_control.security.authority import issue_certificates
from daos_control.security.certificate_files import CertificateFiles
from daos_control.security.certificates import load


def files(folder: Path, component: str = "admin", authority: Path | None = None, key: str = "") -> CertificateFiles:
    return CertificateFiles(
        ca_cert=(authority or folder) / "daosCA.crt",
        cert=folder / f"{component}.crt",
        key=folder / f"{key or component}.key",
    )


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """Another system's certificates; its authority has the same name."""
    issue_certificates(tmp_path / "stranger")
    return tmp_path / "stranger"


@pytest.mark.parametrize("component", ["server", "agent", "admin"])
def test_good_certificates_pass(certificates, component):
    assert trial.passes(files(certificates, component))


def test_another_key_does_not_pass(certificates):
    assert not trial.passes(files(certificates, key="agent"))


def test_another_authority_of_the_same_name_does_not_pass(certificates, stranger):
    assert not trial.passes(files(certificates, authority=stranger))


def test_a_certificate_that_is_no_authority_vouches_for_nobody(certificates, tmp_path):
    shutil.copy(certificates / "agent.crt", tmp_path / "daosCA.crt")
    assert not trial.passes(files(certificates, authority=tmp_path))


def test_a_key_with_a_password_does_not_pass_and_nobody_is_asked(certificates, tmp_path):
    folder = Path(shutil.copytree(certificates, tmp_path / "locked"))
    key = load_pem_private_key((folder / "admin.key").read_bytes(), None)
    (folder / "admin.key").unlink()
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (folder / "admin.key").write_bytes(locked)
    assert not trial.passes(files(folder))


def test_files_that_are_not_there_do_not_pass(tmp_path):
    assert not trial.passes(files(tmp_path))


@pytest.mark.parametrize(
    ("begin", "reason"), [(timedelta(days=-9), "expired"), (timedelta(days=9), "not valid before")]
)
def test_what_is_out_of_date_by_the_clock_does_not_load(tmp_path, begin, reason):
    issue_certificates(tmp_path / "certs", now=datetime.now(UTC) + begin, days=3)
    assert not trial.passes(files(tmp_path / "certs"))
    with pytest.raises(Fault) as caught:
        load(files(tmp_path / "certs"))
    assert reason in caught.value.reason


def test_good_certificates_load_without_the_large_library(certificates, subprocess_modules):
    loaded = subprocess_modules(
        "from daos_control.security.certificates import load; from daos_control.security.certificate_files import *; "
        "from pathlib import Path; "
        f"f = Path({str(certificates)!r}); "
        "load(CertificateFiles(ca_cert=f / 'daosCA.crt', cert=f / 'admin.crt', key=f / 'admin.key'))"
    )
    assert "cryptography" not in loaded


@pytest.fixture
def subprocess_modules():
    """Run code in a fresh interpreter and tell which modules it loaded."""
    import subprocess
    import sys

    def run(code: str) -> set[str]:
        command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
        return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())

    return run
