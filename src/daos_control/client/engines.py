"""The lives of engines: how they stand on their hosts, how they ended, and whether they come back by themselves.

The hosts themselves are asked, so this is also an answer when the management service has none. DAOS's own servers do
not tell; each of them is a problem in the report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daos_control.base.errors import DaosControlError
from daos_control.base.hostset import HostSet
from daos_control.base.rankset import NIL_RANK, RankSet
from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest, NotOffered, PartlyFailed
from daos_control.client.given import rank_text
from daos_control.client.reports import HostProblem, group_problems
from daos_control.client.system import System
from daos_control.net.rpc.methods import HOST
from daos_control.net.rpc.status import Code, StatusError
from daos_control.wire.pb.control import host_pb2

PATIENCE_S = 20.0
"""How long hosts may take to answer; they ask nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastExit:
    """How an engine's last life ended."""

    at: datetime
    text: str
    pid: int | None
    """None if no process was started."""
    code: int | None
    signal: int | None
    wanted: bool
    """Somebody asked for it."""
    self_terminated: bool
    """It ended itself because it was excluded."""
    served_s: float | None
    """How long it had served; None if it never got there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartLimits:
    """When a host starts engines again that ended themselves because they were excluded."""

    enabled: bool
    min_delay_s: float
    """From one automatic restart to the next; doubled for each that did not help."""
    limit: int
    """Restarts within the window; after them the engine stays down."""
    window_s: float
    settled_s: float
    """An engine that serves so long has come back well: nothing counts against it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine, as its own server sees it."""

    host: str
    """``host:port`` of its control server."""
    hostname: str
    index: int
    rank: int | None
    uuid: str
    """Empty if its storage has not been seen formatted."""
    state: str
    """stopped, checking storage, awaiting format, starting, joining or ready."""
    since: datetime
    pid: int | None
    restarts_in_window: int
    """Automatic restarts that count against it."""
    restarts_total: int
    """All automatic restarts since its server started."""
    last_exit: LastExit | None
    """None if it has not ended since its server started."""
    restart_at: datetime | None
    """When it is started again by itself, if that is due."""
    stays_down: str
    """Why it is not; empty while it runs."""
    limits: RestartLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginesReport:
    """What hosts tell of their engines, by rank and then by host; and what went wrong where."""

    engines: tuple[Engine, ...]
    problems: tuple[HostProblem, ...]
    absent_ranks: RankSet
    """Ranks that were asked for and that the system does not have."""
    absent_hosts: HostSet
    """Hosts whose ranks were asked for and that have none."""

    def check(self) -> None:
        """Raise PartlyFailed if something is missing from the report."""
        failed = {host for problem in self.problems for host in problem.hosts}
        told = [f"{len(failed)} host{'s' if len(failed) > 1 else ''} had errors"] if failed else []
        told += [f"non-existent hosts {self.absent_hosts}"] if self.absent_hosts else []
        told += [f"non-existent ranks {self.absent_ranks}"] if self.absent_ranks else []
        if told:
            raise PartlyFailed(", ".join(told))


class Engines:
    """What is asked about engines; part of a ``DaosClient``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def query(
        self, *, ranks: Iterable[int] | str = (), rank_hosts: Sequence[str] = (), hosts: Sequence[str] = ()
    ) -> EnginesReport:
        """Tell of all engines, of some ranks, or of those whose control addresses are ``rank_hosts``.

        Where they are, the management service knows. With ``hosts`` it is not asked: those servers tell of all their
        engines, also of such as never got a rank, or of the ``ranks`` among them.
        """
        if hosts:
            if rank_hosts:
                raise InvalidRequest("name the hosts to ask, or hosts whose ranks are meant, not both")
            return await self._of_hosts(self._connection.addresses(hosts), ranks, RankSet(), HostSet())
        found = await System(self._connection).query(ranks=ranks, hosts=rank_hosts)
        everything = not ranks and not rank_hosts
        addresses = sorted({member.addr for member in found.members})
        if everything and not addresses:
            addresses = self._connection.addresses(())
        wanted = () if everything else [member.rank for member in found.members]
        return await self._of_hosts(addresses, wanted, found.absent_ranks, found.absent_hosts)

    async def _of_hosts(
        self, addresses: Sequence[str], ranks: Iterable[int] | str, absent_ranks: RankSet, absent_hosts: HostSet
    ) -> EnginesReport:
        request = host_pb2.EnginesReq(ranks=rank_text(ranks))
        patience = self._connection.patience(PATIENCE_S, looks=True)
        answers = await self._connection.fan_out(addresses, HOST["Engines"], request, patience)
        engines = [engine for host, reply in answers.replies.items() for engine in _engines(host, reply)]
        engines.sort(key=lambda engine: (engine.rank is None, engine.rank, engine.host, engine.index))
        return EnginesReport(
            engines=tuple(engines),
            problems=group_problems((host, _told(error)) for host, error in answers.errors.items()),
            absent_ranks=absent_ranks,
            absent_hosts=absent_hosts,
        )


def _told(error: DaosControlError) -> DaosControlError:
    if isinstance(error, StatusError) and error.code == Code.UNIMPLEMENTED:
        return NotOffered("the lives of its engines")
    return error


def _engines(host: str, reply: host_pb2.EnginesResp) -> Iterable[Engine]:
    policy = reply.policy
    limits = RestartLimits(
        enabled=policy.enabled,
        min_delay_s=policy.min_delay_s,
        limit=policy.limit,
        window_s=policy.window_s,
        settled_s=policy.settled_s,
    )
    for told in reply.engines:
        yield Engine(
            host=host,
            hostname=reply.hostname,
            index=told.index,
            rank=None if told.rank == NIL_RANK else told.rank,
            uuid=told.uuid,
            state=told.state,
            since=datetime.fromisoformat(told.since),
            pid=told.pid or None,
            restarts_in_window=told.restarts_in_window,
            restarts_total=told.restarts_total,
            last_exit=_last_exit(told.last_exit) if told.HasField("last_exit") else None,
            restart_at=datetime.fromisoformat(told.restart_at) if told.restart_at else None,
            stays_down=told.stays_down,
            limits=limits,
        )


def _last_exit(told: Any) -> LastExit:
    how = told.WhichOneof("how")
    return LastExit(
        at=datetime.fromisoformat(told.at),
        text=told.text,
        pid=told.pid or None,
        code=told.code if how == "code" else None,
        signal=told.signal if how == "signal" else None,
        wanted=told.wanted,
        self_terminated=told.self_terminated,
        served_s=told.served_s if told.HasField("served_s") else None,
    )
