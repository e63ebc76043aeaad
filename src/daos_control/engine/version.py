"""Which version an engine's program is of, without running it: engines take no option that would tell."""

import re
from pathlib import Path

from daos_control.base.version import DAOS_VERSION

_ALONE = re.compile(rb"\x00v?(\d+\.\d+\.\d+)\x00")


def version_in(binary: Path) -> str:
    """Return the version that a program carries, empty if that cannot be told; a script is ours. Raises OSError."""
    content = binary.read_bytes()
    if content.startswith(b"#!"):
        return DAOS_VERSION
    found = {match.decode() for match in _ALONE.findall(content)}
    return found.pop() if len(found) == 1 else ""
