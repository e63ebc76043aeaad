"""The YAML that small configuration files are written in, read without loading a YAML library.

``import yaml`` takes a fifth of a short ``dmg`` command's time, most of it for compiling expressions about documents
that nobody writes. This reads ``key: word`` lines, sections of them, and lists of words. Whatever else there may be in
a document (quotes with anything unusual in them, anchors, tabs, comments behind values, words that could be numbers of
some odd notation) makes ``compose`` return None, and the caller asks the library. Where it does answer, it answers as
the library does; a property test holds it to that. Nodes look like PyYAML's: ``id``, ``tag``, ``value``,
``start_mark.line``.
"""

from typing import Any, Final

NULL: Final = "tag:yaml.org,2002:null"
BOOL: Final = "tag:yaml.org,2002:bool"
STR: Final = "tag:yaml.org,2002:str"
INT: Final = "tag:yaml.org,2002:int"
_MAP: Final = "tag:yaml.org,2002:map"
_SEQ: Final = "tag:yaml.org,2002:seq"

_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS: Final = frozenset("0123456789")
_KEY: Final = _LETTERS | _DIGITS | {"_"}
_WORD: Final = _KEY | {".", "/", "-", "+", "@"}
_NULLS: Final = frozenset({"null", "Null", "NULL"})
_BOOLS: Final = frozenset(
    form for word in ("yes", "no", "true", "false", "on", "off") for form in (word, word.capitalize(), word.upper())
)
_IPV4_PARTS: Final = 4


class _NotPlain(Exception):
    """This document is for the library."""


class Mark:
    """Where a node begins; lines count from 0."""

    __slots__ = ("line",)

    def __init__(self, line: int) -> None:
        self.line = line


class Node:
    """A node of a document; ``value`` is a text, a list of nodes, or a list of pairs of nodes, as ``id`` says."""

    __slots__ = ("id", "start_mark", "tag", "value")

    def __init__(self, kind: str, tag: str, value: Any, line: int) -> None:
        self.id = kind
        self.tag = tag
        self.value = value
        self.start_mark = Mark(line)


def compose(text: str | bytes) -> Node | None:
    """Return the document's root node, or None if it takes a YAML library to read it."""
    try:
        whole = (text.decode("ascii") if isinstance(text, bytes) else text).split("\n")
        if not all(line.isprintable() for line in whole):
            return None
        lines = [
            (number, len(line) - len(line.lstrip(" ")), line.strip(" "))
            for number, line in enumerate(whole)
            if line.strip(" ") and line.lstrip(" ")[0] != "#"
        ]
        if not lines:
            return None
        root, rest = _mapping(lines, 0, 0)
    except (_NotPlain, UnicodeDecodeError):
        return None
    return root if rest == len(lines) else None


_Lines = list[tuple[int, int, str]]


def _mapping(lines: _Lines, at: int, indent: int) -> tuple[Node, int]:
    """Read the entries that stand ``indent`` deep, from line ``at`` on; return the line behind them."""
    first = lines[at][0]
    entries = []
    while at < len(lines) and lines[at][1] == indent:
        number, _, line = lines[at]
        if line[0] == "-":
            break
        key, colon, value = line.partition(":")
        if not colon or not key or key[0] not in _LETTERS or not _KEY.issuperset(key) or key in _NULLS | _BOOLS:
            raise _NotPlain
        at += 1
        if value:
            node = _value(value, number)
        else:
            node, at = _below(lines, at, indent, number)
        entries.append((Node("scalar", STR, key, number), node))
    if at < len(lines) and lines[at][1] > indent:
        raise _NotPlain
    return Node("mapping", _MAP, entries, first), at


def _below(lines: _Lines, at: int, indent: int, number: int) -> tuple[Node, int]:
    """Read what belongs to a key without a value: a section, a list, or nothing."""
    if at < len(lines):
        deeper, line = lines[at][1], lines[at][2]
        if line.startswith("- ") and deeper >= indent:
            return _sequence(lines, at, deeper)
        if deeper > indent:
            return _mapping(lines, at, deeper)
    return Node("scalar", NULL, "", number), at


def _sequence(lines: _Lines, at: int, indent: int) -> tuple[Node, int]:
    first = lines[at][0]
    items = []
    while at < len(lines) and lines[at][1] == indent and lines[at][2].startswith("- "):
        items.append(_word(lines[at][2][2:].strip(" "), lines[at][0]))
        at += 1
    if at < len(lines) and lines[at][1] > indent:
        raise _NotPlain
    return Node("sequence", _SEQ, items, first), at


def _value(text: str, line: int) -> Node:
    """Read what stands behind a key's colon: a word, or a list of words in brackets."""
    if text[0] != " ":
        raise _NotPlain
    text = text.strip(" ")
    if text[0] != "[":
        return _word(text, line)
    if text[-1] != "]":
        raise _NotPlain
    inner = text[1:-1].strip(" ")
    items = [_word(item.strip(" "), line, in_brackets=True) for item in inner.split(",")] if inner else []
    return Node("sequence", _SEQ, items, line)


def _word(text: str, line: int, *, in_brackets: bool = False) -> Node:
    """Read a scalar that is one word, quoted or not."""
    if not text:
        raise _NotPlain
    first = text[0]
    if first in "'\"":
        inner = text[1:-1]
        if not inner or text[-1] != first or not (_WORD | {":"}).issuperset(inner):
            raise _NotPlain
        return Node("scalar", STR, inner, line)
    host, colon, port = text.partition(":")
    if not _WORD.issuperset(host) or (colon and (in_brackets or not port or not _DIGITS.issuperset(port))):
        raise _NotPlain
    if first in _DIGITS:
        return Node("scalar", _number_tag(host, with_port=bool(colon)), text, line)
    if first not in _LETTERS and first != "/":
        raise _NotPlain
    tag = NULL if text in _NULLS else BOOL if text in _BOOLS else STR
    return Node("scalar", tag, text, line)


def _number_tag(text: str, *, with_port: bool) -> str:
    """Tell a decimal number from an IPv4 address; anything else that begins with a digit is for the library."""
    parts = text.split(".")
    if not all(part and _DIGITS.issuperset(part) for part in parts):
        raise _NotPlain
    if len(parts) == _IPV4_PARTS:
        return STR
    if len(parts) > 1 or with_port or (text[0] == "0" and text != "0"):
        raise _NotPlain
    return INT
