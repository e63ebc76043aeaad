"""Folders and files that a program writes to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.doctor.view import View
from daos_control.host.places import Place

TOPIC = Topic("permissions")
LONGEST_SOCKET_PATH = 107
"""Bytes: what the kernel takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketFolder:
    """The folder in which a program has its sockets."""

    key: str
    place: Place
    longest_name: str
    """The longest name of a socket there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A file that is appended to."""

    key: str
    place: Place


def check_socket_folder(view: View, folder: SocketFolder) -> Iterator[Finding]:
    """It must be there and writable, and its path short enough for the kernel."""
    path = folder.place.path
    longest = len(str(path / folder.longest_name).encode())
    if longest > LONGEST_SOCKET_PATH:
        yield TOPIC.problem(
            folder.key,
            f"sockets in {path} would have paths of {longest} bytes, and the kernel takes {LONGEST_SOCKET_PATH}",
            f"set {folder.key} to a shorter path",
        )
    yield _folder(view, folder.key, folder.place)


def _folder(view: View, key: str, place: Place) -> Finding:
    path = place.path
    if place.hidden:
        return TOPIC.problem(key, f"{path}: {place.hidden}", f"let {view.user} into the folders above it, or set {key}")
    if not place.exists:
        make = f"install -d -o {view.user} {path}"
        return TOPIC.problem(key, f"{path} does not exist", f"make it: {make}; under systemd, RuntimeDirectory does")
    if not place.is_folder:
        return TOPIC.problem(key, f"{path} is not a folder", f"move it away, or set {key}")
    if not place.is_writable:
        return TOPIC.problem(
            key,
            f"{view.user} may not write to {path} (mode {place.mode:04o}, owner {place.uid})",
            f"run the program as its owner, or: chown {view.user} {path}",
        )
    return TOPIC.ok(key, f"{path} is writable for {view.user}")


def check_logs(view: View, logs: Sequence[LogFile]) -> Iterator[Finding]:
    """Each must be writable, or can be made."""
    if not logs:
        yield TOPIC.not_applicable("logs", "no log file is configured: the console gets everything")
    for log in logs:
        place = log.place
        if place.hidden:
            yield TOPIC.problem(log.key, f"{place.path}: {place.hidden}", f"let {view.user} into the folders above it")
        elif place.exists and (place.is_folder or not place.is_writable):
            what = "is a folder" if place.is_folder else f"is not writable for {view.user}"
            yield TOPIC.problem(log.key, f"{place.path} {what}", f"correct {log.key}, or give the file to {view.user}")
        elif not place.exists and place.parent != place.path.parent:
            yield TOPIC.problem(
                log.key,
                f"the folder {place.path.parent} does not exist",
                f"make it: install -d -o {view.user} {place.path.parent}",
            )
        elif not place.exists and not place.can_be_made:
            yield TOPIC.problem(
                log.key,
                f"{view.user} may not make files in {place.path.parent}",
                f"give the folder to {view.user}, or make the file: install -o {view.user} /dev/null {place.path}",
            )
        else:
            yield TOPIC.ok(log.key, f"{place.path} can be written")
