"""The superblock: a small YAML file on an engine's storage that says which engine the storage belongs to.

Its presence is what "formatted" means. It is replaced whole or not at all: written beside, synced, renamed.
"""

import dataclasses
import uuid
from dataclasses import dataclass
from pathlib import Path

import yaml

from daos_control.base.durable import replace_file, sync_folder
from daos_control.base.errors import DaosControlError
from daos_control.base.rankset import NIL_RANK

FILE_NAME = "superblock"
RETIRED = ".retired"
"""Ends the name of a superblock that was taken away."""
VERSION = 1
_MODE = 0o660
_FALLBACK_SYSTEM = "daos_engine"
# libyaml's, where PyYAML was built with it, which is nearly everywhere: every start of an engine writes three of these.
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SuperblockError(DaosControlError):
    """A superblock that cannot be read or trusted; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Superblock:
    """An engine's identity. Field names and order are those of the file."""

    version: int = VERSION
    uuid: str
    system: str
    rank: int | None = None
    uri: str = ""
    validrank: bool = False
    hostfaultdomain: str
    incarnation: int = 0
    replace: bool = False
    """The engine is to take over a lost rank when it first joins. Written only then; other servers skip it."""

    @classmethod
    def new(cls, *, system: str, fault_domain: str) -> "Superblock":
        """Make the identity of an engine whose storage was just formatted."""
        return cls(uuid=str(uuid.uuid4()), system=system or _FALLBACK_SYSTEM, hostfaultdomain=fault_domain)

    @property
    def joined_rank(self) -> int | None:
        """The rank the system gave this engine, if it ever did."""
        return self.rank if self.validrank else None

    def encode(self) -> str:
        """Return the file's text."""
        document = dataclasses.asdict(self)
        if not self.replace:
            del document["replace"]
        return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False))


_TYPES: dict[str, tuple[type, ...]] = {
    "version": (int,),
    "uuid": (str,),
    "system": (str,),
    "rank": (int, type(None)),
    "uri": (str,),
    "validrank": (bool,),
    "hostfaultdomain": (str,),
    "incarnation": (int,),
    "replace": (bool,),
}
_REQUIRED = ("version", "uuid", "system")


def decode(text: str) -> Superblock:
    """Read a superblock's text; SuperblockError if it is not one."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise SuperblockError(f"not YAML: {error}") from error
    if not isinstance(document, dict):
        raise SuperblockError("not a YAML mapping")
    for key, value in document.items():
        allowed = _TYPES.get(key)
        if allowed is None:
            raise SuperblockError(f"unknown key {key!r}")
        if not isinstance(value, allowed) or (bool not in allowed and isinstance(value, bool)):
            raise SuperblockError(f"{key} has the value {value!r}")
    if missing := [key for key in _REQUIRED if key not in document]:
        raise SuperblockError(f"{' and '.join(missing)} missing")
    if document["version"] != VERSION:
        raise SuperblockError(f"version {document['version']}, where {VERSION} is known")
    if document.get("rank") == NIL_RANK:
        raise SuperblockError(f"rank {NIL_RANK}, which stands for no rank")
    return Superblock(**{"hostfaultdomain": "", **document})


def read(path: Path) -> Superblock | None:
    """Return the superblock at ``path``, or None if there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SuperblockError(f"cannot read superblock {path}: {reason}") from error
    try:
        return decode(text)
    except SuperblockError as error:
        raise SuperblockError(
            f"superblock {path} is damaged ({error}); restore it from a copy, or format the storage anew "
            "with dmg storage format --force, which loses what the engine holds"
        ) from error


def write(path: Path, superblock: Superblock) -> None:
    """Put ``superblock`` at ``path`` so that a crash leaves the old one or the new one, never a part."""
    try:
        replace_file(path, superblock.encode().encode(), mode=_MODE)
    except OSError as error:
        raise SuperblockError(f"cannot write superblock {path}: {error.strerror or error}") from error


def retire(path: Path) -> None:
    """Take the identity away, if there is one: the storage counts as unformatted from here on.

    What else is there belongs to nobody any more, which is remembered until the next format clears it away.
    """
    try:
        path.replace(_retired(path))
        sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SuperblockError(f"cannot remove superblock {path}: {error.strerror or error}") from error


def is_retired(path: Path) -> bool:
    """Whether the identity that lay at ``path`` was taken away, and the storage was not cleared since."""
    return _retired(path).exists() and not path.exists()


def _retired(path: Path) -> Path:
    return path.with_name(path.name + RETIRED)
