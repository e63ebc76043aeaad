"""Looking at a server's host, once, for everything that its checks want to know. Nothing here changes anything."""

import asyncio
import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from daos_control.apps.doctor.checks.certificates import CertificateFacts
from daos_control.apps.doctor.checks.places import LogFile, SocketFolder
from daos_control.apps.doctor.view import View, look_around
from daos_control.apps.server import addresses, parts, preparation
from daos_control.apps.server.doctor.facts import Disk, Hardware, Programs, Resolution, ServerFacts
from daos_control.base.errors import DaosControlError
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.validation import validated
from daos_control.engine import superblock
from daos_control.engine.process import EngineStartError, find_binary
from daos_control.engine.superblock import SuperblockError
from daos_control.engine.version import version_in
from daos_control.host import hugepages, iommu, locks, memory, mounts, network, nvme, pmem, shm
from daos_control.host.helper.client import Helper
from daos_control.host.helper.protocol import HELPER, PARENT
from daos_control.host.lock import LOCK_NAME
from daos_control.host.places import Place, look_at
from daos_control.host.processes import Process
from daos_control.host.shm import Segment
from daos_control.host.storage.plan import MARKER
from daos_control.net.unreachable import why_unreachable
from daos_control.security.certificates import CertificateFiles
from daos_control.security.components import Component
from daos_control.store import upkeep
from daos_control.store.api import StoreUnavailable

ENGINE_SOCKET = "daos_engine_4194304.sock"
"""The longest name of a socket in ``socket_dir``: pids end there."""
KNOCK_S = 2.0
"""How long another replica may take to accept a connection."""
_ROOT = Path("/")


async def gather(path: str | None, *, control_address: str = "", root: Path = _ROOT) -> ServerFacts:
    """Look at this host as a server with that configuration, and perhaps that address alone, would find it."""
    config, problem = load(path)
    ports = () if config is None else ports_of(config)
    view, hardware = await asyncio.gather(
        asyncio.to_thread(look_around, root, ports=ports), asyncio.to_thread(look_at_hardware, config, root)
    )
    programs = await asyncio.to_thread(look_at_programs)
    if not view.is_root:
        programs = replace(programs, helper_problem=await helper_problem(programs))
    where = Path(path) if path else None
    if config is None:
        return ServerFacts(
            path=where, config=None, problem=problem, view=view, hardware=hardware, programs=programs,
            own_name_problem=own_name_problem(),
        )  # fmt: skip
    sockets = Path(config.socket_dir)
    holder = running_server(sockets, root)
    process = serving(view, config.path, holder=holder)
    server_pid = process.pid if process else holder
    resolutions = await resolve(config, control_address)
    store = store_of(config, resolutions)
    return ServerFacts(
        path=config.path,
        control_address=control_address,
        config=config,
        view=view.limited_as(server_pid, root),
        hardware=hardware,
        programs=programs,
        server_pid=server_pid,
        operator=view.operator(process),
        engine_pids=frozenset(engines_in(view, config.socket_dir)),
        resolutions=resolutions,
        own_name_problem=own_name_problem(),
        certificates=await asyncio.to_thread(look_at_certificates, config, view),
        socket_folder=SocketFolder(key="socket_dir", place=look_at(sockets), longest_name=ENGINE_SOCKET),
        logs=tuple(log_files(config)),
        disks=tuple(look_at_disk(engine) for engine in config.engines),
        stale_sockets=stale_sockets(sockets, view),
        store=store,
        store_problem=await asyncio.to_thread(store_problem, store),
    )


def load(path: str | None) -> tuple[ServerConfig | None, Exception | None]:
    """Read the configuration, or say why not."""
    try:
        return ServerConfig.find(path), None
    except DaosControlError as error:
        return None, error


def ports_of(config: ServerConfig) -> tuple[int, ...]:
    """Return the ports that the server and its engines will listen on."""
    return (config.port, config.telemetry_port, *(engine.fabric_iface_port for engine in config.engines))


def look_at_hardware(config: ServerConfig | None, root: Path = _ROOT) -> Hardware:
    """Look at memory, network and devices."""
    names = {engine.fabric_iface for engine in config.engines if engine.fabric_iface} if config else set()
    return Hardware(
        memory=memory.read_memory(root),
        nodes=memory.read_memory_by_node(root),
        transparent_hugepages=hugepages.transparent(root),
        abandoned_hugepages=hugepages.abandoned_files(root),
        interfaces=network.net_interfaces(root),
        readiness={name: network.readiness(name, root) for name in names},
        fabric=network.fabric_interfaces(network.net_interfaces(root), network.addressed_interfaces()),
        has_iommu=iommu.has_iommu(root),
        has_vfio=iommu.has_vfio(root),
        drives=nvme.drives(root),
        spdk_locks=tuple(
            sorted(path.name.removeprefix("spdk_pci_lock_") for path in (root / "var/tmp").glob("spdk_pci_lock_*"))
        ),
        pmem=pmem.modules(root),
        segments=_segments(root),
    )


def look_at_programs() -> Programs:
    """Look for the programs that a server needs, as it would."""
    beside = preparation.own_folder()
    search = os.environ.get("PATH", os.defpath)
    helper = shutil.which(HELPER) or shutil.which(HELPER, path=str(beside))
    tools = tuple(name for name in ("setpriv", "sh") if shutil.which(name) is None)
    binary, problem, version = None, "", ""
    try:
        binary = find_binary(preparation.ENGINE_PROGRAM, search, beside)
        version = version_in(binary)
    except EngineStartError:
        problem = f"{preparation.ENGINE_PROGRAM} is neither in PATH nor in {beside}"
    except OSError as error:
        problem = f"{binary}: {error.strerror}"
    return Programs(
        engine=binary,
        engine_problem=problem,
        engine_version=version,
        helper=look_at(Path(helper)) if helper else None,
        helper_is_script=helper is not None and is_script(Path(helper)),
        may_mount=mounts.may_mount(),
        missing_tools=tools,
    )


def is_script(program: Path) -> bool:
    """Whether a program is one that an interpreter reads."""
    try:
        with program.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:  # who may not read it may still be allowed to run it
        return False


async def helper_problem(programs: Programs) -> str:
    """Ask the helper as a server would that depends on it, and return why it does not work; nothing if it does."""
    if programs.may_mount or programs.helper is None or not programs.helper_has_rights:
        return ""
    try:
        await Helper(programs.helper.path).check()
    except DaosControlError as error:
        return error.gist
    return ""


def serving(view: View, path: Path | None, *, holder: int | None) -> Process | None:
    """Return the server that runs with this configuration: it has the lock, or was started with this very path."""
    having = next((one for one in view.running if one.pid == holder), None)
    return having or view.serving(PARENT, path)


def running_server(sockets: Path, root: Path = _ROOT) -> int | None:
    """Return the pid of the server that has this place, or None."""
    try:
        return locks.holder(sockets / LOCK_NAME, root)
    except OSError:  # never used, or not to be looked at
        return None


def engines_in(view: View, socket_dir: str) -> list[int]:
    """Return the engines that run with these sockets."""
    return [one.pid for one in view.running if _is_engine(one.words) and socket_dir in one.words]


def _is_engine(words: Sequence[str]) -> bool:
    return any(Path(word).name.startswith("daos_engine") for word in words[:3])


async def resolve(config: ServerConfig, control_address: str = "") -> tuple[Resolution, ...]:
    """Resolve the replicas as the server does, and knock at those of other hosts."""
    try:
        replicas: Sequence[str] = validated(config).mgmt_svc_replicas
    except DaosControlError:  # told elsewhere
        replicas = config.mgmt_svc_replicas
    return tuple(await asyncio.gather(*(_resolve(replica, config.port, control_address) for replica in replicas)))


async def _resolve(replica: str, default_port: int, control_address: str) -> Resolution:
    host, colon, port = replica.rpartition(":")
    host, port = (host, port) if colon else (replica, str(default_port))
    try:
        address = await asyncio.to_thread(addresses.first_address, host.strip("[]"))
    except OSError as error:
        return Resolution(replica=replica, problem=error.strerror or str(error))
    if address == control_address if control_address else network.is_local(address):
        return Resolution(replica=replica, address=address, is_local=True, answers=None)
    return Resolution(replica=replica, address=address, answers=await _knock(address, int(port)))


async def _knock(address: str, port: int) -> str:
    try:
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return f"no answer within {KNOCK_S:.0f} s"
    except OSError as error:
        return why_unreachable(error)
    writer.close()
    return ""


def own_name_problem() -> str:
    """Return why this host's own name stands for no address; nothing if it does."""
    try:
        addresses.first_address(socket.gethostname())
    except OSError as error:
        return error.strerror or str(error)
    return ""


def look_at_certificates(config: ServerConfig, view: View) -> CertificateFacts:
    """Look at the server's certificates."""
    transport = config.transport_config
    if transport.allow_insecure:
        return CertificateFacts(component=Component.SERVER, inspection=None)
    from daos_control.security.inspection import inspect  # noqa: PLC0415  it loads cryptography

    clients = Path(transport.client_cert_dir)
    files = CertificateFiles(
        ca_cert=Path(transport.ca_cert), cert=Path(transport.cert), key=Path(transport.key), client_cert_dir=clients
    )
    agent = look_at(clients / "agent.crt")
    return CertificateFacts(
        component=Component.SERVER,
        inspection=inspect(files, view.now),
        clients=clients,
        clients_are_listed=os.access(clients, os.R_OK),
        has_agent=agent.exists,
    )


def log_files(config: ServerConfig) -> list[LogFile]:
    """Return the files that the server and its engines write to."""
    named = [("control_log_file", config.control_log_file), ("helper_log_file", config.helper_log_file)]
    named += [(f"engines[{index}].log_file", engine.log_file) for index, engine in enumerate(config.engines)]
    return [LogFile(key=key, place=look_at(Path(name))) for key, name in named if name]


def look_at_disk(engine: EngineConfig) -> Disk:
    """Look at what an engine would find where its storage is to be."""
    if not engine.scm_tiers or not engine.scm.scm_mount:
        return Disk(place=Place(path=Path(), exists=False))
    target = Path(engine.scm.scm_mount)
    place = look_at(target)
    mounted = mounts.mounted_at(target) if place.exists and not place.hidden else None
    try:
        found, problem = superblock.read(target / superblock.FILE_NAME), ""
    except SuperblockError as error:
        found, problem = None, str(error)
    return Disk(
        place=place,
        filesystem=mounted.filesystem if mounted else "",
        size_bytes=mounts.space(target).total_bytes if mounted else 0,
        is_stand_in=look_at(target / MARKER).exists and not mounted,
        superblock=found,
        problem=problem,
    )


def stale_sockets(folder: Path, view: View) -> tuple[Path, ...]:
    """Return sockets of server and engines that nobody listens on."""
    try:
        found = [folder / "daos_server.sock", *folder.glob("daos_engine*.sock")]
    except OSError:
        return ()
    return tuple(path for path in found if str(path) not in view.bound_paths and look_at(path).exists)


def store_of(config: ServerConfig, resolutions: Sequence[Resolution]) -> Place | None:
    """Return where this host's replica keeps the system, if it is a replica."""
    from daos_control.apps.server.replica import STORE_FILE  # noqa: PLC0415  it brings the management service along

    if not config.engines or not config.engines[0].scm_tiers or not any(one.is_local for one in resolutions):
        return None
    return look_at(parts.store_folder(config) / STORE_FILE)


def store_problem(place: Place | None) -> str:
    """Return what is wrong with a database, as far as it can be read."""
    if place is None or not place.exists or place.hidden:
        return ""
    try:
        health = upkeep.examine(place.path)
    except StoreUnavailable as error:
        return str(error)
    return "" if health.is_sound else f"{place.path} is damaged: {health.verdict}"


def _segments(root: Path) -> tuple[Segment, ...]:
    try:
        return tuple(shm.segments(root / "proc/sysvipc/shm"))
    except OSError:  # a kernel without System V shared memory
        return ()
