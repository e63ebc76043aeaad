"""Text in double quotes, escaped the way DAOS prints it.

Fault texts carry their description quoted; tools take them apart again, so the escapes are part of the format.
"""

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
