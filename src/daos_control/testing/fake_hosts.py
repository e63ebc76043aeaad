"""Hosts that are well, and hosts that are ill in the ways that matter to whoever waits for them; each on its address.

===========  ===========================================================================================
a host is    what it does
===========  ===========================================================================================
well         answers scans, and what the management service is asked if it is one of its replicas
mute         takes requests, answers HTTP/2's own questions, and never answers a request
silent       accepts connections, and says nothing at all
dead         swallows the packets of whoever wants to connect, as a host does that is switched off
===========  ===========================================================================================

No privilege is needed: addresses are loopback's, and a dead host is a listening socket whose queue is full, to which
Linux gives no answer. ``python -m daos_control.testing.fake_hosts`` runs them as a process of their own until its
standard input ends; it says ``ready`` when they are.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from daos_control.base.errors import NotReplica
from daos_control.net.grpc.server import serve
from daos_control.net.rpc.methods import CTL, MGMT
from daos_control.wire.pb.ctl import network_pb2, storage_pb2
from daos_control.wire.pb.mgmt import system_pb2

RANKS: Final = 16
FILLERS: Final = 4
"""Connections that fill the queue of a dead host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeHosts:
    """Addresses, without the port that all have; hosts that are well are replicas if they are among ``replicas``."""

    port: int
    well: Sequence[str] = ()
    mute: Sequence[str] = ()
    silent: Sequence[str] = ()
    dead: Sequence[str] = ()
    replicas: Sequence[str] = ()

    @classmethod
    def many(
        cls, count: int, *, port: int, mute: int = 0, silent: int = 0, dead: int = 0, replicas: int = 0
    ) -> "FakeHosts":
        """Make up addresses for so many hosts; without ``replicas``, all are."""
        names = [f"127.{50 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}" for number in range(count)]
        well = count - mute - silent - dead
        # Spread out, so that the ill ones are neither the first nor the last of a sorted list.
        step = next(step for step in range(count // 3 + 1, 2 * count + 2) if _coprime(step, count))
        mixed = [names[index * step % count] for index in range(count)]
        return cls(
            port=port,
            well=mixed[:well],
            mute=mixed[well : well + mute],
            silent=mixed[well + mute : well + mute + silent],
            dead=mixed[well + mute + silent :],
            replicas=mixed[: replicas or count],
        )

    @property
    def hosts(self) -> list[str]:
        """All addresses, sorted."""
        return sorted([*self.well, *self.mute, *self.silent, *self.dead])


def _coprime(one: int, other: int) -> bool:
    while other:
        one, other = other, one % other
    return one == 1


@asynccontextmanager
async def running(hosts: FakeHosts) -> AsyncIterator[None]:
    """Run hosts during a block."""
    with ExitStack() as sockets:
        for address in hosts.silent:
            sockets.enter_context(_listening(address, hosts.port, 128))
        for address in hosts.dead:
            sockets.enter_context(_dead(address, hosts.port))
        async with AsyncExitStack() as servers:
            replica, other, mute = _answers(hosts, is_replica=True), _answers(hosts, is_replica=False), _silences()
            replicas = set(hosts.replicas)
            for address in hosts.well:
                handlers = replica if address in replicas else other
                await servers.enter_async_context(serve(handlers, host=address, port=hosts.port, tls=None, grace_s=0))
            for address in hosts.mute:
                await servers.enter_async_context(serve(mute, host=address, port=hosts.port, tls=None, grace_s=0))
            yield


@contextmanager
def _listening(address: str, port: int, backlog: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(backlog)
        yield listener


@contextmanager
def _dead(address: str, port: int) -> Iterator[None]:
    with _listening(address, port, 0), ExitStack() as fillers:
        for _ in range(FILLERS):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield


Handler = Callable[[Any, Any], Awaitable[Any]]


def _answers(hosts: FakeHosts, *, is_replica: bool) -> dict[str, Handler]:
    scan, fabric, members = _storage(), _fabric(), _members(hosts)
    replicas = [f"{address}:{hosts.port}" for address in hosts.replicas]

    def to(reply: Any) -> Handler:
        async def answer(_request: Any, _caller: Any) -> Any:
            return reply

        return answer

    async def elsewhere(_request: Any, _caller: Any) -> Any:
        raise NotReplica(replicas)

    return {
        CTL["StorageScan"].path: to(scan),
        CTL["NetworkScan"].path: to(fabric),
        MGMT["SystemQuery"].path: to(members) if is_replica else elsewhere,
        MGMT["LeaderQuery"].path: to(MGMT["LeaderQuery"].reply(current_leader=replicas[0], replicas=replicas))
        if is_replica
        else elsewhere,
    }


def _silences() -> dict[str, Handler]:
    async def never(_request: Any, _caller: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    methods = [CTL[name] for name in CTL] + [MGMT[name] for name in MGMT]
    return {method.path: never for method in methods}


def _storage() -> storage_pb2.StorageScanResp:
    reply = storage_pb2.StorageScanResp()
    for number in range(8):
        reply.nvme.ctrlrs.add(
            model="FAKE-NVME", serial=f"S{number:06d}", pci_addr=f"0000:{0x80 + number:02x}:00.0", socket_id=number // 4
        ).namespaces.add(id=1, size=3_840_755_982_336)
        reply.scm.modules.add(
            channelid=number % 2,
            channelposition=number // 2,
            controllerid=number // 4,
            socketid=number // 4,
            physicalid=number,
            capacity=137_438_953_472,
        )
    reply.sys_mem_info.mem_total_kb = 263_829_236
    reply.sys_mem_info.hugepage_size_kb = 2048
    return reply


def _fabric() -> network_pb2.NetworkScanResp:
    reply = network_pb2.NetworkScanResp(numacount=2, corespernuma=24)
    for number in range(4):
        reply.interfaces.add(
            provider="ofi+tcp", device=f"ib{number}", numanode=number // 2, priority=number, netdevclass=32
        )
    return reply


def _members(hosts: FakeHosts) -> system_pb2.SystemQueryResp:
    reply = system_pb2.SystemQueryResp(data_version=7)
    for rank in range(RANKS):
        reply.members.add(
            addr=f"127.50.0.{rank + 1}:{hosts.port}",
            uuid=f"00000000-0000-4000-8000-{rank:012x}",
            rank=rank,
            state="joined",
            fault_domain=f"/h{rank}",
        )
    return reply


def as_text(hosts: FakeHosts) -> str:
    """Write hosts for the command line of this module."""
    return json.dumps(asdict(hosts))


async def _main(text: str) -> None:
    facts: Mapping[str, Any] = json.loads(text)
    async with running(FakeHosts(**facts)):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
