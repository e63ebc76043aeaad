"""Asking a simulation that runs in another process; ``orders`` says for what."""

import asyncio
import contextlib
from pathlib import Path

from daos_control.apps.lab.plan import Plan
from daos_control.base.errors import Fault


def socket_of(plan: Plan) -> Path:
    """Return where a lab's simulation listens."""
    return plan.place.run / "simulation.sock"


async def ask(path: Path, line: str) -> str:
    """Ask a running simulation; returns its answer. Raises a Fault if it refuses, or if there is none."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
        with contextlib.closing(writer):
            writer.write(f"{line}\n".encode())
            answer = (await reader.readline()).decode().strip()
    except OSError as error:
        raise Fault(
            "lab", 0, f"the simulation does not answer ({error.strerror})", resolution="is 'daos_lab sim' running?"
        ) from error
    word, _, rest = answer.partition(" ")
    if word != "ok":
        raise Fault("lab", 0, rest or "the simulation has ended", resolution="see 'daos_lab status'")
    return rest
