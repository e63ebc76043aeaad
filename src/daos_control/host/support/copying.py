"""Copying what goes to support: whole files or the lines of some days, without the secrets in them.

Texts are masked line by line, those that are packed with gzip as well. Files that are something else are copied as they
are, but for those that are private keys by their name or by what is in them: they stay where they are. Only regular
files are opened: a link may lead anywhere, and a pipe may never end.
"""

import gzip
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from daos_control.host.support.folder import Folder
from daos_control.host.support.window import Window
from daos_control.security.redaction import Redactor, holds_key, is_binary_key, redacted

KEY_SUFFIXES: Final = frozenset({".key", ".p12", ".pfx", ".jks", ".keystore", ".keytab", ".kdbx", ".ppk"})
"""Files that hold keys, whatever is in them."""
_PIECE: Final = 1 << 20
_HEAD: Final = 1 << 13


class LeftOut(Exception):
    """A file was not copied, and should not be; the text says why."""


def copy_file(source: Path, folder: Folder, *, window: Window | None = None, stamp_first: bool = False) -> str:
    """Copy a file under its name, and return a remark if it was not looked into.

    With a window, only what lies inside, as the lines' stamps say. Raises LeftOut, or OSError.
    """
    if source.suffix.lower() in KEY_SUFFIXES:
        raise LeftOut("private keys stay where they are")
    packed = source.suffix == ".gz"
    with _opened(source) as raw, _unpacked(raw) if packed else raw as file:
        try:
            is_text = _is_text(file)
        except (gzip.BadGzipFile, EOFError) as error:
            raise LeftOut(f"it is not packed as its name says: {error}") from error
        with folder.create(source.name) as sink, _packing(sink) if packed else sink as target:
            if not is_text:
                shutil.copyfileobj(file, target, _PIECE)
                return "copied as it is, since it is no text"
            redactor = Redactor()
            for lines in _pieces(file) if window is None else window.select(file, stamp_first=stamp_first):
                target.write(redactor.feed(lines))
    return ""


def write_masked(text: bytes, folder: Folder, name: str) -> None:
    """Write a text without the secrets in it."""
    with folder.create(name) as sink:
        sink.write(redacted(text))


def _opened(source: Path) -> BinaryIO:
    file = os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise LeftOut("it is no regular file")
    return file


def _unpacked(file: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb"))


def _packing(sink: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=sink, mode="wb", filename=""))


def _is_text(file: BinaryIO) -> bool:
    """Look at a file's beginning, and go back there. Raises LeftOut if it is a key in some other form than text."""
    head = file.read(_HEAD)
    file.seek(0)
    is_text = b"\0" not in head
    if is_binary_key(head) or (not is_text and holds_key(head)):
        raise LeftOut("it holds a private key")
    return is_text


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Read many whole lines at once."""
    while piece := file.read(_PIECE):
        yield piece + file.readline()
