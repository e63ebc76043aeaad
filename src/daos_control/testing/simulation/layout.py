"""Which hosts a simulated system has, and what each of them is made of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from daos_control.apps.server.addresses import Addresses
from daos_control.apps.server.preparation import Prepared
from daos_control.config.server import ACTIVE_CONFIG_NAME
from daos_control.engine.command import EngineSettings, Fabric, Storage
from daos_control.engine.process import Launch
from daos_control.engine.restarts import RestartPolicy
from daos_control.host.storage.plan import Means, RamDisk
from daos_control.host.storage.scm import OwnHands
from daos_control.host.support.collector import Sources
from daos_control.mgmt.ports import ClientHint, Settings
from daos_control.mgmt.rules.pools import EngineStorage
from daos_control.model.fault_domain import FaultDomain
from daos_control.security.certificates import Certificates

PROVIDER = "ofi+tcp"
HOSTS_PER_BLOCK = 250
SCM_GIB = 4
_ETHERNET = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A system's simulated part."""

    system: str
    replicas: tuple[str, ...]
    """``ip:port`` of the replicas of the management service, which are not simulated."""
    network: str
    """The first two octets of the hosts' addresses, e.g. ``127.128``."""
    port: int
    first_fabric_port: int
    """The engines of a host take this port and those after it, on their host's address."""
    ranks: int
    engines: int
    """Engines of each host; the last host may have fewer."""
    targets: int
    folder: Path
    """Where the hosts keep sockets and storage; its path must be short, and it had better be in memory."""
    certificates: Certificates | None = None
    client_certificates: Path | None = None
    restart_delay_s: float = 5.0
    engine_variables: tuple[str, ...] = ()
    """``NAME=value`` for every engine's environment, beside what it must be told."""

    @property
    def hosts(self) -> int:
        """How many hosts it takes."""
        return -(-self.ranks // self.engines)

    def address(self, host: int) -> str:
        """Return a host's address; hosts count from 1, as their names do."""
        block, place = divmod(host - 1, HOSTS_PER_BLOCK)
        return f"{self.network}.{block}.{place + 1}"

    def name(self, host: int) -> str:
        """Return a host's name."""
        return f"sim{host}"

    def engines_of(self, host: int) -> int:
        """Return how many engines a host has."""
        return min(self.engines, self.ranks - (host - 1) * self.engines)

    def socket_dir(self, host: int) -> Path:
        """Return where a host's sockets are."""
        return self.folder / self.name(host)

    def disk(self, host: int, engine: int) -> Path:
        """Return where an engine's storage is."""
        return self.folder / self.name(host) / f"daos{engine}"

    def prepared(self, host: int, launch: Launch, environment: Mapping[str, str]) -> Prepared:
        """Return what a host's control server is built from."""
        address, name, count = self.address(host), self.name(host), self.engines_of(host)
        return Prepared(
            system=self.system,
            hostname=name,
            port=self.port,
            addresses=Addresses(listen=address, own=f"{address}:{self.port}", replicas=self.replicas, replica=None),
            certificates=self.certificates,
            client_certificates=self.client_certificates,
            socket_dir=str(self.socket_dir(host)),
            environment=environment,
            binary=Path("daos_engine"),
            fault_domain=FaultDomain((name,)),
            provider=PROVIDER,
            engines=tuple(self._engine(host, index) for index in range(count)),
            disks=tuple(RamDisk(target=self.disk(host, index), size_gib=SCM_GIB) for index in range(count)),
            maker=OwnHands(Means.DIRECTORY),
            hugepages=False,
            restarts=RestartPolicy(min_delay_s=self.restart_delay_s),
            store_folder=Path(),
            management=self._settings(name, address),
            support=Sources(host=name, config=self.socket_dir(host) / ACTIVE_CONFIG_NAME),
            launch=launch,
        )

    def _engine(self, host: int, index: int) -> EngineSettings:
        return EngineSettings(
            index=index,
            system=self.system,
            socket_dir=str(self.socket_dir(host)),
            targets=self.targets,
            helpers=0,
            fabric=Fabric(provider=PROVIDER, interface="lo", port=self.first_fabric_port + index),
            storage=Storage(scm_mount=str(self.disk(host, index))),
            env_vars=(
                f"DAOS_EMULATOR_ADDRESS={self.address(host)}",
                f"DAOS_EMULATOR_SCM_BYTES={SCM_GIB << 30}",
                "DAOS_EMULATOR_SERVICE_BYTES=0",  # those of many pools may be on the same few of thousands of ranks
                *self.engine_variables,
            ),
        )

    def _settings(self, name: str, address: str) -> Settings:
        return Settings(
            system_name=self.system,
            hostname=name,
            replicas=self.replicas,
            address=None,
            hints=(ClientHint(provider=PROVIDER, net_dev_class=_ETHERNET),),
            storage=EngineStorage(targets=self.targets, has_bdevs=False, md_on_ssd=False),
        )
