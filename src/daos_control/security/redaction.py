r"""Secrets in texts that leave a machine, such as logs for support: found line by line, and masked.

Masked are values whose name says that they are secret (``password: x``, ``AUTH_TOKEN=x``, ``--api-key x``), the
credentials in addresses (``https://user:x@host``) and in ``Authorization`` headers, a few kinds of token that are known
by their form, and private keys in PEM, of which nothing is left but where they were. Names and everything else stay, so
that a text can still be worked with.

Texts are bytes, as nobody knows how a log is encoded. Logs are large: what cannot hold a secret is passed on after a
search for a few words, and patterns are tried on the rest alone, in lower case.

>>> redacted(b"fabric_auth_key: 0000:007b\nkey: /etc/daos/certs/server.key\n")
b'fabric_auth_key: <masked>\nkey: /etc/daos/certs/server.key\n'
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

_Rest: TypeAlias = Callable[[bytes], bytes | None]

MASK: Final = b"<masked>"
KEY_REMOVED: Final = b"<private key removed>"

_KEYS: Final = tuple(b"api auth access private secret encryption signing session account master".split())
_SECRET: Final = (
    rb"(?:pass(?:word|wd|phrase|code)|(?<=[_-])pass|(?<=_)pwd|secrets?|credentials?|authorization|tokens?|cookies?"
    rb"|(?:" + b"|".join(_KEYS) + rb")[_-]?keys?)"
    rb"(?:[_-]?hash|[_-]?value|_?[0-9]+)?"
)
_VALUE: Final = rb"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\n]|'')*'|[^\s,;&\"'}\])]+"

_ONLY: Final = re.compile(  # all that a line says, as in YAML or an environment: the value may have blanks
    rb"^[ \t]*(?:- +)?(?:export +)?(?:[\w.-]*"
    + _SECRET
    + rb"|pass)[ \t]*(?:=|:(?!:))[ \t]*([^\s\"'{\[|>#](?:.*[^\s])?)"
)
_NAMED: Final = re.compile(
    _SECRET + rb"[\"']?[ \t]*(?:=|:(?!:))[ \t]*(?:(?:bearer|basic|digest)[ \t]+)?(" + _VALUE + rb")"
)
_PASS: Final = re.compile(  # too short a word to be looked for everywhere
    rb"(?:^[ \t]*(?:- +)?|[{,][ \t]*)[\"']?pass[\"']?[ \t]*(?:=|:(?!:))[ \t]*(" + _VALUE + rb")"
)
_OPTION: Final = re.compile(rb"(?<![^\s])--?[a-z0-9_-]*" + _SECRET + rb"[ \t]+(?!-)(" + _VALUE + rb")")
_ADDRESS: Final = re.compile(rb"://([^\s/@:\"']*:[^\s/\"']+)@")
_VISITOR: Final = re.compile(rb"https?://([^\s/@:\"'<]{16,})@")  # a token in place of a name
_LOGIN: Final = re.compile(rb"(?<![^\s])(?:-u|--user)(?:[ \t]+|=)[\w.-]+:(?![0-9]+(?:\s|$))(" + _VALUE + rb")")
_SSHPASS: Final = re.compile(rb"sshpass[ \t]+-p[ \t]*(" + _VALUE + rb")")
_HEADER: Final = re.compile(rb"\b(?:bearer|basic)[ \t]+([a-z0-9+/=._~-]{12,})")
_TOKEN: Final = re.compile(
    rb"(\beyj[a-z0-9_-]{8,}\.[a-z0-9_-]{8,}\.[a-z0-9_-]*"  # a JSON web token
    rb"|\bakia[a-z0-9]{16}\b|\bgh[pousr]_[a-z0-9]{30,}|\bglpat-[a-z0-9_-]{20,}|\bxox[abprs]-[a-z0-9-]{10,})"
)
_SECRETS: Final = (
    *(b"pass", b"_pwd", b"secret", b"credential", b"authoriz", b"token", b"cookie"),
    *(kind + joint + b"key" for kind in _KEYS for joint in (b"", b"_", b"-")),
    b"private key",
)
_PATTERNS: Final = (
    (_ONLY, _SECRETS),
    (_NAMED, _SECRETS),
    (_PASS, (b"pass",)),
    (_OPTION, _SECRETS),
    (_ADDRESS, (b"://",)),
    (_VISITOR, (b"://",)),
    (_LOGIN, (b"-u ", b"--user")),
    (_SSHPASS, (b"sshpass",)),
    (_HEADER, (b"bearer", b"basic")),
    (_TOKEN, (b"eyj", b"akia", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"glpat-", b"xox")),
)
_HINTS: Final = tuple(dict.fromkeys(word for _, words in _PATTERNS for word in words))
_KEY_BEGINS: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_KEY_ENDS: Final = re.compile(rb"-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----")
_BINARY_KEY: Final = re.compile(  # the ways to write a private key in DER, and a PKCS #12 store
    rb"0(?:[\x00-\x7f]|\x81.|\x82..|\x83...)"
    rb"(?:\x02\x01[\x00\x01\x03][\x02\x04\x30]|0.\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05)",
    re.DOTALL,
)
_BLOCK: Final = re.compile(rb"([ \t]*)(?:- +)?[\w.-]*" + _SECRET + rb"[\"']?:[ \t]*[|>][+-]?[0-9]?[ \t]*(?:#.*)?\r?\n?")
_NO_SECRET: Final = frozenset((b"", b"true", b"false", b"null", b"~", b"none", b"<nil>", b"(null)", b"{", b"["))


class Redactor:
    """Masks a text that comes in pieces of whole lines: keys and YAML blocks go over several."""

    def __init__(self) -> None:
        self._rest: _Rest | None = None
        """What becomes of the next line, while one is inside something; None if that has ended before it."""
        self._indent = 0

    def feed(self, lines: bytes) -> bytes:
        """Return lines without what is secret in them."""
        lowered = lines.lower()
        suspicious = iter(_suspicious_lines(lowered))
        pieces, position, start = [], 0, 0
        while position < len(lines):
            if self._rest is None:
                start = next((found for found in suspicious if found >= position), len(lines))
                pieces.append(lines[position:start])
            else:
                start = position
            position = lines.find(b"\n", start) + 1 or len(lines)
            pieces.append(self._line(lines[start:position]))
        return b"".join(pieces)

    def _line(self, line: bytes) -> bytes:
        if self._rest is not None and (masked := self._rest(line)) is not None:
            return masked
        if begins := _KEY_BEGINS.search(line):
            return masked_line(line[: begins.start()]) + KEY_REMOVED + self._key_on(line[begins.end() :])
        if block := _BLOCK.fullmatch(line.lower()):
            self._indent = len(block.group(1))
            self._rest = self._rest_of_block
            return line
        return masked_line(line)

    def _key_on(self, line: bytes) -> bytes:
        """Leave out the rest of a line on which a key has begun."""
        ends = _KEY_ENDS.search(line)
        if ends is None:
            self._rest = self._rest_of_key
            return b"\n"
        return masked_line(line[ends.end() :])

    def _rest_of_key(self, line: bytes) -> bytes:
        ends = _KEY_ENDS.search(line)
        if ends is None:
            return b""
        self._rest = None
        after = line[ends.end() :]
        return masked_line(after) if after.strip() else b""

    def _rest_of_block(self, line: bytes) -> bytes | None:
        indent = len(line) - len(line.lstrip(b" \t"))
        if not line.strip():
            return line
        if indent > self._indent:
            return line[:indent] + MASK + b"\n"
        self._rest = None
        return None


def masked_line(line: bytes) -> bytes:
    """Mask what a line tells by itself."""
    for pattern, words in _PATTERNS:
        lowered = line.lower()
        if any(word in lowered for word in words):
            line = _masked(line, lowered, pattern)
    return line


def redacted(text: bytes) -> bytes:
    """Mask a whole text."""
    return Redactor().feed(text)


def holds_key(data: bytes) -> bool:
    """Whether this is part of a file that holds a private key in PEM."""
    return bool(_KEY_BEGINS.search(data))


def is_binary_key(head: bytes) -> bool:
    """Whether a file that begins so is a private key in DER, or a store of keys."""
    return bool(_BINARY_KEY.match(head))


def redacted_environment(variables: Mapping[bytes, bytes]) -> bytes:
    """Lay out variables as ``printenv`` does; a secret of several lines is masked with all of them."""
    text = []
    for name, value in variables.items():
        is_secret = b"\n" in value and redacted(line := name + b"=x\n") != line
        text.append(name + b"=" + (MASK if is_secret else value) + b"\n")
    return redacted(b"".join(text))


def _suspicious_lines(lowered: bytes) -> list[int]:
    """Return where lines begin that have a word of a secret."""
    starts = set()
    for word in _HINTS:
        found = lowered.find(word)
        while found >= 0:
            starts.add(lowered.rfind(b"\n", 0, found) + 1)
            found = lowered.find(word, found + 1)
    return sorted(starts)


def _masked(line: bytes, lowered: bytes, pattern: re.Pattern[bytes]) -> bytes:
    """Mask the groups that a pattern finds in a line's lower case."""
    pieces, position = [], 0
    for found in pattern.finditer(lowered):
        start, end = found.span(1)
        if found.group(1).strip(b"\"'") in _NO_SECRET or line.startswith(MASK, start):
            continue
        pieces += [line[position:start], MASK]
        position = end
    return b"".join([*pieces, line[position:]])
