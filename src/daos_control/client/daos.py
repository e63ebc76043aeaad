"""``DaosClient``: everything an administrator can ask of a DAOS system, as coroutines.

::

    async with DaosClient.from_config() as daos:
        state = await daos.system.query()
        pool = await daos.pools.create("tank", Total(total_bytes=8 << 30))

The verbs are in ``daos.system``, ``daos.pools``, ``daos.storage``, ``daos.network``, ``daos.server``,
``daos.engines``, ``daos.events``, ``daos.checker``, ``daos.telemetry``, ``daos.support``, ``daos.firmware``,
``daos.configuration`` and ``daos.fault_injection``; ``daos.connection`` is the way to anything that has none.
``daos_control.client.sync`` has the same for programs without an event loop.
"""
# ruff: noqa: PLC0415 - a program pays for the verbs it uses, and for the transport only once there is a client

import os
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from daos_control.base.errors import Fault
from daos_control.client.connection import Connection
from daos_control.client.errors import ConfigUnreadable
from daos_control.client.invoke import ManagementClient
from daos_control.client.transport import Transport
from daos_control.client.waiting import Waiting
from daos_control.config.system import CONTROL_PORT, SYSTEM_NAME
from daos_control.security.components import Component

if TYPE_CHECKING:
    from daos_control.client.checker import Checker
    from daos_control.client.configuration import Configuration
    from daos_control.client.engines import Engines
    from daos_control.client.events import Events
    from daos_control.client.fault_injection import FaultInjection
    from daos_control.client.firmware import Firmware
    from daos_control.client.network import Network
    from daos_control.client.pools import Pools
    from daos_control.client.server import Server
    from daos_control.client.storage import Storage
    from daos_control.client.support import Support
    from daos_control.client.system import System
    from daos_control.client.telemetry import Telemetry
    from daos_control.config.control import ControlConfig
    from daos_control.security.certificates import Certificates


class DaosClient:
    """A client of one DAOS system; use it from one event loop, in an ``async with`` block or up to ``aclose``."""

    def __init__(
        self,
        channels: Transport,
        hosts: Sequence[str],
        *,
        system: str = SYSTEM_NAME,
        port: int = CONTROL_PORT,
        timeout_s: float | None = None,
    ) -> None:
        self._channels = channels
        management = ManagementClient(channels, hosts, system, port=port, timeout_s=timeout_s)
        self.connection = Connection(channels=channels, management=management, system=system)

    @classmethod
    def connect(
        cls,
        hosts: Sequence[str],
        *,
        system: str = SYSTEM_NAME,
        port: int = CONTROL_PORT,
        certificates: "Certificates | None" = None,
        allow_proxy: bool = False,
        timeout_s: float | None = None,
    ) -> Self:
        """Make a client from its parts; without certificates it is insecure. Connections are made when needed.

        With ``timeout_s``, that is how long all its calls together may take, and nobody is given up before.
        """
        from daos_control.net.grpc.channels import CONNECT_S, Channels

        connect_s = CONNECT_S if timeout_s is None else timeout_s
        channels = Channels(certificates, Component.ADMIN, allow_proxy=allow_proxy, connect_s=connect_s)
        return cls(channels, hosts, system=system, port=port, timeout_s=timeout_s)

    @classmethod
    def from_config(
        cls,
        path: Path | str | None = None,
        *,
        hosts: Sequence[str] | None = None,
        insecure: bool = False,
        allow_proxy: bool = False,
        timeout_s: float | None = None,
    ) -> Self:
        """Make a client as a ``daos_control.yml`` describes it; ``hosts`` replaces the file's host list.

        Without a path the user's file is taken, or else the system's, or else DAOS's defaults.
        Certificates are read here, unless the file or ``insecure`` says to do without; the first call tries them.
        """
        from daos_control.config.control import NAMED_BY, ControlConfig

        try:
            config = ControlConfig.find(path)
        except OSError as error:
            remedy = "name another one with --config-path, or none at all"
            if not path and error.filename == os.environ.get(NAMED_BY):
                remedy = f"{NAMED_BY} names it: unset that, or name another with --config-path"
            raise ConfigUnreadable(
                f"cannot read the configuration {error.filename}: {error.strerror}; {remedy}"
            ) from error
        return cls.connect(
            config.hostlist if hosts is None else hosts,
            system=config.name,
            port=config.port,
            certificates=_certificates(config, insecure=insecure),
            allow_proxy=allow_proxy,
            timeout_s=timeout_s,
        )

    def over(self, connection: Connection) -> Self:
        """Return a client like this whose verbs go over another connection, such as a ``Rehearsal``."""
        twin = copy(self)
        twin.connection = connection
        return twin

    def unwatched(self) -> Self:
        """Return a client over the same connections, of whose calls ``waiting`` knows nothing."""
        shared = self.connection.management
        management = ManagementClient(self._channels, shared.hosts, self.connection.system, port=shared.port)
        return self.over(replace(self.connection, management=management))

    @property
    def system(self) -> "System":
        """The system as a whole."""
        from daos_control.client.system import System

        return System(self.connection)

    @property
    def pools(self) -> "Pools":
        """Its pools."""
        from daos_control.client.pools import Pools

        return Pools(self.connection)

    @property
    def storage(self) -> "Storage":
        """The storage of its hosts."""
        from daos_control.client.storage import Storage

        return Storage(self.connection)

    @property
    def network(self) -> "Network":
        """The network of its hosts."""
        from daos_control.client.network import Network

        return Network(self.connection)

    @property
    def server(self) -> "Server":
        """Its servers and their engines."""
        from daos_control.client.server import Server

        return Server(self.connection)

    @property
    def engines(self) -> "Engines":
        """The lives of its engines."""
        from daos_control.client.engines import Engines

        return Engines(self.connection)

    @property
    def events(self) -> "Events":
        """Its history."""
        from daos_control.client.events import Events

        return Events(self.connection)

    @property
    def checker(self) -> "Checker":
        """The checker of its metadata."""
        from daos_control.client.checker import Checker

        return Checker(self.connection)

    @property
    def support(self) -> "Support":
        """What its hosts collect for support."""
        from daos_control.client.support import Support

        return Support(self.connection)

    @property
    def telemetry(self) -> "Telemetry":
        """What its servers publish for Prometheus."""
        from daos_control.client.telemetry import Telemetry

        return Telemetry(self.connection)

    @property
    def firmware(self) -> "Firmware":
        """The firmware of its storage devices."""
        from daos_control.client.firmware import Firmware

        return Firmware(self.connection)

    @property
    def fault_injection(self) -> "FaultInjection":
        """Ways to break it, for tests of the checker."""
        from daos_control.client.fault_injection import FaultInjection

        return FaultInjection(self.connection)

    @property
    def configuration(self) -> "Configuration":
        """Configurations for its hosts."""
        from daos_control.client.configuration import Configuration

        return Configuration(self.connection)

    @property
    def waiting(self) -> Waiting:
        """What calls are out, for people who wonder."""
        return self.connection.waiting

    async def aclose(self) -> None:
        """Close all connections; calls under way fail, and later ones with ``ClientClosed``."""
        await self._channels.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _certificates(config: "ControlConfig", *, insecure: bool) -> "Certificates | None":
    transport = config.transport_config
    if insecure or transport.allow_insecure:
        return None
    from daos_control.security import certificates

    files = certificates.CertificateFiles(
        ca_cert=Path(transport.ca_cert),
        cert=Path(transport.cert),
        key=Path(transport.key),
        key_mode=certificates.ADMIN_KEY_MODE,
    )
    try:
        return certificates.load(files, check=False)
    except Fault as fault:
        if config.path is None:  # nobody chose these files, so they are not what is missing
            fault.resolution = (
                "no daos_control.yml was found: name one with --config-path (for a lab, see daos_lab env); "
                f"or {fault.resolution}"
            )
        raise
