"""What a running simulation can be asked for at its socket: one line there, one line back.

=============================  ===================================================================
``kill RANKS``                 kill engines, all at once, as a crash would
``off HOSTS``, ``on HOSTS``    take hosts' power, engines and all, and give it back
``mute HOSTS``                 control ports that take calls and never answer
``silent HOSTS``               control ports that take connections and never say anything
``deaf HOSTS``                 control ports that packets do not reach
``heal HOSTS``                 control ports as they should be
``status``                     what there is, and what was seen so far
=============================  ===================================================================

Ranks and hosts are sets: ``3-514,600`` and ``sim[1-5]``. Answers begin with ``ok`` or ``error:``.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from daos_control.base.rankset import RankSet
from daos_control.base.units import counted
from daos_control.testing.simulation.host import SimulatedHost, Trouble
from daos_control.testing.simulation.system import Simulation, SimulationError

_HEALED = {"heal": Trouble.NONE, "mute": Trouble.MUTE, "silent": Trouble.SILENT, "deaf": Trouble.DEAF}


def carry_out(system: Simulation, line: str) -> str:
    """Do what a line says and return what came of it. Raises SimulationError."""
    match line.split():
        case ["status"]:
            return (
                f"{system.serving} of {system.layout.ranks} ranks serve on {len(system.hosts)} hosts; "
                f"{system.commons.maps} group maps taken, the last of version {system.commons.version} "
                f"with {len(system.commons.members)} ranks"
            )
        case ["kill", ranks]:
            try:
                killed = system.kill(RankSet.parse(ranks))
            except ValueError as error:
                raise SimulationError(str(error)) from error
            if not killed:
                raise SimulationError(f"no engine of ranks {ranks} runs")
            return f"{counted(killed, 'engine')} killed"
        case [("off" | "on") as wanted, names]:
            hosts = system.find(names)
            for host in hosts:
                host.switch_on() if wanted == "on" else host.switch_off()
            return _told(hosts, wanted)
        case [verb, names] if verb in _HEALED:
            hosts = system.find(names)
            system.trouble(hosts, _HEALED[verb])
            return _told(hosts, "well" if verb == "heal" else verb)
        case _:
            raise SimulationError(f"cannot understand {line!r}")


def _told(hosts: Sequence[SimulatedHost], how: str) -> str:
    return f"{counted(len(hosts), 'host')} {'is' if len(hosts) == 1 else 'are'} {how}"


@contextlib.asynccontextmanager
async def listen(path: Path, system: Simulation) -> AsyncIterator[None]:
    """Take requests at a socket while inside."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            while line := (await reader.readline()).decode(errors="replace").strip():
                try:
                    answer = f"ok {carry_out(system, line)}"
                except SimulationError as error:
                    answer = f"error: {error}"
                writer.write(f"{answer}\n".encode())
                await writer.drain()

    path.unlink(missing_ok=True)  # noqa: ASYNC240 - a name in a folder of our own
    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()
