"""``version`` of the daemons: which DAOS they stand for."""

from typing import Any

from daos_control.base.version import DAOS_REVISION, DAOS_VERSION
from daos_control.cli.flags import Values


def tell_version(values: Values, name: str) -> dict[str, Any]:
    """Print the version of a program that DAOS calls by this name; return its document."""
    if not values.json:
        print(f"{name} version {DAOS_VERSION}")
    facts = {"name": name, "version": DAOS_VERSION, "revision": DAOS_REVISION, "release": True}
    return facts | {"build_time": "0001-01-01T00:00:00Z"}
