"""Secrets are masked, everything else stays, however a text is cut into pieces."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from daos_control.security.redaction import (
    KEY_REMOVED,
    MASK,
    Redactor,
    holds_key,
    is_binary_key,
    redacted,
    redacted_environment,
)

KEY = b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd==\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password: hunter2", "password: <masked>"),
        ("fabric_auth_key: 0000:007b", "fabric_auth_key: <masked>"),
        ("- D_PROVIDER_AUTH_KEY=0000:1", "- D_PROVIDER_AUTH_KEY=<masked>"),
        ("GITHUB_TOKEN=abc", "GITHUB_TOKEN=<masked>"),
        ("x MYSQL_PWD=x PWD=/root OLDPWD=/tmp", "x MYSQL_PWD=<masked> PWD=/root OLDPWD=/tmp"),
        ('{"api_key": "a \\" b", "x": 1}', '{"api_key": <masked>, "x": 1}'),
        ("secret: 'it''s'", "secret: <masked>"),
        ("{user: me, password: x}", "{user: me, password: <masked>}"),
        ("tool --password x --access-key=y -v", "tool --password <masked> --access-key=<masked> -v"),
        ("see https://me:x@host/path", "see https://<masked>@host/path"),
        ("Authorization: Basic bWU6eA==", "Authorization: <masked>"),
        ("sent authorization=Basic bWU6eA== to it", "sent authorization=Basic <masked> to it"),
        ("DB_PASSWORD=two words", "DB_PASSWORD=<masked>"),
        ("export DB_PASSWORD=two words", "export DB_PASSWORD=<masked>"),
        ("  - password: two words # and more", "  - password: <masked>"),
        ("sent Bearer abcdefghijklmnop to it", "sent Bearer <masked> to it"),
        ("x eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc y", "x <masked> y"),
        ("AKIAIOSFODNN7EXAMPLE", "<masked>"),
        ("Password : X", "Password : <masked>"),
        ("DB_PASS=x D_PASS_ON=1", "DB_PASS=<masked>"),
        ("x DB_PASS=x D_PASS_ON=1", "x DB_PASS=<masked> D_PASS_ON=1"),
        ("  smtp-pass: two words", "  smtp-pass: <masked>"),
        ("pass: x", "pass: <masked>"),
        ('{"user": "me", "pass": "x"}', '{"user": "me", "pass": <masked>}'),
        ("http://me:p@ss@host:80/x@y", "http://<masked>@host:80/x@y"),
        ("clone https://abcdefghijklmnop1234@host/x", "clone https://<masked>@host/x"),
        ("curl -u me:x http://h", "curl -u me:<masked> http://h"),
        ("curl --user=me:x", "curl --user=me:<masked>"),
        ("sshpass -p x ssh h", "sshpass -p <masked> ssh h"),
    ],
)
def test_what_is_secret_is_masked(text: str, masked: str) -> None:
    assert redacted(text.encode()) == masked.encode()
    assert redacted(masked.encode()) == masked.encode(), "a masked text is not masked again"


@pytest.mark.parametrize(
    "text",
    [
        "transport_config:\n  cert: /etc/daos/certs/server.crt\n  key: /etc/daos/certs/server.key\n",
        "credential_config: {cache_expiration: 10m}\n",
        "credential_config:\n  cache_expiration: 10m\n",
        "PWD=/root\nSSH_AUTH_SOCK=/tmp/agent\nXAUTHORITY=/home/me\n",
        "http://host:9191/metrics and name@host\n",
        "no password was given; the token is wrong; auth::module\n",
        "password: null\ntoken:\nnext: line\n",
        "2026/01/31 12:00:00.123456 node DAOS[1/2/3] object ERR  obj_enum() dkey 5: DER_NO_PERM(-1001)\n",
        "tool --password --verbose\n",
        "bypass: 1, compass=2, and 3 tests pass: all\n",
        "docker run -u 1000:1000 image; ssh://git@host/x\n",
    ],
)
def test_what_is_not_secret_stays(text: str) -> None:
    assert redacted(text.encode()) == text.encode()


def test_private_keys_are_removed_wherever_they_stand() -> None:
    assert redacted(b"before\n" + KEY + b"after\n") == b"before\n" + KEY_REMOVED + b"\nafter\n"
    assert redacted(b"log: " + KEY.replace(b"\n", b"\\n") + b" end\n") == b"log: " + KEY_REMOVED + b"\\n end\n"
    assert redacted(KEY[:50]) == KEY_REMOVED + b"\n"


def test_a_block_of_yaml_is_masked_to_its_end() -> None:
    text = b"a:\n  password: |\n    one\n\n    two\n  user: x\n- token: >-\n    three\nnext: 1\n"
    assert redacted(text) == (
        b"a:\n  password: |\n    <masked>\n\n    <masked>\n  user: x\n- token: >-\n    <masked>\nnext: 1\n"
    )


def test_values_of_variables_are_masked_with_all_their_lines() -> None:
    environment = {b"A": b"1\n2", b"A_TOKEN": b"one\ntwo", b"KEY": KEY.rstrip(), b"B": b"3"}
    text = b"A=1\n2\nA_TOKEN=<masked>\nKEY=" + KEY_REMOVED + b"\nB=3\n"
    assert redacted_environment(environment) == text


@pytest.mark.parametrize("size", [256, 384])
def test_keys_are_known_in_binary_too(size: int) -> None:
    curve = ec.generate_private_key(ec.SECP256R1() if size == 256 else ec.SECP384R1())
    hidden = BestAvailableEncryption(b"x")
    for form, how in (
        (PrivateFormat.PKCS8, NoEncryption()),
        (PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        (PrivateFormat.PKCS8, hidden),
    ):
        assert is_binary_key(curve.private_bytes(Encoding.DER, form, how))
    assert not is_binary_key(curve.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert not is_binary_key(b"0 is a digit")
    assert not is_binary_key(b"")


def test_keys_are_found_in_files() -> None:
    assert holds_key(b"some text\n-----BEGIN PRIVATE KEY-----\n")
    assert holds_key(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert not holds_key(b"-----BEGIN CERTIFICATE-----")


LINES = st.sampled_from([*KEY.splitlines(), b"password: |", b"  deep", b"", b"token: x", b"plain", b"a: b\r"])


@given(st.lists(LINES), st.integers(0, 20))
def test_pieces_make_no_difference(lines: list[bytes], cut: int) -> None:
    text = [line + b"\n" for line in lines]
    redactor = Redactor()
    assert redactor.feed(b"".join(text[:cut])) + redactor.feed(b"".join(text[cut:])) == redacted(b"".join(text))


@given(st.binary())
def test_any_bytes_are_taken(data: bytes) -> None:
    redacted(data)


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_no_password_comes_through(secret: str) -> None:
    if secret.lower() in {"true", "false", "null", "none"}:
        return
    assert redacted(f"x_password={secret}\n".encode()) == b"x_password=" + MASK + b"\n"
