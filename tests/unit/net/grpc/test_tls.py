"""Tunnels between two ends that trust each other, and between those that do not."""

import os
import ssl
from pathlib import Path

import pytest

from daos_control.net.grpc.tls import (
    GENUINE_CIPHER,
    NotTrusted,
    Subject,
    Tunnel,
    check_server,
    client_context,
    server_context,
)
from daos_control.security.authority import Authority, issue_certificates
from daos_control.security.certificates import Certificates


def held(folder: Path, component: str) -> Certificates:
    names = ("daosCA.crt", f"{component}.crt", f"{component}.key")
    authority, certificate, key = ((folder / name).read_bytes() for name in names)
    return Certificates(authority=authority, certificate=certificate, key=key)


def shaken(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[Tunnel, Tunnel]:
    """Let both shake hands, and then hear each other."""
    ours, theirs = Tunnel(client), Tunnel(server)
    ours.begin()
    for _ in range(4):
        said = theirs.receive(ours.output())
        assert said == b""
        assert ours.receive(theirs.output()) == b""
    assert ours.is_open
    assert theirs.is_open
    return ours, theirs


def test_two_of_ours_speak_the_newest_version(certificates):
    ours, theirs = shaken(client_context(held(certificates, "admin")), server_context(held(certificates, "server")))
    check_server(ours)
    assert ours._tls.version() == "TLSv1.3"
    assert (theirs.peer.common_name, str(theirs.peer)) == ("admin", "CN=admin,O=DAOS")
    assert ours.speaks_http2
    assert theirs.speaks_http2
    message = os.urandom(100_000)
    ours.send(message)
    assert theirs.receive(ours.output()) == message
    theirs.send(b"yes")
    assert ours.receive(theirs.output()) == b"yes"
    ours.close()
    assert theirs.receive(ours.output()) == b""
    assert theirs.has_ended


@pytest.mark.parametrize("limited", ["client", "server"])
def test_genuine_programs_have_one_version_and_one_cipher(certificates, limited):
    contexts = {
        "client": client_context(held(certificates, "agent")),
        "server": server_context(held(certificates, "server")),
    }
    contexts[limited].maximum_version = ssl.TLSVersion.TLSv1_2
    ours, _ = shaken(contexts["client"], contexts["server"])
    assert (ours._tls.version(), ours._tls.cipher()[0]) == ("TLSv1.2", GENUINE_CIPHER)


def test_tickets_are_not_made(certificates):
    context = client_context(held(certificates, "admin"))
    ours, theirs = shaken(context, server_context(held(certificates, "server")))
    theirs.send(b"x")
    ours.receive(theirs.output())
    assert ours._tls.session is None or not ours._tls.session.has_ticket


def test_a_client_takes_none_for_a_server_but_a_server(certificates):
    ours, _ = shaken(client_context(held(certificates, "admin")), server_context(held(certificates, "server")))
    check_server(ours)
    # OpenSSL itself refuses a certificate that is not for servers; a server's name is checked on top of that.
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(client_context(held(certificates, "admin")), server_context(held(certificates, "agent")))
    authority = Authority()
    from cryptography.x509.oid import ExtendedKeyUsageOID

    posing = authority.issue_named("admin", [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    shown = Certificates(authority=authority.certificate, certificate=posing.certificate, key=posing.key)
    ours, _ = shaken(client_context(shown), server_context(shown))
    with pytest.raises(NotTrusted, match="made out to 'admin'"):
        check_server(ours)


def test_who_does_not_agree_on_http2_is_not_trusted(certificates):
    other = client_context(held(certificates, "admin"))
    mute = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mute.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    ours, _ = shaken(other, mute)
    with pytest.raises(NotTrusted, match="HTTP/2"):
        check_server(ours)


def test_strangers_are_told_why(certificates, tmp_path):
    issue_certificates(tmp_path / "other")
    ours, theirs = (
        Tunnel(client_context(held(tmp_path / "other", "admin"))),
        Tunnel(server_context(held(certificates, "server"))),
    )
    ours.begin()
    theirs.receive(ours.output())
    with pytest.raises(ssl.SSLCertVerificationError):
        ours.receive(theirs.output())
    with pytest.raises(ssl.SSLError, match="unknown ca"):
        theirs.receive(ours.output())


def test_clients_without_a_certificate_are_refused(certificates):
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname = False
    nobody.verify_mode = ssl.CERT_NONE
    ours, theirs = Tunnel(nobody), Tunnel(server_context(held(certificates, "server")))
    ours.begin()
    theirs.receive(ours.output())
    ours.receive(theirs.output())
    with pytest.raises(ssl.SSLError, match="did not return a certificate"):
        theirs.receive(ours.output())


@pytest.mark.parametrize(
    "noise", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(70_000), bytes(9)]
)
def test_noise_is_an_error(certificates, noise):
    for context in (client_context(held(certificates, "admin")), server_context(held(certificates, "server"))):
        tunnel = Tunnel(context)
        with pytest.raises(ssl.SSLError):
            tunnel.receive(noise)


@pytest.mark.parametrize(
    ("attributes", "text", "name"),
    [
        ((), "", ""),
        (((("organizationName", "DAOS"),), (("commonName", "server"),)), "CN=server,O=DAOS", "server"),
        (((("commonName", "a"),), (("commonName", "b"),)), "CN=b,CN=a", ""),
        (((("commonName", 'x,y+"z"; <#>'),),), r"CN=x\,y\+\"z\"\; \<#\>", 'x,y+"z"; <#>'),
        (((("commonName", "#é "),),), r"CN=\#\C3\A9\ ", "#é "),
        (((("organizationalUnitName", "o"), ("countryName", "DE")),), "OU=o+C=DE", ""),
        (((("1.2.3.4", "v"),),), "1.2.3.4=v", ""),
    ],
)
def test_subjects(attributes, text, name):
    subject = Subject(attributes)
    assert (str(subject), subject.common_name) == (text, name)
