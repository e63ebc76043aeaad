"""What the agent asks of the management service; the requests are those of the original, as recorded."""

from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from daos_control.apps.agent import upstream
from daos_control.base.errors import DaosControlError, DaosError, EmptyGroupMap, RaftUnavailable
from daos_control.base.fault_codes import FaultCode
from daos_control.testing.logs import captured_logs
from daos_control.wire.pb.mgmt.pool_pb2 import PoolEvictReq, PoolEvictResp
from daos_control.wire.pb.mgmt.svc_pb2 import ClientNetHint, GetAttachInfoReq, GetAttachInfoResp
from daos_control.wire.pb.mgmt.system_pb2 import SystemCleanupReq, SystemCleanupResp


class Service:
    """Answers once, and keeps what it was asked and which errors the caller would have repeated."""

    def __init__(self, answer: Message | DaosControlError) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Message]] = []
        self.retry: Any = None

    async def call(self, method: Any, request: Message, *, retry: Any = None, **how: Any) -> Any:
        self.asked.append((method.name, request))
        self.retry = retry
        if isinstance(self.answer, DaosControlError):
            raise self.answer
        return self.answer


async def test_attach_info_is_asked_for_all_ranks_until_there_is_one():
    service = Service(GetAttachInfoResp(client_net_hint=ClientNetHint(provider="ofi+tcp")))

    info = await upstream.fetch_attach_info(service, provider_index=0)

    assert info.provider == "ofi+tcp"
    assert service.asked == [("GetAttachInfo", GetAttachInfoReq(all_ranks=True))]
    assert service.retry(EmptyGroupMap())
    assert not service.retry(RaftUnavailable())


async def test_handles_are_evicted_from_one_pool():
    service = Service(PoolEvictResp(count=2))

    await upstream.evict(service, UUID(int=1), frozenset({UUID(int=3), UUID(int=2)}))

    expected = PoolEvictReq(id=str(UUID(int=1)), handles=[str(UUID(int=2)), str(UUID(int=3))])
    assert service.asked == [("PoolEvict", expected)]


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (DaosError(-1006), True),
        (DaosError(-1013), True),
        (DaosError(-1005), False),
        (FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault(), True),
        (FaultCode.SERVER_WRONG_SYSTEM.fault(requested="a", actual="b"), False),
    ],
    ids=str,
)
async def test_an_eviction_is_repeated_while_that_makes_sense(error: DaosControlError, passes: bool):
    service = Service(PoolEvictResp())
    await upstream.evict(service, UUID(int=1), ())

    assert service.retry(error) is passes


async def test_what_this_machine_left_behind_is_cleaned_up_and_told():
    results = [
        SystemCleanupResp.CleanupResult(pool_id="p1", count=2),
        SystemCleanupResp.CleanupResult(pool_id="p2", status=-1006, msg="unreachable"),
    ]
    service = Service(SystemCleanupResp(results=results))

    with captured_logs() as lines:
        await upstream.clean_up(service, "node1")

    assert service.asked == [("SystemCleanup", SystemCleanupReq(machine="node1"))]
    assert [(line.level.name, line.fields["pool"]) for line in lines] == [("INFO", "p1"), ("ERROR", "p2")]


async def test_a_cleanup_that_fails_is_told_and_nothing_more():
    with captured_logs() as lines:
        await upstream.clean_up(Service(RaftUnavailable()), "node1")

    assert [line.level.name for line in lines] == ["ERROR"]


@pytest.mark.parametrize("hosts", [(), ("node[1-",), ("node:port",)], ids=["none", "no range", "no port"])
def test_hosts_that_are_none_are_refused_before_anybody_asks(hosts: tuple[str, ...]):
    with pytest.raises(DaosControlError):
        upstream.Connection(hosts, "daos_server", port=10001, certificates=None)
