"""Folders and files as one user sees them."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is at a path, for the user who looks."""

    path: Path
    exists: bool
    is_folder: bool = False
    is_writable: bool = False
    """Whether files can be made in the folder, or the file be written."""
    hidden: str = ""
    """Why it cannot be looked at, if it cannot."""
    mode: int = 0
    uid: int = 0
    parent: Path | None = None
    """Of what does not exist: the nearest folder above it that does."""
    can_be_made: bool = False
    """Whether this user could make it there."""


def look_at(path: Path) -> Place:
    """Look at a path; symbolic links are followed."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        parent = next((folder for folder in path.parents if folder.exists()), Path("/"))
        may = os.access(parent, os.W_OK | os.X_OK) and parent.is_dir()
        return Place(path=path, exists=False, parent=parent, can_be_made=may)
    except OSError as error:
        return Place(path=path, exists=True, hidden=error.strerror or str(error))
    is_folder = stat.S_ISDIR(status.st_mode)
    return Place(
        path=path,
        exists=True,
        is_folder=is_folder,
        is_writable=os.access(path, os.W_OK | os.X_OK if is_folder else os.W_OK),
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
    )
