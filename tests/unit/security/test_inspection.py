"""Certificates looked at from all sides."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daos_control.base.fault_codes import FaultCode
from daos_control.security.authority import Authority
from daos_control.security.certificates import CertificateFiles
from daos_control.security.components import Component
from daos_control.security.inspection import inspect

NOW = datetime.now(UTC)


@pytest.fixture
def files(certificates: Path, tmp_path: Path) -> CertificateFiles:
    folder = tmp_path / "certs"
    shutil.copytree(certificates, folder)
    return CertificateFiles(
        ca_cert=folder / "daosCA.crt",
        cert=folder / "server.crt",
        key=folder / "server.key",
        client_cert_dir=folder / "clients",
    )


def test_good_ones(files):
    found = inspect(files, NOW)
    assert found.problems == ()
    assert found.certificate is not None
    assert found.certificate.name == "server"
    assert [one.name for one in found.authorities] == ["DAOS CA"]
    assert found.certificate.ends > NOW + timedelta(days=1000)


def test_all_that_is_wrong_is_told(files):
    shutil.rmtree(files.client_cert_dir)
    files.ca_cert.unlink()
    files.key.chmod(0o600)
    problems = inspect(files, NOW).problems
    assert len(problems) == 3
    assert "client certificates" in str(problems[0])
    assert problems[1].code == FaultCode.SECURITY_MISSING_CERT_FILE
    assert f"chmod 400 {files.key}" in str(problems[2])


def test_one_that_has_expired(files):
    found = inspect(files, NOW + timedelta(days=2000))
    assert [problem.code for problem in found.problems] == [FaultCode.SECURITY_INVALID_CERT]
    assert "is not valid: expired on" in str(found.problems[0])
    assert found.certificate is not None


def test_a_key_of_another_and_an_authority_of_another(files):
    strange = Authority().issue(Component.SERVER)
    files.cert.chmod(0o644)
    files.cert.write_bytes(strange.certificate)
    problems = " ".join(map(str, inspect(files, NOW).problems))
    assert "does not belong to the certificate" in problems
    assert "was signed by" in problems


def test_what_is_no_certificate(files):
    files.cert.write_text("hello")
    found = inspect(files, NOW)
    assert found.certificate is None
    assert "no certificate in PEM form" in str(found.problems[0])


def test_each_mistake_says_what_to_do(files):
    files.cert.write_text("hello")
    assert str(inspect(files, NOW).problems[0]) == (
        f"{files.cert} holds no certificate in PEM form; put the right file there, or correct transport_config"
    )
    strange = Authority().issue(Component.SERVER)
    files.cert.write_bytes(strange.certificate)
    assert all("; " in str(problem) for problem in inspect(files, NOW).problems)


def test_since_when_it_is_good(files):
    found = inspect(files, NOW)
    assert found.certificate is not None
    assert found.certificate.begins < NOW < found.certificate.ends
