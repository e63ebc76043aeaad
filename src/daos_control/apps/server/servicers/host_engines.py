"""How this host's engines stand, ended and come back: what DAOS 2.8 has no call for."""

from datetime import datetime, timedelta

from daos_control.base.clock import Clock
from daos_control.base.rankset import NIL_RANK, RankSet
from daos_control.engine.harness import Harness
from daos_control.engine.restarts import Exit, Restart, RestartPolicy, Stay
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import HOST
from daos_control.wire.pb.control import host_pb2


class EngineLives:
    """``daos_control.HostSvc``: asks nobody else, so it answers whatever state the system is in."""

    def __init__(self, harness: Harness, policy: RestartPolicy, *, hostname: str, clock: Clock) -> None:
        self._harness = harness
        self._policy = policy
        self._hostname = hostname
        self._clock = clock

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {HOST["Engines"].path: self.engines}

    async def engines(self, request: host_pb2.EnginesReq, _: Caller) -> host_pb2.EnginesResp:
        """Tell of all engines, or of those with certain ranks."""
        wanted = RankSet.parse(request.ranks) if request.ranks else None
        told = [e for e in self._harness.engines if wanted is None or (e.rank is not None and e.rank in wanted)]
        policy = self._policy
        return host_pb2.EnginesResp(
            hostname=self._hostname,
            policy=host_pb2.RestartPolicy(
                enabled=policy.enabled,
                min_delay_s=policy.min_delay_s,
                limit=policy.limit,
                window_s=policy.window_s,
                settled_s=policy.settled_s,
            ),
            engines=[self._engine(engine) for engine in told],
        )

    def _engine(self, engine: EngineSupervisor) -> host_pb2.Engine:
        record, now = engine.restarts, self._clock.monotonic()
        told = host_pb2.Engine(
            index=engine.index,
            rank=NIL_RANK if engine.rank is None else engine.rank,
            uuid=engine.uuid,
            state=engine.state.value,
            since=_text(engine.since),
            pid=engine.pid or 0,
            restarts_in_window=len(record.history.recent(self._policy, now)),
            restarts_total=record.total,
        )
        if record.last is not None:
            told.last_exit.CopyFrom(_exit(record.last))
        match record.decision:
            case Restart(at):
                told.restart_at = _text(self._clock.now() + timedelta(seconds=at - now))
            case Stay(reason):
                told.stays_down = reason.value
            case None:
                pass
        return told


def _exit(ended: Exit) -> host_pb2.Exit:
    told = host_pb2.Exit(
        at=_text(ended.at),
        text=ended.text,
        pid=ended.pid,
        wanted=ended.wanted,
        self_terminated=ended.self_terminated,
        served_s=ended.served_s,
    )
    if ended.code is not None:
        told.code = ended.code
    if ended.signal is not None:
        told.signal = ended.signal
    return told


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
