"""Files that a crash or a loss of power leaves whole: written beside, synced, and renamed into their place."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put a file in the place of another, or of none: afterwards there is the old one or the new, never a part.

    ``mode`` is that of the file; without one it is what the umask leaves. Raises OSError.
    """
    staging = path.with_name(path.name + ".staging")
    with staging.open("wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have what was made, renamed or removed in a folder survive a loss of power. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
