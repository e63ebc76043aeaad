"""What scripts give to verbs: a lone text is one name and not its letters, and nonsense is always an InvalidRequest."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from daos_control.base.errors import PoolNotFound
from daos_control.client import InvalidRequest, PerRank, Total
from daos_control.client.daos import DaosClient
from daos_control.testing.answers import Answers
from daos_control.wire.pb.ctl.storage_pb2 import StorageScanResp
from daos_control.wire.pb.mgmt import pool_pb2, system_pb2

MIB = 1 << 20


async def test_a_lone_host_is_one_host() -> None:
    answers = Answers(StorageScan=StorageScanResp(), SystemStop=system_pb2.SystemStopResp())
    await DaosClient(answers, ["a"]).storage.scan(hosts="node[1-2]")
    await DaosClient(answers, "node3").storage.scan()
    assert [host for host, _, _ in answers.asked] == ["node1:10001", "node2:10001", "node3:10001"]
    await DaosClient(answers, "a").system.stop(hosts="10.0.0.1")
    assert answers.sent[-1].hosts == "10.0.0.1"


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda daos: daos.pools.update_acl("tank", "A::ann@:r"), {"entries": ["A::ann@:r"]}),
        (lambda daos: daos.pools.create("x", Total(total_bytes=MIB), acl="A::ann@:r"), {"acl": ["A::ann@:r"]}),
        (lambda daos: daos.system.get_attributes("site"), {"keys": ["site"]}),
        (lambda daos: daos.system.get_properties("self_heal"), {"keys": ["self_heal"]}),
        (lambda daos: daos.pools.get_properties("tank", "label"), {"properties": [pool_pb2.PoolProperty(number=1)]}),
        (lambda daos: daos.checker.start("tank"), {"uuids": ["tank"]}),
        (lambda daos: daos.checker.stop("tank"), {"uuids": ["tank"]}),
        (lambda daos: daos.checker.query("tank"), {"uuids": ["tank"]}),
    ],
)
async def test_a_lone_name_is_one_name(ask: Callable[[DaosClient], Awaitable[Any]], told: dict[str, Any]) -> None:
    answers = _Refusing()
    with pytest.raises(PoolNotFound):
        await ask(DaosClient(answers, ["a"]))
    [request] = answers.sent
    assert {name: list(getattr(request, name)) for name in told} == told


class _Refusing(Answers):
    """Answers nothing but that there is no such pool."""

    async def call(self, address: str, method: Any, request: Any, *, timeout_s: float | None = None) -> Any:
        self.asked.append((address, method.name, request))
        raise PoolNotFound(label="none")


@pytest.mark.parametrize(
    "ask",
    [
        lambda daos: daos.system.query(ranks="x"),
        lambda daos: daos.system.stop(ranks=[-1]),
        lambda daos: daos.system.drain(ranks="5-1"),
        lambda daos: daos.system.exclude(ranks=[1 << 40]),
        lambda daos: daos.system.start(hosts=["a["]),
        lambda daos: daos.engines.query(ranks="1-", hosts=["a"]),
        lambda daos: daos.events.list(ranks="x"),
        lambda daos: daos.events.list(ranks=[-1]),
        lambda daos: daos.storage.scan(hosts=["a["]),
        lambda daos: daos.pools.create("x", Total(total_bytes=-1)),
        lambda daos: daos.pools.create("x", Total(total_bytes=1 << 64)),
        lambda daos: daos.pools.create("x", Total(total_bytes=MIB, num_ranks=-1)),
        lambda daos: daos.pools.create("x", PerRank(tier_bytes=(MIB, -1))),
        lambda daos: daos.pools.create("x", PerRank(tier_bytes=(1 << 64, 0))),
        lambda daos: daos.pools.create("x", Total(total_bytes=MIB), ranks=[-1]),
        lambda daos: daos.pools.create("x", Total(total_bytes=MIB), service_replicas=-1),
        lambda daos: daos.pools.extend("x", [-1]),
        lambda daos: daos.pools.drain("x", [-1]),
    ],
)
async def test_nonsense_is_refused_before_anything_is_sent(ask: Callable[[DaosClient], Awaitable[Any]]) -> None:
    answers = Answers()
    with pytest.raises(InvalidRequest):
        await ask(DaosClient(answers, ["a"]))
    assert not answers.sent


async def test_who_has_no_name_here_is_told_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000_001)
    monkeypatch.setattr("os.getegid", lambda: 4_000_000_001)
    daos = DaosClient(Answers(), ["a"])
    with pytest.raises(InvalidRequest, match="user 4000000001 has no name"):
        await daos.pools.create("x", Total(total_bytes=MIB))
    with pytest.raises(InvalidRequest, match="group 4000000001 has no name"):
        await daos.pools.create("x", Total(total_bytes=MIB), user="ann")
