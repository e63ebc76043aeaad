"""What a uid and a gid are called: by this node's user database, or by the administrator's map.

The map stands in for users that the database does not know, and for them alone: a known user whose group is
unknown gets no credential.
"""

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class UnknownUser(Exception):
    """Neither the user database nor the map knows this uid."""


class UnknownGroup(Exception):
    """The user database does not know a gid that the client, or its user, has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a credential speaks for; names as access control lists have them, but without their ``@``."""

    user: str
    group: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMap:
    """Stand-in identities by uid, and perhaps one for everybody else."""

    by_uid: Mapping[int, Identity] = field(default_factory=dict)
    default: Identity | None = None

    def find(self, uid: int) -> Identity | None:
        """Return the identity for an unknown uid, or None if it stays unknown."""
        return self.by_uid.get(uid, self.default)


def look_up(uid: int, gid: int) -> Identity:
    """Ask the user database; this may take long.

    The groups are all of the user's, primary first, whatever groups the process has. Raises UnknownUser, UnknownGroup.
    """
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        raise UnknownUser(f"uid {uid} is unknown to this node's user database") from None
    return Identity(
        user=user.pw_name,
        group=_group_name(gid),
        groups=tuple(map(_group_name, os.getgrouplist(user.pw_name, user.pw_gid))),
    )


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        raise UnknownGroup(f"gid {gid} is unknown to this node's user database") from None


_LOCAL_SOURCES = frozenset({"files", "compat", "systemd", "db"})


def may_block(nsswitch: str) -> bool:
    """Whether look-ups may wait for another host, judging by the text of ``nsswitch.conf``.

    >>> may_block("passwd: files systemd"), may_block("passwd: files [NOTFOUND=return] sss")
    (False, True)
    """
    for line in nsswitch.splitlines():
        database, _, sources = line.partition("#")[0].partition(":")
        if database.strip() in {"passwd", "group", "initgroups"}:
            names = {word for word in sources.split() if not word.startswith(("[", "!")) and not word.endswith("]")}
            if not names <= _LOCAL_SOURCES:
                return True
    return False


def database_may_block(path: Path = Path("/etc/nsswitch.conf")) -> bool:
    """Whether this node's user database may have to ask another host; assume so if that cannot be read."""
    try:
        return may_block(path.read_text())
    except OSError:
        return True
