"""``daos_server_helper``: the privileged one-shot program; it takes no options."""

import sys


def main() -> None:
    """Serve the one request on standard input, or say who may start this program."""
    from daos_control.apps.helper.main import main as serve

    sys.exit(serve())
