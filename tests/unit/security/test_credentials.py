"""A credential counts if an agent that servers know has signed it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from daos_control.base.der import Der
from daos_control.security.certificates import CertificateError
from daos_control.security.credentials import signer, validate
from daos_control.security.tokens import hash_token, signed_bytes
from daos_control.wire.pb.security.auth_pb2 import AUTH_SYS, Credential, Sys, Token, ValidateCredReq

TOKEN = Token(flavor=AUTH_SYS, data=Sys(machinename="c1", user="ada@", group="ada@").SerializeToString())


def request(verifier: bytes, token: Token = TOKEN, origin: str = "agent") -> ValidateCredReq:
    return ValidateCredReq(cred=Credential(token=token, verifier=Token(flavor=AUTH_SYS, data=verifier), origin=origin))


@pytest.fixture
def sign(certificates):
    return signer((certificates / "agent.key").read_bytes())


@pytest.fixture
def clients(certificates) -> Path:
    return certificates / "clients"


def test_the_signed_bytes_are_the_canonical_token():
    assert signed_bytes(TOKEN) == b"\x08\x01\x12" + bytes([len(TOKEN.data)]) + TOKEN.data
    assert len(hash_token(TOKEN)) == 64


def test_a_signature_is_as_long_as_the_key_and_never_the_same_twice(sign):
    assert len(sign(TOKEN)) == 384
    assert sign(TOKEN) != sign(TOKEN)


def test_what_an_agent_signs_is_genuine_and_echoed(sign, clients):
    reply = validate(request(sign(TOKEN)), client_certificates=clients)
    assert (reply.status, reply.token) == (0, TOKEN)


def test_a_hash_is_enough_when_insecure():
    assert validate(request(hash_token(TOKEN)), client_certificates=None).token == TOKEN


def test_fields_from_the_future_are_signed_and_echoed_too(sign, clients):
    token = Token.FromString(TOKEN.SerializeToString() + b"\x1a\x03new")
    assert validate(request(sign(token), token), client_certificates=clients).token == token
    stripped = validate(request(sign(token), TOKEN), client_certificates=clients)
    assert stripped.status == Der.NO_PERM


@pytest.mark.parametrize("other", [Sys(user="root@"), Sys(user="ada@"), Sys()])
def test_a_changed_token_is_not_genuine(sign, clients, other):
    token = Token(flavor=AUTH_SYS, data=other.SerializeToString())
    assert validate(request(sign(TOKEN), token), client_certificates=clients).status == Der.NO_PERM
    assert validate(request(hash_token(TOKEN), token), client_certificates=None).status == Der.NO_PERM


def test_modes_do_not_mix(sign, clients):
    assert validate(request(hash_token(TOKEN)), client_certificates=clients).status == Der.NO_PERM
    assert validate(request(sign(TOKEN)), client_certificates=None).status == Der.NO_PERM


def test_the_origin_says_whose_key_it_must_be(certificates, sign, clients):
    assert validate(request(sign(TOKEN), origin="admin"), client_certificates=clients).status == Der.NO_PERM
    admin = signer((certificates / "admin.key").read_bytes())
    assert validate(request(admin(TOKEN), origin="admin"), client_certificates=clients).status == 0


@pytest.mark.parametrize("origin", ["", "nobody", "../agent", "../clients/agent", "/tmp/x"])
def test_without_a_certificate_nobody_is_believed(sign, clients, origin):
    assert validate(request(sign(TOKEN), origin=origin), client_certificates=clients).status == Der.NO_CERT


@pytest.mark.parametrize("lacking", ["cred", "token", "verifier"])
def test_an_incomplete_credential_is_invalid(sign, clients, lacking):
    incomplete = request(sign(TOKEN))
    (incomplete if lacking == "cred" else incomplete.cred).ClearField(lacking)
    for folder in (clients, None):
        reply = validate(incomplete, client_certificates=folder)
        assert (reply.status, reply.HasField("token")) == (Der.INVAL, False)


@pytest.mark.parametrize("verifier", [b"", b"x", b"\0" * 384, b"\xff" * 384, b"x" * 5000])
def test_noise_is_no_signature(clients, verifier):
    for folder in (clients, None):
        assert validate(request(verifier), client_certificates=folder).status == Der.NO_PERM


def test_only_rsa_keys_sign():
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in (key, b"junk", b""):
        with pytest.raises(CertificateError):
            signer(pem)
