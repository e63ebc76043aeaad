"""What will be where: a lab's addresses, folders and configuration files. Pure.

Every host has a loopback address of its own and the standard control port, so the YAML files are those
of a real system; only ``daos_server --control-address`` tells the servers apart that share one kernel.
Labs side by side take different address blocks and fabric ports, and each keeps its sockets in a run
folder of its own, since socket paths may be no longer than 107 bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from daos_control.base.errors import Fault
from daos_control.base.units import counted

CONTROL_PORT = 10001
FABRIC_PORTS_PER_LAB = 256
SERVICE_CONTEXTS = 2
"""Network contexts of a genuine engine beside those of its targets: the system's and the one that watches its peers."""
FIRST_FABRIC_PORT = 20000
MAX_HOSTS = 200
SCM_GIB_PER_ENGINE = 4
SERVICE_MIB = 128
"""What a replica of a pool service takes: the least that engines take, so that many pools fit."""
FIRST_POOL_GIB = 8
SYSTEM_NAME = "daos_server"
SIMULATION = "simulation"
"""What the process is called that plays the hosts which are not processes."""
MAX_SIMULATED = 50_000
MAX_SIMULATED_ENGINES = 32
_SIMULATED_PORTS_FROM = 200
"""Of a lab's fabric ports; those below are for engines that are processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for."""

    hosts: int = 3
    engines: int = 2
    """Engines of each host."""
    targets: int = 4
    """Targets of each engine."""
    insecure: bool = False
    engine: str = ""
    """Path of a genuine ``daos_engine``; empty for the emulated one."""
    simulated: int = 0
    """Ranks beside those of the hosts, on hosts that are simulated."""
    simulated_engines: int = 2
    """Engines of each simulated host."""

    def __post_init__(self) -> None:
        if not 0 <= self.simulated <= MAX_SIMULATED:
            raise ValueError(f"up to {MAX_SIMULATED} ranks can be simulated, not {self.simulated}")
        if not 1 <= self.simulated_engines <= MAX_SIMULATED_ENGINES:
            raise ValueError(
                f"a simulated host has between 1 and {MAX_SIMULATED_ENGINES} engines, not {self.simulated_engines}"
            )
        if not 1 <= self.hosts <= MAX_HOSTS:
            raise ValueError(f"a lab has between 1 and {MAX_HOSTS} hosts, not {self.hosts}")
        if not 1 <= self.targets <= 64:
            raise ValueError(f"an engine has between 1 and 64 targets, not {self.targets}")
        most = FABRIC_PORTS_PER_LAB // self.fabric_ports_per_engine // self.hosts
        if not 1 <= self.engines <= most:
            of_what = f" of {self.targets} targets" if self.engine else ""
            raise ValueError(
                f"{self.hosts} hosts can have between 1 and {most} engines{of_what} each, not {self.engines}"
                if most
                else f"there are not enough ports for {self.hosts} hosts with engines{of_what}"
            )

    def again(self, **asked: Any) -> "Wish":
        """Return the same but for what is asked for now. What was simulated is not: it ended with its process."""
        return replace(self, **{"simulated": 0, "simulated_engines": 2, **asked})

    @property
    def first_pool_bytes(self) -> int:
        """Size of the pool that is there from the start, if nobody says otherwise; a third of a small system."""
        return min(FIRST_POOL_GIB << 30, (self.hosts * self.engines * SCM_GIB_PER_ENGINE << 30) // 3)

    @property
    def fabric_ports_per_engine(self) -> int:
        """Ports an engine listens on, from its configured one up: a genuine one has one for each network context."""
        return self.targets + SERVICE_CONTEXTS if self.engine else 1

    @property
    def fabric_ports(self) -> int:
        """Ports all engines listen on."""
        return self.hosts * self.engines * self.fabric_ports_per_engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one lab lives: its folder, and the part of the loopback network and of /tmp that is its own."""

    folder: Path
    run: Path
    """Short folder for sockets."""
    network: str
    """The first three octets of the lab's addresses."""
    first_fabric_port: int

    @property
    def simulated_network(self) -> str:
        """The first two octets of the addresses of simulated hosts."""
        return f"127.{128 + int(self.network.rpartition('.')[2])}"

    @property
    def simulated_fabric_port(self) -> int:
        """The fabric port of the first engine of each simulated host."""
        return self.first_fabric_port + _SIMULATED_PORTS_FROM

    @property
    def simulated_folders(self) -> tuple[Path, Path]:
        """Where simulated hosts may keep their sockets and storage: in memory, or, where that is scarce, on disk."""
        return Path("/dev/shm") / f"{self.run.parent.name}-{self.run.name}", self.run / SIMULATION  # noqa: S108


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One storage host of the plan."""

    name: str
    address: str
    folder: Path
    config: Mapping[str, Any]

    @property
    def config_path(self) -> Path:
        """Its daos_server.yml."""
        return self.folder / "daos_server.yml"

    @property
    def storage(self) -> tuple[Path, ...]:
        """Where its engines keep their data, by instance."""
        return tuple(Path(engine["storage"][0]["scm_mount"]) for engine in self.config["engines"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a lab consists of."""

    wish: Wish
    place: Place
    hosts: tuple[Host, ...]
    agent_config: Mapping[str, Any]
    control_config: Mapping[str, Any]

    @property
    def ranks(self) -> int:
        """How many ranks join when all is well."""
        return self.wish.hosts * self.wish.engines

    @property
    def extent(self) -> str:
        """How much that is, in words."""
        return f"{counted(self.wish.hosts, 'host')}, {counted(self.ranks, 'engine')}"

    @property
    def agent_folder(self) -> Path:
        """Where the agent's configuration and logs are."""
        return self.place.folder / "agent"

    @property
    def control_config_path(self) -> Path:
        """The daos_control.yml for dmg."""
        return self.place.folder / "daos_control.yml"

    @property
    def certificates(self) -> Path:
        """Where the authority and the certificates are, unless insecure."""
        return self.place.folder / "certs"

    @property
    def programs(self) -> Path:
        """First in the servers' PATH: holds the ``daos_engine`` they are to run."""
        return self.place.folder / "bin"

    @property
    def simulation_log(self) -> Path:
        """The log of what is simulated."""
        return self.place.folder / "simulation.log"

    def host(self, name: str) -> Host | None:
        """Find a host by its name (``h2``) or address."""
        return next((host for host in self.hosts if name in {host.name, host.address}), None)


def place_number(number: int, folder: Path, runs: Path) -> Place:
    """Return the ``number``-th place (0 to 99) that a lab in ``folder`` can take; ``runs`` is a short folder."""
    return Place(
        folder=folder,
        run=runs / str(number),
        network=f"127.64.{number}",
        first_fabric_port=FIRST_FABRIC_PORT + number * FABRIC_PORTS_PER_LAB,
    )


def plan(wish: Wish, place: Place) -> Plan:
    """Lay a lab out."""
    names = [f"h{number + 1}" for number in range(wish.hosts)]
    addresses = [f"{place.network}.{number + 1}" for number in range(wish.hosts)]
    replica = f"{addresses[0]}:{CONTROL_PORT}"
    hosts = tuple(
        Host(
            name=name,
            address=address,
            folder=place.folder / name,
            config=_server_config(wish, place, number, name, replica),
        )
        for number, (name, address) in enumerate(zip(names, addresses, strict=True))
    )
    return Plan(
        wish=wish,
        place=place,
        hosts=hosts,
        agent_config=_agent_config(wish, place, replica),
        control_config={
            "name": SYSTEM_NAME,
            "port": CONTROL_PORT,
            "hostlist": addresses,
            "transport_config": _transport(wish, place, "admin"),
        },
    )


def refuse_mixture(before: Wish, now: Wish) -> None:
    """Raise if a lab that was laid out as ``before`` is asked to become ``now``: its data would not fit."""
    if before == now:
        return
    of_each = f"of {counted(before.targets, 'target')}{' each' if before.hosts * before.engines > 1 else ''}"
    another = "end it with 'daos_lab down', or choose another --dir"
    raise Fault(
        "lab",
        0,
        f"this lab has {counted(before.hosts, 'host')} with {counted(before.engines, 'engine')} {of_each}"
        f"{', insecure' if before.insecure else ', with certificates'}{', genuine engines' if before.engine else ''}"
        f"{f', and {before.simulated} simulated ranks' if before.simulated else ''}",
        resolution=another if before.simulated else f"leave these options out to start it as it is, {another}",
    )


def _transport(wish: Wish, place: Place, component: str) -> dict[str, Any]:
    if wish.insecure:
        return {"allow_insecure": True}
    folder = place.folder / "certs"
    transport: dict[str, Any] = {
        "allow_insecure": False,
        "ca_cert": str(folder / "daosCA.crt"),
        "cert": str(folder / f"{component}.crt"),
        "key": str(folder / f"{component}.key"),
    }
    if component == "server":
        transport["client_cert_dir"] = str(folder / "clients")
    return transport


def _server_config(wish: Wish, place: Place, number: int, name: str, replica: str) -> dict[str, Any]:
    folder = place.folder / name
    return {
        "name": SYSTEM_NAME,
        "mgmt_svc_replicas": [replica],
        "port": CONTROL_PORT,
        "provider": "ofi+tcp",
        "socket_dir": str(place.run / name),
        # Names differ although all hosts are this machine; pools spread over them as over real hosts.
        "fault_path": f"/{name}",
        "disable_hugepages": True,
        "system_ram_reserved": 1,
        "engine_auto_restart_min_delay": 5,
        "control_log_mask": "INFO",
        "control_log_file": str(folder / "daos_server.log"),
        "helper_log_file": str(folder / "daos_server_helper.log"),
        "transport_config": _transport(wish, place, "server"),
        "engines": [_engine_config(wish, place, number, name, index) for index in range(wish.engines)],
    }


def _engine_config(wish: Wish, place: Place, number: int, name: str, index: int) -> dict[str, Any]:
    folder = place.folder / name
    ports_before = (number * wish.engines + index) * wish.fabric_ports_per_engine
    environment = ["D_LOG_FILE_APPEND_PID=0", "DAOS_TARGET_OVERSUBSCRIBE=1", f"DAOS_MD_CAP={SERVICE_MIB}"]
    if not wish.engine:
        environment.append(f"DAOS_EMULATOR_SCM_BYTES={SCM_GIB_PER_ENGINE << 30}")
    if wish.simulated:  # thousands of peers in one process may keep a ping waiting, and are not dead for that
        environment += ["DAOS_EMULATOR_SWIM_PING_MS=5000", "DAOS_EMULATOR_SERVICE_BYTES=0"]
    return {
        "targets": wish.targets,
        "nr_xs_helpers": 0,
        "first_core": 0,
        "fabric_iface": "lo",
        "fabric_iface_port": place.first_fabric_port + ports_before,
        "log_mask": "ERR",
        "log_file": str(folder / f"daos_engine.{index}.log"),
        "env_vars": environment,
        "storage": [
            {
                "class": "ram",
                "scm_size": SCM_GIB_PER_ENGINE,
                "scm_mount": str(folder / f"daos{index}"),
                "scm_hugepages_disabled": True,
            }
        ],
    }


def _agent_config(wish: Wish, place: Place, replica: str) -> dict[str, Any]:
    return {
        "name": SYSTEM_NAME,
        "access_points": [replica],
        "port": CONTROL_PORT,
        "runtime_dir": str(place.run / "agent"),
        "log_file": str(place.folder / "agent" / "daos_agent.log"),
        "fabric_ifaces": [{"numa_node": 0, "devices": [{"iface": "lo", "domain": "lo"}]}],
        "transport_config": _transport(wish, place, "agent"),
    }
