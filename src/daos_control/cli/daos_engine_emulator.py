"""``daos_engine_emulator``: run an emulated engine; the command line is daos_engine's."""

import os
import signal
import sys
from pathlib import Path

from daos_control.cli.program import let_garbage_wait


def main() -> int:
    """Run the program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until it listens to signals an engine just ends, as a C program does
    # Loading TLS would cost an engine, which has none, several megabytes; asyncio does without when it is not there.
    sys.modules["ssl"] = None  # type: ignore[assignment]
    let_garbage_wait()
    from daos_control.apps.emulator.main import main as run

    return run(sys.argv[1:], os.environ, program=Path(sys.argv[0]).name)


if __name__ == "__main__":
    sys.exit(main())
