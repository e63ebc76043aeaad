"""The load programs: they load a control plane from outside, know nothing about its implementation, and print JSON.

They are no part of this repository. ``DAOS_BENCH_TOOLS`` names their folder, or it lies beside the checkout as
``shared/bench``; without them the benchmarks that need load are left out, and say so.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "DAOS_BENCH_TOOLS"
PROGRAMS = ("attach_storm.py", "join_storm.py", "agent_load.py")


def folder() -> Path | None:
    """Return where the load programs are, if they are."""
    checkout = Path(__file__).resolve().parent.parent
    places = [os.environ.get(FOLDER_VARIABLE), checkout.parent / "shared" / "bench"]
    for place in places:
        if place and all((Path(place) / name).exists() for name in PROGRAMS):
            return Path(place)
    return None


def required_folder() -> Path:
    """Return where the load programs are. Raises LookupError saying what to do."""
    found = folder()
    if found is None:
        raise LookupError(f"the load programs are not there; {FOLDER_VARIABLE} may name their folder")
    return found


def run(name: str, *arguments: str, certificates: Path | None = None) -> Mapping[str, Any]:
    """Run a load program and return what it found. Raises RuntimeError if calls failed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BENCH_")}
    if certificates is not None:
        environment["BENCH_CERTS_DIR"] = str(certificates)
    command = [sys.executable, str(required_folder() / f"{name}.py"), *arguments]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(output)
    for part in (found, *found.get("phase", {}).values()):
        if part.get("errors"):
            raise RuntimeError(f"{part['errors']} calls of {name} failed: {part.get('first_error')}")
    return found
