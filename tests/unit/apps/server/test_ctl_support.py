"""CollectLog, as callers have it: a step done, or an error in words."""

import errno
import os
from pathlib import Path

import pytest

from daos_control.apps.server.servicers.ctl_support import SupportService
from daos_control.host.support.collector import Collector, Sources
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.status import StatusError
from daos_control.security.components import Component
from daos_control.wire.pb.ctl import support_pb2

DMG = Caller(component=Component.ADMIN, address="127.0.0.1:1")


@pytest.fixture
def service(tmp_path: Path) -> SupportService:
    (tmp_path / ".active.yml").write_text("name: daos_server\n")
    (tmp_path / "control.log").write_text("h INFO 2026/01/31 12:00:00 a\nh INFO 2026/02/01 12:00:00 b\n")
    sources = Sources(host="node1", config=tmp_path / ".active.yml", control_log=str(tmp_path / "control.log"))
    return SupportService(sources)


async def collect(service: SupportService, **fields: object) -> support_pb2.CollectLogResp:
    return await service.collect(support_pb2.CollectLogReq(**fields), DMG)  # type: ignore[arg-type]


async def test_a_step(service: SupportService, tmp_path: Path) -> None:
    reply = await collect(
        service,
        TargetFolder=str(tmp_path / "out"),
        LogFunction=2,
        LogCmd="ControlLog",
        LogStartDate="2026-02-01",
        LogEndDate="2026-02-01",
    )
    assert reply == support_pb2.CollectLogResp()
    assert (tmp_path / "out/node1/ControlLogs/control.log").read_text() == "h INFO 2026/02/01 12:00:00 b\n"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"LogFunction": 99}, "there is no step 99 of collecting"),
        ({"LogFunction": 5, "LogCmd": "dmg system query"}, "is not one for this host"),
        ({"LogFunction": 1, "LogCmd": "id"}, "'id' is not one of the commands"),
        ({"LogFunction": 0, "TargetFolder": "/etc/x"}, "is inside /etc"),
        ({"LogFunction": 0, "TargetFolder": ""}, "starts at /"),
        ({"LogFunction": 0, "LogStartDate": "soon"}, "'soon' is no start date"),
    ],
)
async def test_what_cannot_be_done(
    fields: dict[str, object], problem: str, service: SupportService, tmp_path: Path
) -> None:
    with pytest.raises(StatusError, match=problem):
        await collect(service, **{"TargetFolder": str(tmp_path / "out")} | fields)


async def test_a_file_that_is_not_there(service: SupportService, tmp_path: Path) -> None:
    (tmp_path / ".active.yml").unlink()
    with pytest.raises(StatusError, match=r"\.active\.yml: No such file or directory"):
        await collect(service, TargetFolder=str(tmp_path / "out"), LogFunction=0)


async def test_a_full_disk_is_told_with_where_it_is(
    service: SupportService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Collector, "carry_out", full)
    with pytest.raises(StatusError, match=rf"{tmp_path}/out: No space left on device"):
        await collect(service, TargetFolder=str(tmp_path / "out"), LogFunction=0)
