"""The life of one engine, again and again: storage, process, membership, service, exit.

::

    start wanted ─▶ storage checked ─▶ (format awaited) ─▶ process started ─▶ it calls back
                                                                                   │
         exit noticed ◀─ serves ◀─ set up ◀─ rank set ◀─ joined the system ◀───────┘

A start that is asked for while the process runs is remembered until it has ended. After an exit nothing starts the
engine again but such a request, with one exception: an engine that ended itself because the system excluded it is
restarted, though no sooner and no more often than ``restarts`` says.

An engine's trouble is its own: whatever goes wrong in a life, even a mistake of ours, ends that life and nothing else.
"""

import asyncio
import dataclasses
import signal
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from daos_control.base import logs
from daos_control.base.clock import Clock
from daos_control.base.errors import DaosControlError
from daos_control.base.units import format_iec
from daos_control.engine import superblock as superblocks
from daos_control.engine.command import EngineSettings, engine_arguments, engine_environment
from daos_control.engine.link import EngineLink
from daos_control.engine.ports import (
    Admission,
    Candidate,
    Change,
    Membership,
    Place,
    ReadyNotice,
    RefusedError,
    Scm,
    Standing,
)
from daos_control.engine.process import Output, Running
from daos_control.engine.restarts import Exit, Reason, Restart, RestartPolicy, RestartRecord, Stay
from daos_control.engine.state import EngineState, moved
from daos_control.engine.superblock import Superblock
from daos_control.net.drpc.errors import DrpcError

log = logs.get(__name__)


class EngineSupervisor:
    """Keeps one engine. ``run`` does the work; everything else is said to it from outside."""

    def __init__(
        self,
        settings: EngineSettings,
        place: Place,
        *,
        scm: Scm,
        membership: Membership,
        clock: Clock,
        restarts: RestartPolicy,
    ) -> None:
        self.settings = settings
        self.check_mode = False
        """Whether its next start is for the checker; how it runs now, only the engine itself can say."""
        self.storage_ready = asyncio.Event()
        """Set when the engine's storage was found or made usable for the first time."""
        self._place = place
        self._scm = scm
        self._membership = membership
        self._clock = clock
        self.policy = restarts
        self._listeners: list[Callable[[Change], None]] = []
        self._state = EngineState.STOPPED
        self._since = clock.now()
        self._serving_from: float | None = None
        self._moved = asyncio.Event()
        self._nudged = asyncio.Event()
        self._start_wanted = True
        self._record = RestartRecord()
        self._self_terminated = False
        self._exit_wanted = False
        self._prepared_to_end = False
        self._exits = 0
        self._granted: bool | None = None
        self._superblock: Superblock | None = None
        self._process: Running | None = None
        self._notice: asyncio.Future[ReadyNotice] | None = None
        self._link: EngineLink | None = None

    @property
    def index(self) -> int:
        """The engine's place in the configuration."""
        return self.settings.index

    @property
    def state(self) -> EngineState:
        """Where it is in its life."""
        return self._state

    @property
    def since(self) -> datetime:
        """When it got into this state."""
        return self._since

    @property
    def pid(self) -> int | None:
        """Its process, if it has one."""
        return self._process.pid if self._process else None

    @property
    def restarts(self) -> RestartRecord:
        """How it ended and came back, and what is to follow."""
        return self._record

    @property
    def uuid(self) -> str:
        """Who it is; empty if its storage has not been seen formatted."""
        return self._superblock.uuid if self._superblock else ""

    @property
    def rank(self) -> int | None:
        """Its rank, if the system ever gave it one."""
        return self._superblock.joined_rank if self._superblock else None

    @property
    def about_to_start(self) -> bool:
        """Whether it is on its way to a process, or to a format that it has to wait for."""
        return self._state is EngineState.CHECKING or (self._state is EngineState.STOPPED and self._start_wanted)

    @property
    def has_yet_to_join(self) -> bool:
        """Whether it stands still on formatted storage without ever having had a rank: the system refused it."""
        stands_still = self._state is EngineState.STOPPED and not self._start_wanted
        return stands_still and self._superblock is not None and self._superblock.joined_rank is None

    @property
    def link(self) -> EngineLink | None:
        """The way to the running engine, once it has called back."""
        return self._link

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have every move told to ``listener``, which must neither wait nor fail."""
        self._listeners.append(listener)

    async def until(self, accept: Callable[[EngineState], bool]) -> EngineState:
        """Wait for a state that is accepted; a state that passes in no time may be missed."""
        while not accept(self._state):
            await self._moved.wait()
        return self._state

    def request_start(self) -> None:
        """Start it, or start it again once it has ended."""
        self._start_wanted = True
        self._nudged.set()

    async def start(self) -> EngineState:
        """Start it if it is not on its way already, and return how far it came: READY, AWAIT_FORMAT or STOPPED.

        One that the system wants in its other mode ends, and comes again: that is a part of the way. So does one that
        is about to end.
        """
        if self._about_to_end:
            self.request_start()
            await self.stop(signal.SIGINT)
        exits = self._exits
        if self._state is EngineState.STOPPED:
            self.request_start()
        settled = {EngineState.READY, EngineState.AWAIT_FORMAT}

        def given_up(state: EngineState) -> bool:
            return state is EngineState.STOPPED and self._exits > exits and not self._start_wanted

        return await self.until(lambda state: state in settled or given_up(state))

    @property
    def _about_to_end(self) -> bool:
        """Whether the running process was told that it is to end.

        What it was prepared for, nothing takes back: for the rest of its life it excludes nobody, whoever dies.
        """
        return self._state.running and (self._prepared_to_end or self._exit_wanted)

    def prepared_to_end(self) -> None:
        """Hear that the running process was told to prepare for its end, or may have been."""
        self._prepared_to_end = True

    def forget_restarts(self) -> None:
        """Drop what counts against it, and any restart that is due: somebody has taken charge."""
        self._self_terminated = False
        self._record = self._record.taken_over()
        self._nudged.set()

    def self_terminated(self, incarnation: int = 0) -> None:
        """Hear that the engine ends itself because it was excluded; that may come before its end or after it.

        ``incarnation`` is the life that the news is about; 0 if that is not known.
        """
        known = self._superblock.incarnation if self._superblock else 0
        if incarnation and incarnation < known:
            log.debug(f"instance {self.index}: news of the end of an earlier life", incarnation=incarnation)
        elif self._state in {EngineState.JOINING, EngineState.READY}:
            self._self_terminated = True
        elif self._state is EngineState.STOPPED:
            record = self._record.explained(self.policy, self._clock.monotonic())
            if record is not self._record:
                self._record = record
                self._tell_what_follows()
                self._nudged.set()

    async def stop(self, number: signal.Signals, *, grace_s: float | None = None) -> None:
        """End the process, if there is one, and return when it is gone; its exit counts as wanted.

        Without ``grace_s`` there is no limit on how long it may take.
        """
        await self.until(lambda state: state is not EngineState.CHECKING)
        process = self._process
        if process is None:
            return
        self._exit_wanted = True
        if grace_s is None and number is not signal.SIGKILL:
            process.send(number)
        else:
            await process.stop(number, grace_s=grace_s or 0)
        await self.until(lambda state: not state.running)

    def grant_storage(self, *, replace: bool) -> None:
        """Say that the storage is ready to be used; ``replace``: the engine takes over a lost rank."""
        self._granted = replace
        self._nudged.set()

    async def forget_identity(self) -> None:
        """Take the superblock away: the storage counts as unformatted from here on."""
        await asyncio.to_thread(superblocks.retire, self._place.superblock)
        self._superblock = None
        self.storage_ready.clear()

    async def forgot_identity(self) -> bool:
        """Whether the superblock was taken away, by this server or its predecessor, and the storage waits for that."""
        return self._state is EngineState.AWAIT_FORMAT and await asyncio.to_thread(
            superblocks.is_retired, self._place.superblock
        )

    def notify_ready(self, notice: ReadyNotice) -> None:
        """Hear from the engine that it is up. Raises RefusedError if that makes no sense."""
        if self._notice is None or self._notice.done():
            raise RefusedError(f"instance {self.index} is {self._state.value}: it was not expected to call back")
        try:
            is_socket = stat.S_ISSOCK(Path(notice.socket).stat().st_mode)
        except OSError as error:
            raise RefusedError(f"engine socket {notice.socket!r}: {error.strerror}") from error
        if not is_socket:
            raise RefusedError(f"engine socket {notice.socket!r} is not a socket")
        self._notice.set_result(notice)

    async def run(self) -> None:
        """Supervise until cancelled; the engine does not outlive this call."""
        while True:
            await self._start_due()
            self._move(EngineState.CHECKING)
            try:
                await self._ready_storage()
                await self._serve()
            except (DaosControlError, OSError) as failure:
                log.error(f"instance {self.index} did not start: {failure}")
                self._ended(str(failure))
            except Exception as bug:  # noqa: BLE001  the edge of this engine's loop: others must go on
                log.error(f"instance {self.index} ends by a mistake of daos_server; please report it", exception=bug)
                self._ended(f"internal error: {bug!r}")

    async def _start_due(self) -> None:
        """Wait until somebody wants it started, or an automatic restart is due."""
        while not self._start_wanted:
            wait_s = None
            if isinstance(self._record.decision, Restart):
                now = self._clock.monotonic()
                wait_s = self._record.decision.at - now
                if wait_s <= 0:
                    log.notice(f"restarting rank {self.rank}, which ended itself because it was excluded")
                    self._record = self._record.restarted(self.policy, now)
                    return
            self._nudged.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._nudged.wait()
        self._start_wanted = False
        self._record = self._record.started()

    async def _ready_storage(self) -> None:
        log.info(f"Checking DAOS I/O Engine instance {self.index} storage ...")
        while kind := await self._missing():
            if kind == "Metadata" and self._granted is not None:
                break
            await self._await_format(kind)
        if self._granted is not None:
            takes_over, self._granted = self._granted, None
            suffix = ", to replace a lost rank" if takes_over else ""
            log.info(f"DAOS I/O Engine instance {self.index} storage ready{suffix}")
            await self._identify(takes_over=takes_over)
        usage = await self._scm.usage()
        log.info(
            f"SCM @ {self.settings.storage.scm_mount}: {format_iec(usage.total_bytes)} Total/"
            f"{format_iec(usage.available_bytes)} Avail"
        )
        self.storage_ready.set()

    async def _identify(self, *, takes_over: bool) -> None:
        """Give the engine an identity if it has none; until it has a rank, note whether that is to be a lost one."""
        identity = self._superblock or Superblock.new(
            system=self.settings.system, fault_domain=self._place.fault_domain
        )
        takes_over = takes_over and identity.joined_rank is None
        await self._save(dataclasses.replace(identity, replace=takes_over))

    async def _missing(self) -> str:
        """Say what has to be formatted, ``SCM`` or ``Metadata``; empty if nothing."""
        if await self._scm.needs_format():
            if self._superblock:
                log.error(
                    f"instance {self.index} had formatted storage before and has none now: was "
                    f"{self.settings.storage.scm_mount} unmounted or emptied? If it can be brought back, bring it back "
                    "and restart daos_server; if not, format it"
                )
            self._superblock = None
            return "SCM"
        self._superblock = await asyncio.to_thread(superblocks.read, self._place.superblock)
        return "" if self._superblock else "Metadata"

    async def _await_format(self, kind: str) -> None:
        log.info(f"{kind} format required on instance {self.index}")
        self._granted = None
        self._move(EngineState.AWAIT_FORMAT, Change(index=self.index, state=EngineState.AWAIT_FORMAT, format_kind=kind))
        while self._granted is None:
            self._nudged.clear()
            await self._nudged.wait()
        self._start_wanted = False  # a request to start that came meanwhile is answered by what follows
        self._move(EngineState.CHECKING)

    async def _serve(self) -> None:
        log.info(f"Starting I/O Engine instance {self.index}: {self._place.binary}")
        prefix = f"daos_engine:{self.index}"
        output = Output(out=lambda line: log.info(f"{prefix} {line}"), err=lambda line: log.error(f"{prefix} {line}"))
        self._exit_wanted = self._self_terminated = self._prepared_to_end = False
        self._notice = asyncio.get_running_loop().create_future()
        arguments = engine_arguments(self.settings, check_mode=self.check_mode)
        environment = engine_environment(self.settings, self._place.inherited)
        async with self._place.launch(self._place.binary, arguments, environment, output) as process:
            self._process = process
            self._move(EngineState.STARTING)
            try:
                text = await self._until_ended(process, self._notice)
            finally:
                self._process = self._notice = self._link = None
        self._ended(text, process)

    async def _until_ended(self, process: Running, notice: "asyncio.Future[ReadyNotice]") -> str:
        """Bring the engine up beside waiting for its end; return what ended it."""
        failures: list[str] = []

        async def bring_up() -> None:
            try:
                await self._bring_up(await notice)
            except (DaosControlError, DrpcError, OSError) as failure:
                failures.append(str(failure))
                log.error(f"instance {self.index} cannot become a member: {failure}")
                process.send(signal.SIGKILL)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(bring_up(), name=f"bring up engine {self.index}")
            text = await process.ended()
            task.cancel()
        return failures[0] if failures else text

    async def _bring_up(self, notice: ReadyNotice) -> None:
        self._link = link = EngineLink(notice.socket)
        self._move(EngineState.JOINING)
        identity = self._identity()
        await self._save(
            dataclasses.replace(identity, incarnation=notice.incarnation, hostfaultdomain=self._place.fault_domain)
        )
        admission = await self._membership.join(self._candidate(notice))
        self._obey(admission, check_mode=notice.check_mode)
        if identity.joined_rank != admission.rank or identity.uri != notice.uri:
            log.notice(f"updating rank {admission.rank} URI to {notice.uri}")
        await self._save(
            dataclasses.replace(self._identity(), rank=admission.rank, validrank=True, uri=notice.uri, replace=False)
        )
        if not admission.set_up_already:
            await link.set_up(admission.rank, admission.map_version)
        self._move(EngineState.READY)

    def _candidate(self, notice: ReadyNotice) -> Candidate:
        identity = self._identity()
        claimed = None if identity.replace else self._place.first_rank
        return Candidate(
            index=self.index,
            uuid=identity.uuid,
            rank=claimed if identity.joined_rank is None else identity.joined_rank,
            uri=notice.uri,
            contexts=notice.contexts,
            fault_domain=identity.hostfaultdomain,
            incarnation=notice.incarnation,
            check_mode=notice.check_mode,
            replace=identity.replace,
        )

    def _obey(self, admission: Admission, *, check_mode: bool) -> None:
        """Go on only as the system wants it; ``check_mode`` is how the engine runs, whatever its next start is for."""
        if admission.standing is Standing.OUT:
            raise RefusedError(f"rank {admission.rank} excluded")
        if admission.standing is Standing.CHECK and not check_mode:
            self.check_mode = True
            self.request_start()
            raise RefusedError("the system is in checker mode: the engine starts again in that mode")
        if admission.standing is Standing.MEMBER and check_mode:
            self.check_mode = False
            self.request_start()
            raise RefusedError("the system is not in checker mode any more: the engine starts again normally")

    def _identity(self) -> Superblock:
        if self._superblock is None:
            raise RefusedError(f"instance {self.index} has lost its superblock")
        return self._superblock

    async def _save(self, superblock: Superblock) -> None:
        if superblock != self._superblock:
            await asyncio.to_thread(superblocks.write, self._place.superblock, superblock)
            self._superblock = superblock

    def _ended(self, text: str, process: Running | None = None) -> None:
        pid, rank = process.pid if process else 0, self.rank
        facts = [f"instance {self.index}", f"pid {pid}" if pid else "", "" if rank is None else f"rank {rank}"]
        log.info(f"{', '.join(filter(None, facts))} exited with status: {text}")
        with suppress(OSError):  # an engine that was killed leaves its socket behind
            Path(self.settings.socket_dir, f"daos_engine_{pid}.sock").unlink()
        now, served_from = self._clock.monotonic(), self._serving_from
        ended = Exit(
            text=text,
            at=self._clock.now(),
            pid=pid,
            code=process.exit_code if process else None,
            signal=process.exit_signal if process else None,
            rank=rank,
            incarnation=self._superblock.incarnation if self._superblock else 0,
            served_s=None if served_from is None else now - served_from,
            wanted=self._exit_wanted,
            self_terminated=self._self_terminated,
        )
        self._exit_wanted = self._self_terminated = False
        self._exits += 1
        self._record = self._record.ended(ended, self.policy, now)
        self._move(EngineState.STOPPED, Change(index=self.index, state=EngineState.STOPPED, exit=ended))
        if not self._start_wanted:
            self._tell_what_follows()

    def _tell_what_follows(self) -> None:
        """Tell people what comes of an engine that ended itself."""
        match self._record.decision:
            case Restart(at) if (wait_s := at - self._clock.monotonic()) > 0:
                log.notice(f"rank {self.rank} restarts in {wait_s:.0f} s, not sooner after its last restart")
            case Stay(Reason.DISABLED):
                log.notice("excluded engine ended itself; automatic restart is disabled", instance=self.index)
            case Stay(Reason.GIVEN_UP):
                advice = (
                    f"rank {self.rank} stays down after {self.policy.limit} restarts in vain; "
                    f"see why it is excluded, then: dmg system start --ranks {self.rank}"
                )
                log.error(advice, instance=self.index)
                self._tell(Change(index=self.index, state=self._state, left_down=advice, rank=self.rank))
            case _:
                pass

    def _move(self, to: EngineState, change: Change | None = None) -> None:
        self._state = moved(self._state, to)
        self._since = self._clock.now()
        self._serving_from = self._clock.monotonic() if to is EngineState.READY else None
        log.debug(f"instance {self.index} is {to.value}")
        self._moved.set()
        self._moved = asyncio.Event()
        self._tell(change or Change(index=self.index, state=to))

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)
