"""The client's public face: names, cheap imports, and a sync twin for every verb."""

import inspect
import subprocess
import sys
from enum import Enum
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

import daos_control.client as package
from daos_control.base.errors import Fault
from daos_control.client import pools, sync, system
from daos_control.client.checker import Checker
from daos_control.client.configuration import Configuration
from daos_control.client.connection import Connection
from daos_control.client.daos import DaosClient
from daos_control.client.engines import Engines
from daos_control.client.events import Events
from daos_control.client.network import Network
from daos_control.client.pools import Pools
from daos_control.client.server import Server
from daos_control.client.storage import Storage
from daos_control.client.support import Support
from daos_control.client.system import System
from daos_control.client.telemetry import Telemetry

INNER = ("daos_control.wire.pb.", "daos_control.config.server", "daos_control.config.storage",
         "daos_control.config.transport", "daos_control.base.logs")  # fmt: skip
"""What scripts may look into and need not name: messages, and the sections of a generated configuration."""

TWINS = [
    (System, sync.SyncSystem),
    (Pools, sync.SyncPools),
    (Storage, sync.SyncStorage),
    (Network, sync.SyncNetwork),
    (Server, sync.SyncServer),
    (Engines, sync.SyncEngines),
    (Events, sync.SyncEvents),
    (Checker, sync.SyncChecker),
    (Support, sync.SyncSupport),
    (Telemetry, sync.SyncTelemetry),
    (Configuration, sync.SyncConfiguration),
]


def test_every_public_name_can_be_had() -> None:
    assert sorted(package.__all__) == dir(package)
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_importing_the_package_loads_nothing() -> None:
    script = "import sys, daos_control.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"asyncio", "grpc", "google.protobuf", "dataclasses"} & set(loaded)


@pytest.mark.parametrize("part", [system, pools], ids=["system", "pools"])
def test_every_public_name_of_a_part_can_be_had(part: ModuleType) -> None:
    assert sorted(part.__all__) == dir(part)
    for name in part.__all__:
        assert getattr(part, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        part.Nonsense  # noqa: B018


def test_asking_for_members_loads_only_what_that_takes() -> None:
    script = (
        "import sys, daos_control.cli.dmg.system.members, daos_control.client.system.verbs\n"
        "from daos_control.net.rpc.methods import MGMT; MGMT['SystemQuery'].reply\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    unneeded = {"client.pools", "client.storage", "client.system.ranks", "client.system.pools", "base.fault_words",
                "wire.pb.mgmt.pool_pb2", "wire.pb.mgmt.svc_pb2", "model.system_property"}  # fmt: skip
    assert not {f"daos_control.{name}" for name in unneeded} & set(loaded)


def test_looking_at_pools_loads_only_what_that_takes() -> None:
    script = (
        "import sys, daos_control.cli.dmg.pool.listing, daos_control.client.pools.verbs\n"
        "from daos_control.net.rpc.methods import MGMT; MGMT['PoolQuery'].reply\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    unneeded = {"client.storage", "client.storage_records", "client.pool_size", "client.rehearsal", "model.acl",
                "client.pools.plan", "client.pools.foresight", "base.fault_words"}  # fmt: skip
    assert not {f"daos_control.{name}" for name in unneeded} & set(loaded)


@pytest.mark.parametrize(("part", "twin"), TWINS, ids=lambda kind: kind.__name__)
def test_every_verb_has_a_twin_that_waits(part: type, twin: type) -> None:
    verbs = {name: verb for name, verb in vars(part).items() if inspect.iscoroutinefunction(verb) and name[0] != "_"}
    assert verbs
    for name, verb in verbs.items():
        blocking = getattr(twin, name)
        assert not inspect.iscoroutinefunction(blocking)
        assert inspect.signature(blocking) == inspect.signature(verb)
        assert blocking.__doc__ == verb.__doc__


def test_events_are_followed_with_the_same_options() -> None:
    wanted, offered = inspect.signature(Events.follow), inspect.signature(sync.SyncEvents.follow)
    assert wanted.parameters == offered.parameters


def test_both_clients_are_made_from_a_configuration_in_the_same_way() -> None:
    assert inspect.signature(sync.SyncDaosClient.from_config) == inspect.signature(DaosClient.from_config)


def test_both_clients_are_made_from_parts_in_the_same_way() -> None:
    wanted, offered = inspect.signature(DaosClient.connect), inspect.signature(sync.SyncDaosClient.connect)
    assert {name: (part.kind, part.default) for name, part in wanted.parameters.items()} == {
        name: (part.kind, part.default) for name, part in offered.parameters.items()
    }
    with sync.SyncDaosClient.connect([""]) as daos, pytest.raises(Fault, match="no server is named"):
        daos.system.query()


def test_whatever_verbs_take_and_answer_can_be_named() -> None:
    public = {name: getattr(package, name) for name in package.__all__}
    parts = [twin.__orig_bases__[0].__args__[0] for twin in _twins()]
    met: set[type] = set()
    for kind in [DaosClient, *parts, *_twins()]:
        _meet(kind, public, met)
    assert len(met) > 100
    assert not {kind for kind in met - set(public.values()) if not kind.__module__.startswith(INNER)}


def _twins() -> list[Any]:
    return [kind for name, kind in vars(sync).items() if name.startswith("Sync") and name != "SyncDaosClient"]


def _meet(kind: Any, public: dict[str, Any], met: set[type]) -> None:
    """Collect the classes in the signatures of a class and in the fields of values, and in theirs."""
    for part in get_args(kind):
        _meet(part, public, met)
    if not isinstance(kind, type) or kind in met or not kind.__module__.startswith("daos_control."):
        return
    met.add(kind)
    if issubclass(kind, (Exception, Enum, Connection)):
        return
    told = [hint for name, hint in get_type_hints(kind, localns=public).items() if name[0] != "_"]
    for name, verb in vars(kind).items():
        if name[0] != "_" and callable(verb := getattr(verb, "fget", getattr(verb, "__func__", verb))):
            told += get_type_hints(verb, localns=public).values()
    for hint in told:
        _meet(hint, public, met)
