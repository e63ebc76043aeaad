"""``dmg version``: which DAOS this is, without asking anybody."""

from daos_control.base.version import DAOS_REVISION, DAOS_VERSION
from daos_control.cli.flags import Values

NAME = "DAOS Admin Tool"


def version(args: Values) -> int:
    """Print the version: that of the DAOS release whose part we play."""
    if args.json:
        from daos_control.cli.ui.envelope import envelope

        facts = {"name": NAME, "version": DAOS_VERSION, "revision": DAOS_REVISION, "release": True}
        print(envelope({**facts, "build_time": "0001-01-01T00:00:00Z"}))
    else:
        print(f"{NAME} version {DAOS_VERSION}")
    return 0
