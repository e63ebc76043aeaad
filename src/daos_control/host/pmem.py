"""Persistent memory, as far as the kernel tells without the vendor's tools: which modules there are."""

from pathlib import Path


def modules(root: Path = Path("/")) -> tuple[str, ...]:
    """Return the kernel's names of this host's memory modules that keep what they hold, such as ``nmem0``."""
    return tuple(sorted(entry.name for entry in (root / "sys/bus/nd/devices").glob("nmem*")))
