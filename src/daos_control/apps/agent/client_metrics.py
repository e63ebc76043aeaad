"""The metrics of local applications, gathered in one tree.

An application that keeps metrics has them in shared memory of its own, which is found by its process number. The
agent keeps a region that everybody can find, with a region for every job in it, with a link to every application's:
that is where readers of all client metrics start. After registering, an application hands its memory over to the
agent's user, so that the agent can remove it some time after the application's end.

Nothing that an application says is believed. Its process is what the kernel says; the segment it names must have been
made by that very process and user; and of what its memory says only such segments are removed that it has made itself
and handed over.

An application cannot do without its memory while it lives (connecting to a pool would fail), and it registers but
once. So the tree outlives the agent as long as an application does that is linked there, and the next agent takes it
over; otherwise the agent leaves nothing behind.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from platform import machine

from daos_control.apps.agent.process_watch import Watch
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError
from daos_control.host import shm
from daos_control.host.shm import Segment
from daos_control.telemetry import region
from daos_control.telemetry.region import Region, RegionFull

log = logs.get(__name__)

ROOT_KEY = 0x10242148
"""Where DAOS's tools look for the tree of client metrics."""
ROOT_NAME = "ID: 256"

_MODE = 0o660
_FIRST_KEY, _LAST_KEY = 1 << 29, (1 << 31) - 1  # beyond any process number, and beyond DAOS's fixed keys
_MAX_FAMILY = 1024


class CannotRegister(Exception):
    """The application's metrics are not linked; ``status`` is what it is told."""

    def __init__(self, status: Der, why: str) -> None:
        super().__init__(why)
        self.status = status


class CannotGather(DaosControlError):
    """There can be no tree here; the text says why."""


@dataclass(slots=True, kw_only=True)
class _Client:
    pid: int
    uid: int
    job: str
    segment: int
    expiry: asyncio.TimerHandle | None = None
    """Set when it has ended: removes what is left of it."""


@dataclass(slots=True, kw_only=True)
class _Job:
    key: int
    segment: int
    memory: shm.Mapping
    region: Region
    clients: set[int] = field(default_factory=set)


class ClientMetrics:
    """The tree, and what is linked there. Made by ``client_metrics``."""

    def __init__(self, *, watch: Watch, retain_s: float, root_key: int, segments: Callable[[], list[Segment]]) -> None:
        """``retain_s`` is how long an application's metrics outlive it."""
        self._watch = watch
        self._retain_s = retain_s
        self._segments = segments
        self._uid = os.geteuid()
        self._loop = asyncio.get_running_loop()
        self._clients: dict[int, _Client] = {}
        self._jobs: dict[str, _Job] = {}
        left = self._take_over(root_key)
        self._root = self._new_region(root_key, ROOT_NAME)
        for job, segment in left:
            self._adopt(job, segment)

    def register(self, *, pid: int, uid: int, job: str, key: int) -> None:
        """Link the metrics of a process. Raises CannotRegister.

        ``pid`` and ``uid`` are the kernel's word; ``job`` and ``key`` are the application's.
        """
        _check_path(job, pid)
        segment = self._own_segment(pid=pid, uid=uid, key=key)
        known = self._clients.get(pid)
        if known is not None:
            self._make_way(known, segment)
        try:
            self._link(pid=pid, uid=uid, job=job, segment=segment)
        except RegionFull:
            raise CannotRegister(Der.NO_SHMEM, "the agent's tree is full") from None
        except OSError as error:
            raise CannotRegister(Der.NO_SHMEM, f"no memory for the job: {error.strerror}") from error
        log.debug("client metrics registered", pid=pid, job=job, key=key)

    def close(self) -> None:
        """Remove what nobody needs any more; applications that still live keep theirs, and their place."""
        for client in list(self._clients.values()):
            if client.expiry is not None:
                client.expiry.cancel()
                self._remove(client)
            else:
                self._watch.stop(client.pid)
        for job in self._jobs.values():
            job.memory.close()
        if self._clients:
            self._root.memory.close()
        else:
            self._discard(self._root)

    def _own_segment(self, *, pid: int, uid: int, key: int) -> Segment:
        """Return the segment of that key, having made sure that the process has made it itself."""
        if pid <= 0:
            raise CannotRegister(Der.UNINIT, "the client is in a pid namespace that is not visible from here")
        segment = next((one for one in self._segments() if one.key == key), None)
        if segment is None:
            raise CannotRegister(Der.NONEXIST, "there is no such segment in this IPC namespace")
        if (segment.creator_pid, segment.creator_uid) != (pid, uid):
            raise CannotRegister(
                Der.NO_PERM, f"the segment was made by process {segment.creator_pid} of uid {segment.creator_uid}"
            )
        return segment

    def _make_way(self, known: _Client, segment: Segment) -> None:
        """Forget what the process, or an earlier one of the same number, has registered before."""
        if known.segment == segment.id:
            self._unlink(known)
        elif known.expiry is not None or not self._exists(known.segment):
            self._remove(known)
        else:
            raise CannotRegister(Der.EXIST, "the process has registered another segment before")

    def _link(self, *, pid: int, uid: int, job: str, segment: Segment) -> None:
        place = self._jobs.get(job) or self._new_job(job)
        try:
            place.region.link(str(pid), segment.key)
        except RegionFull:
            self._leave_if_empty(job)
            raise
        place.clients.add(pid)
        client = self._clients[pid] = _Client(pid=pid, uid=uid, job=job, segment=segment.id)
        try:
            self._watch.start(pid, self._ended)
        except ProcessLookupError:
            self._expire_later(client)

    def _ended(self, pid: int) -> None:
        client = self._clients[pid]
        if self._exists(client.segment):
            self._expire_later(client)
        else:  # it has cleaned up after itself
            self._remove(client)

    def _expire_later(self, client: _Client) -> None:
        client.expiry = self._loop.call_later(self._retain_s, self._remove, client)

    def _remove(self, client: _Client) -> None:
        """Remove the link and the memory of an application that has ended."""
        self._unlink(client)
        for segment in self._family(client):
            try:
                with shm.open_mapping(segment.id, segment.size_bytes, writable=True) as memory:
                    region.mark_deleted(memory)
            except (OSError, IndexError) as error:  # readers will notice less well; it can be removed all the same
                log.debug(f"cannot mark client metrics as deleted: {error}", pid=client.pid, key=segment.key)
            _remove_segment(segment.id)
        log.debug("client metrics removed", pid=client.pid, job=client.job)

    def _unlink(self, client: _Client) -> None:
        if client.expiry is not None:
            client.expiry.cancel()
        else:
            self._watch.stop(client.pid)
        del self._clients[client.pid]
        job = self._jobs[client.job]
        job.region.unlink(str(client.pid))
        job.clients.discard(client.pid)
        self._leave_if_empty(client.job)

    def _family(self, client: _Client) -> list[Segment]:
        """Return an application's segment and those that the tree goes on in from there, if they are its own."""
        table = self._segments()
        own = {
            segment.key: segment
            for segment in table
            if (segment.creator_pid, segment.creator_uid, segment.owner_uid) == (client.pid, client.uid, self._uid)
        }
        first = next((segment for segment in table if segment.id == client.segment), None)
        if first is None:
            return []
        family = {first.id: first}
        unread = [first]
        while unread and len(family) < _MAX_FAMILY:
            for link in _links(unread.pop()):
                child = own.get(link.key)
                if child is not None and child.id not in family:
                    family[child.id] = child
                    unread.append(child)
        return list(family.values())

    def _exists(self, segment: int) -> bool:
        return any(one.id == segment and one.key for one in self._segments())

    def _new_job(self, name: str) -> _Job:
        job = self._new_region(None, name)
        try:
            self._root.region.link(name, job.key)
        except RegionFull:
            self._discard(job)
            raise
        self._jobs[name] = job
        return job

    def _leave_if_empty(self, name: str) -> None:
        job = self._jobs[name]
        if not job.clients:
            del self._jobs[name]
            self._root.region.unlink(name)
            self._discard(job)

    def _new_region(self, key: int | None, name: str) -> _Job:
        if key is None:
            key, segment = _create_anywhere()
        else:
            segment = shm.create(key, region.ROOM, mode=_MODE)
        memory = shm.open_mapping(segment, region.ROOM, writable=True)
        return _Job(key=key, segment=segment, memory=memory, region=Region(memory, key=key, name=name))

    def _discard(self, job: _Job) -> None:
        region.mark_deleted(job.memory)
        job.memory.close()
        _remove_segment(job.segment)

    def _take_over(self, root_key: int) -> list[tuple[str, Segment]]:
        """Remove the tree that an earlier agent has left, and return what was linked there."""
        table = {segment.key: segment for segment in self._segments()}
        root = table.get(root_key)
        if root is None:
            return []
        if root.creator_uid != self._uid:
            raise CannotGather(
                f"shared memory 0x{root_key:x} was made by uid {root.creator_uid}: remove it with "
                f"'ipcrm -m {root.id}' as root, then start this agent again"
            )
        if root.attached and root.creator_pid != os.getpid() and Path(f"/proc/{root.creator_pid}").exists():
            raise CannotGather(f"process {root.creator_pid} has it already: only one agent in a machine can serve it")
        left = []
        for job in _links(root):
            between = table.get(job.key)
            if between is None or (between.creator_uid, between.size_bytes) != (self._uid, region.ROOM):
                continue
            for client in _links(between):
                segment = table.get(client.key)
                if segment is not None and client.name == str(segment.creator_pid):
                    left.append((job.name, segment))
            _remove_region(between)
        _remove_region(root)
        return left

    def _adopt(self, job: str, segment: Segment) -> None:
        """Link an application that has registered with an earlier agent."""
        try:
            _check_path(job, segment.creator_pid)
            if segment.creator_pid in self._clients or segment.owner_uid != self._uid:
                raise CannotRegister(Der.NO_PERM, "it was not handed over")
            self._link(pid=segment.creator_pid, uid=segment.creator_uid, job=job, segment=segment)
        except (CannotRegister, RegionFull, OSError) as error:
            log.notice(f"metrics linked by an earlier agent are left out: {error}", job=job, pid=segment.creator_pid)
        else:
            log.info("client metrics taken over from an earlier agent", job=job, pid=segment.creator_pid)


@contextmanager
def client_metrics(
    *,
    watch: Watch,
    retain_s: float,
    root_key: int = ROOT_KEY,
    segments: Callable[[], list[Segment]] = shm.segments,
) -> Iterator[ClientMetrics]:
    """Keep the tree for the length of a block, in a running event loop. Raises CannotGather or OSError."""
    if not region.SUPPORTED:
        raise CannotGather(f"how DAOS lays out metrics in memory is known for x86_64 only, not for {machine()}")
    metrics = ClientMetrics(watch=watch, retain_s=retain_s, root_key=root_key, segments=segments)
    try:
        yield metrics
    finally:
        metrics.close()


def _check_path(job: str, pid: int) -> None:
    if "/" in job or not job.isprintable():
        raise CannotRegister(Der.INVAL, "a job id of '/' or unprintable characters cannot be in the tree")
    if len(f"{job}/{pid}".encode()) > region.MAX_NAME:
        raise CannotRegister(Der.EXCEEDS_PATH_LEN, "the job id is too long")


def _create_anywhere() -> tuple[int, int]:
    """Make a segment and return its key, which nobody can guess beforehand, and its id."""
    while True:
        key = _FIRST_KEY + int.from_bytes(os.urandom(4), "little") % (_LAST_KEY - _FIRST_KEY)
        try:
            return key, shm.create(key, region.ROOM, mode=_MODE)
        except FileExistsError:
            continue


def _links(segment: Segment) -> Iterable[region.Link]:
    try:
        with shm.open_mapping(segment.id, segment.size_bytes, writable=False) as memory:
            return region.read_links(memory)
    except OSError as error:
        log.debug(f"cannot read client metrics: {error.strerror}", key=segment.key)
        return []


def _remove_region(segment: Segment) -> None:
    """Remove what an earlier agent has left, telling those who still read there."""
    with shm.open_mapping(segment.id, segment.size_bytes, writable=True) as memory:
        region.mark_deleted(memory)
    _remove_segment(segment.id)


def _remove_segment(segment: int) -> None:
    try:
        shm.remove(segment)
    except OSError as error:
        log.notice(f"cannot remove shared memory {segment}: {error.strerror}; as root, try 'ipcrm -m {segment}'")
