"""What the agent answers to clients, beyond what the recordings of the original show."""

import os
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from daos_control.apps.agent.attach_info import AttachInfo, UnusableAttachInfo
from daos_control.apps.agent.client_metrics import CannotRegister
from daos_control.apps.agent.credentials import Credentials
from daos_control.apps.agent.fabric import Fabric, FabricDevice, NameFilter
from daos_control.apps.agent.identity import Identity, UserMap
from daos_control.apps.agent.local_fabric import LocalFabric
from daos_control.apps.agent.process_monitor import TooManyHandles
from daos_control.apps.agent.service import AgentService
from daos_control.apps.agent.telemetry import TelemetryPolicy
from daos_control.base.der import Der
from daos_control.base.fault_codes import FaultCode
from daos_control.net.drpc import methods
from daos_control.net.drpc.errors import DrpcFailure, Status
from daos_control.net.drpc.server import Peer
from daos_control.testing.clock import ManualClock
from daos_control.wire.pb.mgmt.svc_pb2 import (
    ClientNetHint,
    ClientTelemetryReq,
    ClientTelemetryResp,
    GetAttachInfoReq,
    GetAttachInfoResp,
    PoolMonitorReq,
)

PEER = Peer(pid=77, uid=1000, gid=100)
INFO = AttachInfo(
    provider="ofi+tcp", dev_class=1, srv_srx_set=0, common=b"", hint=ClientNetHint(provider="ofi+tcp", net_dev_class=1)
)
UUIDS = {"poolUUID": "2e4ea518-74ca-4109-aa8b-85d14d772a7a", "poolHandleUUID": "12e4e655-3a56-4a8f-8b79-f53fbe3b4874"}


class Attach:
    def __init__(self, outcome: AttachInfo | Exception = INFO) -> None:
        self.outcome = outcome

    async def get(self) -> AttachInfo:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Monitor:
    """Notes what it is told; refuses when told so."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.full = False

    def opened(self, pid: int, pool: UUID, handle: UUID) -> None:
        if self.full:
            raise TooManyHandles("full")
        self.told.append(("opened", pid, str(pool), str(handle)))

    def closed(self, pid: int, pool: UUID, handle: UUID) -> None:
        self.told.append(("closed", pid, str(pool), str(handle)))

    def exiting(self, pid: int) -> None:
        self.told.append(("exiting", pid))


def device(name: str, provider: str = "ofi+tcp") -> tuple[int, FabricDevice]:
    return 0, FabricDevice(interface=name, domain=name, dev_class=1, providers=frozenset({provider}))


def agent(
    *,
    attach: Attach | None = None,
    devices: Iterable[tuple[int, FabricDevice]] = (device("eth0"), device("ib0", "ofi+verbs")),
    **given: Any,
) -> AgentService:
    async def scan(dev_class: int, provider: str) -> Fabric:
        return Fabric.of(devices)

    settings: dict[str, Any] = {
        "system": "daos_server",
        "attach": attach or Attach(),
        "fabric": LocalFabric(scan, static=Fabric(), names=NameFilter(), has_address=lambda name: True),
        "credentials": Credentials(
            machine="node1",
            sign=lambda token: b"v",
            look_up=lambda uid, gid: Identity(user="ada", group="maths"),
            user_map=UserMap(),
            clock=ManualClock(),
        ),
        "monitor": Monitor(),
        "telemetry": TelemetryPolicy(),
        "metrics": None,
        "name_of": lambda pid: "app",
        "numa_node_of": lambda pid: 0,
        "is_closing": lambda: False,
    }
    return AgentService(**(settings | given))


async def attached(service: AgentService, **request: Any) -> GetAttachInfoResp:
    handler = service.handlers()[methods.Mgmt.GET_ATTACH_INFO]
    reply = await handler(GetAttachInfoReq(**request), PEER)
    assert isinstance(reply, bytes)
    return GetAttachInfoResp.FromString(reply)


@pytest.mark.parametrize("system", ["", "daos_server"])
async def test_a_client_of_our_system_is_served(system: str):
    reply = await attached(agent(), sys=system)

    assert (reply.client_net_hint.interface, reply.client_net_hint.domain) == ("eth0", "eth0")


async def test_a_client_of_another_system_is_told_so():
    assert await attached(agent(), sys="daos_server-2.8.0") == GetAttachInfoResp(status=-1003)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(FaultCode.SERVER_WRONG_SYSTEM.fault(requested="a", actual="b"), -2038, id="another system"),
        pytest.param(FaultCode.SECURITY_INVALID_CERT.fault(), -2044, id="bad certificate"),
        pytest.param(FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="h:1"), -1006, id="refused connection"),
    ],
)
async def test_some_errors_reach_the_application(error: Exception, status: int):
    assert await attached(agent(attach=Attach(error))) == GetAttachInfoResp(status=status)


async def failure(service: AgentService, method: methods.Method[Any, Any], request: object) -> Status:
    with pytest.raises(DrpcFailure) as failed:
        await service.handlers()[method](request, PEER)
    return failed.value.status


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(agent(attach=Attach(FaultCode.CLIENT_RPC_TIMEOUT.fault(request="r", limit="5 s"))), id="late"),
        pytest.param(agent(attach=Attach(UnusableAttachInfo("no provider"))), id="useless answer"),
        pytest.param(agent(devices=()), id="no device"),
    ],
)
async def test_other_errors_fail_the_call(service: AgentService):
    assert await failure(service, methods.Mgmt.GET_ATTACH_INFO, GetAttachInfoReq()) is Status.FAILURE


async def test_a_client_that_is_gone_fails_the_call():
    service = agent(numa_node_of=lambda pid: os.sched_getaffinity(2**22 + 1) and 0)

    assert await failure(service, methods.Mgmt.GET_ATTACH_INFO, GetAttachInfoReq()) is Status.FAILURE


async def test_an_interface_the_client_insists_on_is_echoed_even_if_unknown():
    hint = (await attached(agent(), interface="eth9", domain="dom9")).client_net_hint

    assert (hint.interface, hint.domain) == ("eth9", "dom9")


async def test_an_interface_the_client_insists_on_must_speak_the_servers_provider():
    request = GetAttachInfoReq(interface="ib0")

    assert await failure(agent(), methods.Mgmt.GET_ATTACH_INFO, request) is Status.FAILURE


async def test_a_domain_without_interface_means_nothing():
    assert (await attached(agent(), domain="ib0")).client_net_hint.domain == "eth0"


@pytest.mark.parametrize("method", [m for m in agent().handlers() if m.module == methods.Module.MGMT], ids=str)
async def test_once_the_agent_is_closing_clients_are_turned_away(method: methods.Method[Any, Any]):
    assert await failure(agent(is_closing=lambda: True), method, None) is Status.FAILURE


async def test_credentials_are_issued_even_then():
    handler = agent(is_closing=lambda: True).handlers()[methods.Agent.REQUEST_CREDS]

    assert await handler(None, PEER)


async def test_reports_are_about_the_process_that_the_kernel_names():
    monitor = Monitor()
    handlers = agent(monitor=monitor).handlers()

    await handlers[methods.Mgmt.NOTIFY_POOL_CONNECT](PoolMonitorReq(**UUIDS, jobid="of-pid-1"), PEER)
    await handlers[methods.Mgmt.NOTIFY_POOL_DISCONNECT](PoolMonitorReq(**UUIDS), PEER)
    await handlers[methods.Mgmt.NOTIFY_EXIT](None, PEER)

    told = tuple(UUIDS.values())
    assert monitor.told == [("opened", 77, *told), ("closed", 77, *told), ("exiting", 77)]


@pytest.mark.parametrize("method", [methods.Mgmt.NOTIFY_POOL_CONNECT, methods.Mgmt.NOTIFY_POOL_DISCONNECT], ids=str)
@pytest.mark.parametrize(
    "report",
    [{}, {"poolUUID": "short"}, {**UUIDS, "poolHandleUUID": "x" * 1000}, {**UUIDS, "poolUUID": ""}],
    ids=["empty", "short", "long", "half"],
)
async def test_a_report_without_uuids_is_refused(method: methods.Method[Any, Any], report: dict[str, str]):
    monitor = Monitor()

    assert await failure(agent(monitor=monitor), method, PoolMonitorReq(**report)) is Status.FAILURE
    assert not monitor.told


async def test_a_report_too_many_is_refused():
    monitor = Monitor()
    monitor.full = True

    status = await failure(agent(monitor=monitor), methods.Mgmt.NOTIFY_POOL_CONNECT, PoolMonitorReq(**UUIDS))

    assert status is Status.FAILURE


class Registry:
    """Notes what is registered; refuses when told so."""

    def __init__(self, refusal: CannotRegister | None = None) -> None:
        self.refusal = refusal
        self.registered: list[dict[str, Any]] = []

    def register(self, **what: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.registered.append(what)


METRICS = ClientTelemetryReq(jobid="job-1", shm_key=6668)


async def test_metrics_are_registered_under_the_kernels_word():
    registry = Registry()
    reply = await agent(metrics=registry).handlers()[methods.Mgmt.SETUP_CLIENT_TELEM](METRICS, PEER)

    assert reply == ClientTelemetryResp(status=0, agent_uid=os.getuid())
    assert registry.registered == [{"pid": PEER.pid, "uid": PEER.uid, "job": "job-1", "key": 6668}]


async def test_metrics_that_cannot_be_registered_are_no_failure_of_the_call():
    registry = Registry(CannotRegister(Der.NO_PERM, "another user's"))
    reply = await agent(metrics=registry).handlers()[methods.Mgmt.SETUP_CLIENT_TELEM](METRICS, PEER)

    assert reply == ClientTelemetryResp(status=-1001, agent_uid=os.getuid())


async def test_an_agent_that_gathers_no_metrics_says_so():
    reply = await agent(metrics=None).handlers()[methods.Mgmt.SETUP_CLIENT_TELEM](METRICS, PEER)

    assert reply == ClientTelemetryResp(status=-1015, agent_uid=os.getuid())


@pytest.mark.parametrize(
    "request_",
    [ClientTelemetryReq(), ClientTelemetryReq(shm_key=1), ClientTelemetryReq(jobid="j")],
    ids=["empty", "no job", "no key"],
)
@pytest.mark.parametrize("metrics", [None, Registry()], ids=["off", "on"])
async def test_an_incomplete_telemetry_request_fails(request_: ClientTelemetryReq, metrics: Registry | None):
    service = agent(metrics=metrics)

    assert await failure(service, methods.Mgmt.SETUP_CLIENT_TELEM, request_) is Status.FAILURE
