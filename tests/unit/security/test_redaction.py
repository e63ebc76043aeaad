"""Secrets are masked, everything else stays, however a text is cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.security.redaction import KEY_REMOVED, MASK, Redactor, holds_key, redacted

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
