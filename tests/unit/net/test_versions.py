"""Which releases work together, and who a caller is taken for."""

import pytest

from daos_control.base.errors import DaosControlError, Fault
from daos_control.net.rpc.status import Code, StatusError
from daos_control.net.rpc.versions import Claim, Identity, Version, compatible, identify, version_of_system
from daos_control.security.components import Component

OWN = Version(2, 8, 0)
ADMIN, AGENT, SERVER, CLIENT = Component.ADMIN, Component.AGENT, Component.SERVER, Component.CLIENT


@pytest.mark.parametrize("text", ["", "2", "2.8", "2.8.0.1", "2.8.x", "bogus", "2.8.0 ", "-2.8.0", "2.8.0\n", "٢.8.0"])
def test_a_version_is_three_numbers(text):
    with pytest.raises(ValueError, match="invalid version"):
        Version.parse(text)


def test_a_leading_v_is_tolerated():
    assert Version.parse("v2.8.0") == Version.parse("2.8.0") == OWN


@pytest.mark.parametrize(
    ("component", "version", "verdict"),
    [
        (AGENT, "2.5.9", False),
        (AGENT, "2.6.0", True),
        (AGENT, "2.10.7", True),
        (AGENT, "2.11.0", False),
        (AGENT, "3.8.0", False),
        (AGENT, "1.8.0", False),
        (ADMIN, "2.8.5", True),
        (ADMIN, "2.7.0", False),
        (ADMIN, "2.10.0", False),
        (ADMIN, "3.8.0", False),
        (SERVER, "2.8.1", True),
        (SERVER, "2.9.0", False),
        (CLIENT, "2.8.0", True),
    ],
)
def test_compatibility(component, version, verdict):
    assert compatible(OWN, component, Version.parse(version)) is verdict


def test_equal_versions_always_work():
    old = Version(1, 2, 3)
    assert compatible(old, SERVER, old)


@pytest.mark.parametrize(
    ("sys", "version"),
    [
        ("daos_server-2.8.0", "2.8.0"),
        ("my-system-2.6.1", "2.6.1"),
        ("daos_server", "0.0.0"),
        ("a-b", "0.0.0"),
        ("", "0.0.0"),
    ],
)
def test_the_system_name_tells_the_version(sys, version):
    assert str(version_of_system(sys)) == version


def claim(
    component: str | None = None, version: str | None = None, cert: Component | None = None, *, secure: bool
) -> Claim:
    return Claim(component_header=component, version_header=version, certificate=cert, secure=secure)


@pytest.mark.parametrize(
    ("who", "sys", "identity"),
    [
        pytest.param(claim("admin", "2.8.0", ADMIN, secure=True), None, (ADMIN, "2.8.0"), id="headers as certified"),
        pytest.param(claim("agent", "2.6.0", AGENT, secure=True), "x", (AGENT, "2.6.0"), id="an older agent"),
        pytest.param(
            claim("agent", "2.10.0", secure=False), "x", (AGENT, "2.10.0"), id="insecure: headers are believed"
        ),
        pytest.param(claim(cert=SERVER, secure=True), None, (SERVER, None), id="no headers, no sys: not judged"),
        pytest.param(claim(secure=False), None, (SERVER, None), id="insecure, no headers, no sys"),
        pytest.param(claim(cert=AGENT, secure=True), "d-2.6.3", (AGENT, "2.6.3"), id="version of the system name"),
        pytest.param(claim(secure=False), "d-2.8.0", (SERVER, "2.8.0"), id="insecure: the same version"),
        pytest.param(claim("admin", None, ADMIN, secure=True), "d-2.8.1", (ADMIN, "2.8.1"), id="half the headers"),
        pytest.param(claim(cert=None, secure=True), None, (None, None), id="a certificate of nobody's, not judged"),
    ],
)
def test_callers_who_are_served(who, sys, identity):
    component, version = identity
    assert identify(who, OWN, lambda: sys) == Identity(component, version and Version.parse(version))


@pytest.mark.parametrize(
    ("who", "sys", "code"),
    [
        pytest.param(claim("admin", "2.6.0", ADMIN, secure=True), "d", 616, id="an older dmg"),
        pytest.param(claim("admin", "3.0.0", secure=False), "d", 616, id="a newer dmg"),
        pytest.param(claim(cert=ADMIN, secure=True), "d-2.7.0", 616, id="by system name"),
        pytest.param(claim(cert=ADMIN, secure=True), "d", 616, id="a system name without version"),
        pytest.param(claim(cert=None, secure=True), "d-2.8.0", 616, id="a certificate of nobody's"),
        pytest.param(claim(secure=False), "d-2.8.1", 617, id="insecure, nearly the same version"),
        pytest.param(claim(secure=False), "", 617, id="insecure, no version at all"),
    ],
)
def test_callers_who_are_refused(who, sys, code):
    with pytest.raises(Fault) as caught:
        identify(who, OWN, lambda: sys)
    assert (caught.value.domain, caught.value.code) == ("server", code)


def test_a_header_against_its_certificate_is_denied():
    for cert in (AGENT, None):
        with pytest.raises(StatusError) as caught:
            identify(claim("admin", "2.8.0", cert, secure=True), OWN, lambda: "d")
        assert caught.value.code == Code.PERMISSION_DENIED


@pytest.mark.parametrize(("component", "version"), [("admin", "bogus"), ("root", "2.8.0"), ("", "2.8.0")])
def test_headers_that_make_no_sense_are_an_error_without_a_number(component, version):
    with pytest.raises(DaosControlError) as caught:
        identify(claim(component, version, secure=False), OWN, lambda: "d-2.8.0")
    assert type(caught.value) is DaosControlError
    assert "headers" in str(caught.value)


def test_the_request_is_only_read_if_it_must_be():
    identify(claim("admin", "2.8.0", secure=False), OWN, lambda: pytest.fail("sys was read"))
