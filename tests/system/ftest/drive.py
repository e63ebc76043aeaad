"""Calls methods of ``DmgCommand``, out of DAOS's own tests, and prints what each of them returns.

``drive.py SOURCE PROGRAMS CONFIG CERTIFICATES HOST...`` reads calls from its standard input, ``[name, {arguments}]``
each, as one JSON list. A line of output is the answer to one call: ``{"returned": ...}`` or ``{"raised": "..."}``. The
configuration is written by DAOS's code, as in its tests.

It is a program of its own because DAOS's modules take over the interpreter: they import each other by bare names, under
two different ones, and configure logging. The packages that they need and that matter nothing here are in ``stubs``.
"""

import json
import logging
import sys
from pathlib import Path


def main(source: str, programs: str, config: str, certificates: str, *hosts: str) -> None:
    """Answer calls."""
    ftest = Path(source, "src", "tests", "ftest")
    stubs = Path(__file__).parent / "stubs"
    sys.path[:0] = map(str, (ftest / "util", ftest, Path(source, "site_scons"), stubs))
    logging.basicConfig(level=logging.ERROR)
    from dmg_utils import get_dmg_command  # DAOS's own

    dmg = get_dmg_command("daos_server", certificates, programs, config)
    dmg.hostlist = list(hosts)
    for name, arguments in json.load(sys.stdin):
        try:
            answer = {"returned": getattr(dmg, name)(**arguments)}
        except Exception as error:  # noqa: BLE001 - whatever DAOS's code raises is its answer
            answer = {"raised": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer, default=_plain) + "\n")


def _plain(value: object) -> object:
    """Take the text of a finished process; leave everything else to its own words."""
    return getattr(value, "stdout_text", None) or str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
