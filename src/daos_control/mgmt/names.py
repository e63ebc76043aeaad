"""Names of hosts in requests to addresses: many at once, and none for longer than somebody is willing to wait.

The C library's resolver blocks, and a name server that does not answer blocks it for half a minute. So every look-up
has a thread to itself that nobody waits for any longer than he wants: it ends when the library lets it. Threads of the
event loop's own pool would not do: a few stuck look-ups would keep everything else from it.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from daos_control.base import logs
from daos_control.base.hostset import HostSet
from daos_control.config.system import CONTROL_PORT

log = logs.get(__name__)

RESOLVE_S: Final = 5.0
LOOK_UPS: Final = 64
"""Look-ups at once, also of requests whose callers have given up."""

LookUp = Callable[[str], str]


def look_up(name: str) -> str:
    """Return a host's IPv4 address; raises OSError. Blocks."""
    return str(socket.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)[0][4][0])


class Names:
    """The addresses of hosts, as ``ip:port``."""

    def __init__(self, look_up: LookUp = look_up, *, limit_s: float = RESOLVE_S, at_once: int = LOOK_UPS) -> None:
        self._look_up = look_up
        self._limit_s = limit_s
        self._threads = asyncio.Semaphore(at_once)

    async def addresses(self, hosts: Iterable[str]) -> Mapping[str, str | None]:
        """Return each host's address; None for those that have none, or none that could be found out in time."""
        found: dict[str, str | None] = dict.fromkeys(hosts)

        async def one(host: str) -> None:
            name, _, port = host.partition(":")
            number = port or str(CONTROL_PORT)  # where a host is taken to listen if a request does not say
            if number.isascii() and number.isdigit() and (ip := await self._ip(name)) is not None:
                found[host] = f"{ip}:{int(number)}"

        try:
            async with asyncio.timeout(self._limit_s), asyncio.TaskGroup() as group:
                for host in list(found):
                    group.create_task(one(host))
        except TimeoutError:
            log.notice("names not resolved in time", hosts=HostSet(host for host, ip in found.items() if ip is None))
        return found

    async def _ip(self, name: str) -> str | None:
        if _is_ip(name):
            return name
        await self._threads.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def done(ip: str | None) -> None:
            self._threads.release()
            if not answer.done():
                answer.set_result(ip)

        def work() -> None:
            try:
                ip: str | None = self._look_up(name)
            except (OSError, UnicodeError):  # the latter for names no name server could ever be asked for
                ip = None
            with suppress(RuntimeError):  # the loop has ended, and with it whoever asked
                loop.call_soon_threadsafe(done, ip)

        threading.Thread(target=work, name=f"look-up of {name}", daemon=True).start()
        return await answer


def _is_ip(name: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, name)
    except OSError:
        return False
    return True
