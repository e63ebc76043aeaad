"""The client for programs without an event loop: the same verbs, each of which waits for its answer.

::

    with SyncDaosClient.from_config() as daos:
        print(daos.system.query().members)

A thread beside the program runs the event loop. Calls may come from several threads, and may be interrupted. Every verb
of ``DaosClient`` is here with the same signature; a test holds the two against each other.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from daos_control.base.errors import ClientClosed
from daos_control.client.checker import Checker
from daos_control.client.configuration import Configuration
from daos_control.client.daos import DaosClient
from daos_control.client.engines import Engines
from daos_control.client.events import Events
from daos_control.client.fault_injection import FaultInjection
from daos_control.client.firmware import Firmware
from daos_control.client.loop_thread import LoopThread
from daos_control.client.network import Network
from daos_control.client.pools import Pools
from daos_control.client.server import Server
from daos_control.client.storage import Storage
from daos_control.client.support import Support
from daos_control.client.system import System
from daos_control.client.telemetry import Telemetry
from daos_control.config.system import CONTROL_PORT, SYSTEM_NAME
from daos_control.security.certificate_files import Certificates

P = ParamSpec("P")
Part = TypeVar("Part")
Result = TypeVar("Result")
Item = TypeVar("Item")


class _Blocking(Generic[Part]):
    """The verbs of one part of a client, to be called from outside its event loop."""

    def __init__(self, loop: LoopThread, part: Part) -> None:
        self._loop = loop
        self._part = part

    def _call(self, verb: Callable[..., Coroutine[Any, Any, Result]], *args: object, **options: object) -> Result:
        return self._loop.call(partial(verb, self._part, *args, **options))


def _blocking(
    verb: Callable[Concatenate[Part, P], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[_Blocking[Part], P], Result]:
    @wraps(verb)
    def call(self: _Blocking[Part], /, *args: P.args, **options: P.kwargs) -> Result:
        return self._call(verb, *args, **options)

    return call


def _streaming(
    verb: Callable[Concatenate[Part, P], AsyncGenerator[Item, None]],
) -> Callable[Concatenate[_Blocking[Part], P], Generator[Item, None, None]]:
    """Make a generator of one that waits; callbacks that it is given are called from the client's own thread."""

    @wraps(verb)
    def stream(self: _Blocking[Part], /, *args: P.args, **options: P.kwargs) -> Generator[Item, None, None]:
        source = verb(self._part, *args, **options)

        async def following() -> Item:
            return await anext(source)

        try:
            while True:
                yield self._loop.call(following)
        except GeneratorExit:
            with suppress(ClientClosed):
                self._loop.call(source.aclose)
            raise

    return stream


class SyncSystem(_Blocking[System]):
    """``System``, waiting."""

    query = _blocking(System.query)
    leader = _blocking(System.leader)
    stop = _blocking(System.stop)
    start = _blocking(System.start)
    exclude = _blocking(System.exclude)
    clear_exclude = _blocking(System.clear_exclude)
    drain = _blocking(System.drain)
    reintegrate = _blocking(System.reintegrate)
    erase = _blocking(System.erase)
    cleanup = _blocking(System.cleanup)
    rebuild_start = _blocking(System.rebuild_start)
    rebuild_stop = _blocking(System.rebuild_stop)
    self_heal_eval = _blocking(System.self_heal_eval)
    set_attributes = _blocking(System.set_attributes)
    get_attributes = _blocking(System.get_attributes)
    set_properties = _blocking(System.set_properties)
    get_properties = _blocking(System.get_properties)


class SyncPools(_Blocking[Pools]):
    """``Pools``, waiting."""

    plan = _blocking(Pools.plan)
    rehearse = _blocking(Pools.rehearse)
    foresee = _blocking(Pools.foresee)
    at_stake = _blocking(Pools.at_stake)
    create = _blocking(Pools.create)
    list = _blocking(Pools.list)
    query = _blocking(Pools.query)
    query_targets = _blocking(Pools.query_targets)
    destroy = _blocking(Pools.destroy)
    evict = _blocking(Pools.evict)
    extend = _blocking(Pools.extend)
    exclude = _blocking(Pools.exclude)
    drain = _blocking(Pools.drain)
    reintegrate = _blocking(Pools.reintegrate)
    upgrade = _blocking(Pools.upgrade)
    rebuild_start = _blocking(Pools.rebuild_start)
    rebuild_stop = _blocking(Pools.rebuild_stop)
    get_properties = _blocking(Pools.get_properties)
    set_properties = _blocking(Pools.set_properties)
    get_acl = _blocking(Pools.get_acl)
    overwrite_acl = _blocking(Pools.overwrite_acl)
    update_acl = _blocking(Pools.update_acl)
    delete_acl = _blocking(Pools.delete_acl)
    list_containers = _blocking(Pools.list_containers)
    set_container_owner = _blocking(Pools.set_container_owner)


class SyncStorage(_Blocking[Storage]):
    """``Storage``, waiting."""

    scan = _blocking(Storage.scan)
    format = _blocking(Storage.format)
    list_devices = _blocking(Storage.list_devices)
    list_pools = _blocking(Storage.list_pools)
    set_faulty = _blocking(Storage.set_faulty)
    replace_device = _blocking(Storage.replace_device)
    led_check = _blocking(Storage.led_check)
    led_identify = _blocking(Storage.led_identify)
    led_reset = _blocking(Storage.led_reset)
    nvme_rebind = _blocking(Storage.nvme_rebind)
    nvme_add_device = _blocking(Storage.nvme_add_device)


class SyncNetwork(_Blocking[Network]):
    """``Network``, waiting."""

    scan = _blocking(Network.scan)


class SyncServer(_Blocking[Server]):
    """``Server``, waiting."""

    set_log_masks = _blocking(Server.set_log_masks)
    version = _blocking(Server.version)


class SyncEngines(_Blocking[Engines]):
    """``Engines``, waiting."""

    query = _blocking(Engines.query)


class SyncEvents(_Blocking[Events]):
    """``Events``, waiting."""

    list = _blocking(Events.list)
    explain = _blocking(Events.explain)

    follow = _streaming(Events.follow)


class SyncChecker(_Blocking[Checker]):
    """``Checker``, waiting."""

    enable = _blocking(Checker.enable)
    disable = _blocking(Checker.disable)
    start = _blocking(Checker.start)
    stop = _blocking(Checker.stop)
    query = _blocking(Checker.query)
    repair = _blocking(Checker.repair)
    set_policies = _blocking(Checker.set_policies)
    reset_policies = _blocking(Checker.reset_policies)
    ask_always = _blocking(Checker.ask_always)
    get_policies = _blocking(Checker.get_policies)


class SyncSupport(_Blocking[Support]):
    """``Support``, waiting."""

    collect = _blocking(Support.collect)


class SyncTelemetry(_Blocking[Telemetry]):
    """``Telemetry``, waiting."""

    metrics = _blocking(Telemetry.metrics)


class SyncFirmware(_Blocking[Firmware]):
    """``Firmware``, waiting."""

    query = _blocking(Firmware.query)
    update = _blocking(Firmware.update)


class SyncFaultInjection(_Blocking[FaultInjection]):
    """``FaultInjection``, waiting."""

    pool_service = _blocking(FaultInjection.pool_service)
    management_service = _blocking(FaultInjection.management_service)
    finding = _blocking(FaultInjection.finding)


class SyncConfiguration(_Blocking[Configuration]):
    """``Configuration``, waiting."""

    generate = _blocking(Configuration.generate)


class SyncDaosClient:
    """A client of one DAOS system; use it in a ``with`` block, or up to ``close`` or the end of the program.

    ``make`` builds the ``DaosClient`` inside the event loop's thread.
    """

    def __init__(self, make: Callable[[], DaosClient]) -> None:
        self._loop = LoopThread(make)
        client = self._loop.client
        self.system = SyncSystem(self._loop, client.system)
        self.pools = SyncPools(self._loop, client.pools)
        self.storage = SyncStorage(self._loop, client.storage)
        self.network = SyncNetwork(self._loop, client.network)
        self.server = SyncServer(self._loop, client.server)
        self.engines = SyncEngines(self._loop, client.engines)
        self.events = SyncEvents(self._loop, client.events)
        self.checker = SyncChecker(self._loop, client.checker)
        self.support = SyncSupport(self._loop, client.support)
        self.telemetry = SyncTelemetry(self._loop, client.telemetry)
        self.firmware = SyncFirmware(self._loop, client.firmware)
        self.fault_injection = SyncFaultInjection(self._loop, client.fault_injection)
        self.configuration = SyncConfiguration(self._loop, client.configuration)

    @classmethod
    def connect(
        cls,
        hosts: Sequence[str],
        *,
        system: str = SYSTEM_NAME,
        port: int = CONTROL_PORT,
        certificates: Certificates | None = None,
        allow_proxy: bool = False,
        timeout_s: float | None = None,
    ) -> Self:
        """Make a client from its parts; see ``DaosClient.connect``."""
        return cls(
            partial(
                DaosClient.connect,
                hosts,
                system=system,
                port=port,
                certificates=certificates,
                allow_proxy=allow_proxy,
                timeout_s=timeout_s,
            )
        )

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
        """Make a client as a ``daos_control.yml`` describes it; see ``DaosClient.from_config``."""
        return cls(
            partial(
                DaosClient.from_config,
                path,
                hosts=hosts,
                insecure=insecure,
                allow_proxy=allow_proxy,
                timeout_s=timeout_s,
            )
        )

    def close(self) -> None:
        """Close all connections and end the thread; calls of other threads fail."""
        self._loop.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
