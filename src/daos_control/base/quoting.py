"""Text in double quotes, escaped the way DAOS prints it.

Fault texts carry their description quoted; tools take them apart again, so the escapes are part of the format.
"""

import re

_ESCAPE = r'\\([abfnrtv\\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})'  # compiled when first needed
_UNQUOTED = rf'(?:[^"\\\n]|{_ESCAPE})*'
_SHORT = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    "\\": r"\\",
    '"': r"\"",
}


def quoted(text: str) -> str:
    r"""Quote ``text`` so that it stays on one line.

    >>> print(quoted('say "hi"\n'))
    "say \"hi\"\n"
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def unquoted(text: str) -> str:
    r"""Take quotes and escapes away again; raises ValueError for what is not quoted as a whole.

    >>> print(unquoted('"say \\"hi\\""'))
    say "hi"
    """
    inner = text[1:-1]
    if len(text) < 2 or text[0] != '"' or text[-1] != '"' or re.fullmatch(_UNQUOTED, inner) is None:
        raise ValueError(f"{text} is not a text in quotes")
    return re.sub(_ESCAPE, _meant, inner)


def one_line(text: str) -> str:
    r"""Escape what would end a line or steer a terminal; everything else stays as it is.

    >>> print(one_line('a "b"\nc'))
    a "b"\nc
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _meant(escape: re.Match[str]) -> str:
    code = escape[1]
    if code[0] in "xuU":
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return next(char for char, short in _SHORT.items() if short == f"\\{code}")
