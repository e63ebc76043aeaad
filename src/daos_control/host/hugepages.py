"""Huge pages beyond their counts: the kernel's transparent ones, and files of them that dead processes left behind."""

import re
from pathlib import Path

_CHOSEN = re.compile(r"\[(\w+)\]")
_SPDK_MAP = re.compile(r"spdk_pid(\d+)map.*")


def transparent(root: Path = Path("/")) -> str:
    """Return when the kernel joins pages unasked: ``always``, ``madvise``, ``never``; empty if it does not tell."""
    try:
        text = (root / "sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:  # a kernel that cannot do it
        return ""
    match = _CHOSEN.search(text)
    return match[1] if match else ""


def abandoned_files(root: Path = Path("/")) -> tuple[Path, ...]:
    """Return the files in which processes kept huge pages that are not there any more: the pages are still taken."""
    found = []
    for path in sorted((root / "dev/hugepages").glob("spdk_pid*map*")):
        match = _SPDK_MAP.fullmatch(path.name)
        if match and not (root / "proc" / match[1]).is_dir():
            found.append(path)
    return tuple(found)
