"""What earlier runs have left: storage that is formatted, the system's database, processes, sockets, shared memory."""

from collections.abc import Iterator

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.server.doctor.facts import Disk, ServerFacts
from daos_control.config.server import ServerConfig

TOPIC = Topic("storage")
LEFTOVERS = Topic("leftovers")

ENGINE_METRICS_KEY = 0x10242048
"""Shared memory of the first engine; of the others, the numbers after it."""
MOST_ENGINES = 32


def check_disks(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    """What a start would find where engines keep their data."""
    for index, (engine, disk) in enumerate(zip(config.engines, facts.disks, strict=True)):
        if engine.scm.storage_class == "ram":
            yield from _check_disk(facts, config, f"engine {index}", disk)


def _check_disk(facts: ServerFacts, config: ServerConfig, check: str, disk: Disk) -> Iterator[Finding]:
    path = disk.place.path
    found = disk.superblock
    if disk.place.exists and not (disk.place.is_folder or disk.filesystem or found):
        yield TOPIC.problem(check, f"{path} is not a folder", "move it away, or set scm_mount to another path")
    elif disk.place.hidden or disk.problem:
        what = disk.problem or f"{path}: {disk.place.hidden}"
        if "denied" in what.lower():
            yield TOPIC.unknown(check, what, "look as root, or as the user that daos_server runs as")
        else:
            what, _, remedy = what.partition("; ")
            yield TOPIC.problem(check, what, remedy or "see to it, or format anew: dmg storage format --force")
    elif found is not None:
        rank = "no rank yet" if found.joined_rank is None else f"rank {found.joined_rank}"
        if found.system != config.name:
            yield TOPIC.problem(
                check,
                f"{path} belongs to {rank} of system {found.system}, and the configuration is for {config.name}",
                f"name the system as it was, or format anew, which loses what it holds: umount {path}",
            )
        else:
            yield TOPIC.ok(check, f"{path} is formatted, and belongs to {rank} of system {found.system}")
    elif disk.filesystem or disk.is_stand_in:
        kind = disk.filesystem or "a plain folder"
        yield TOPIC.warning(
            check,
            f"{path} ({kind}) is there without a superblock: its format did not come to its end",
            "after the start: dmg storage format --force",
        )
    else:
        yield TOPIC.ok(check, f"{path} is not formatted", "after the start: dmg storage format")


def check_leftovers(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    """Who and what is still there from earlier runs."""
    yield from _check_servers(facts, config)
    yield from _check_engines(facts, config)
    if facts.stale_sockets and not facts.server_pid:
        names = ", ".join(path.name for path in facts.stale_sockets)
        yield LEFTOVERS.ok("sockets", f"{names}: nobody listens there; the next start removes them")
    else:
        yield LEFTOVERS.ok("sockets", "none that nobody listens on")
    yield from _check_segments(facts)


def _check_servers(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    others = [one for one in facts.view.others("daos_server") if "start" in one.words]
    if facts.server_pid:
        yield LEFTOVERS.ok("server", f"daos_server runs with this configuration (pid {facts.server_pid})")
        return
    if others:
        pids = ", ".join(str(one.pid) for one in others)
        yield LEFTOVERS.warning(
            "server",
            f"other servers run on this machine (pid {pids}), with other socket directories than {config.socket_dir}",
            "stop them, unless they are meant to be there",
        )
    else:
        yield LEFTOVERS.ok("server", "no daos_server runs")


def _check_engines(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    if not facts.engine_pids:
        yield LEFTOVERS.ok("engines", "none runs")
    elif facts.server_pid:
        yield LEFTOVERS.ok("engines", f"{len(facts.engine_pids)} of {len(config.engines)} run")
    else:
        pids = " ".join(map(str, sorted(facts.engine_pids)))
        yield LEFTOVERS.problem(
            "engines", f"engines run without their server (pid {pids}), and hold its storage and ports", f"kill {pids}"
        )


def _check_segments(facts: ServerFacts) -> Iterator[Finding]:
    """Look for metrics of engines that have ended; engines that start take the memory over."""
    running = bool(facts.view.others("daos_engine")) or bool(facts.engine_pids)
    mine = range(ENGINE_METRICS_KEY, ENGINE_METRICS_KEY + MOST_ENGINES)
    stale = [one for one in facts.hardware.segments if one.key in mine and not one.attached]
    if stale and not running:
        one = len(stale) == 1
        yield LEFTOVERS.warning(
            "shared memory",
            "a segment with metrics of an engine that has ended"
            if one
            else f"{len(stale)} segments with metrics of engines that have ended",
            f"ipcrm {' '.join(f'-m {segment.id}' for segment in stale)}; engines of another user could not take "
            f"{'it' if one else 'them'} over",
        )
    else:
        yield LEFTOVERS.ok("shared memory", "none of engines that have ended")


def check_store(facts: ServerFacts) -> Iterator[Finding]:
    """The database of the system should be there if the storage says that there is a system."""
    place = facts.store
    if place is None:
        yield TOPIC.not_applicable("system database", "this host is no replica of the management service")
        return
    ranked = [disk for disk in facts.disks[:1] if disk.superblock and disk.superblock.joined_rank is not None]
    if place.hidden:
        yield TOPIC.unknown("system database", f"{place.path}: {place.hidden}", "look as the user of daos_server")
    elif facts.store_problem:
        remedy = "daos_server ms recover saves what can be read; daos_server ms restore -p FILE puts a backup in place"
        yield TOPIC.problem("system database", facts.store_problem, remedy)
    elif place.exists:
        yield TOPIC.ok("system database", f"{place.path} is there; see: daos_server ms status")
    elif ranked:
        yield TOPIC.problem(
            "system database",
            f"{place.path} is gone, and rank {ranked[0].superblock.joined_rank if ranked[0].superblock else 0} was "
            "in a system: a start would begin a new one that knows no pools",
            "restore a backup before the start: daos_server ms restore -p FILE",
        )
    else:
        yield TOPIC.ok("system database", "none yet: the format of the first engine begins a system")
