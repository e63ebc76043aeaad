"""Firmware is refused as a DAOS 2.8 server without a helper for it refuses: stop engines first, then there is none."""

import pytest

from daos_control.apps.server.servicers.ctl_firmware import FirmwareRefusedError, FirmwareService
from daos_control.base.errors import Fault
from daos_control.engine.harness import Harness
from daos_control.net.rpc.handlers import Caller
from daos_control.testing.engine import stage
from daos_control.wire.pb.ctl.firmware_pb2 import FirmwareQueryReq, FirmwareQueryResp, FirmwareUpdateReq

ADMIN = Caller(component=None, address="")


@pytest.mark.parametrize(
    ("asked", "kind"),
    [({"queryScm": True, "queryNvme": True}, "SCM"), ({"queryScm": True}, "SCM"), ({"queryNvme": True}, "NVMe")],
)
async def test_a_query_names_the_kind_that_nobody_can_look_into(asked, kind):
    with pytest.raises(FirmwareRefusedError, match=f"{kind} firmware operations are not supported"):
        await FirmwareService(Harness([])).query(FirmwareQueryReq(**asked), ADMIN)


async def test_a_query_for_nothing_is_answered_with_nothing():
    assert await FirmwareService(Harness([])).query(FirmwareQueryReq(), ADMIN) == FirmwareQueryResp()


async def test_an_update_is_refused_for_an_engine_that_runs_and_then_for_good(tmp_path):
    async with stage(tmp_path) as play:
        service = FirmwareService(play.harness)
        request = FirmwareUpdateReq(firmwarePath="/fw", type=FirmwareUpdateReq.NVMe)
        await play.make_ready()
        with pytest.raises(Fault, match="rank 7") as running:
            await service.update(request, ADMIN)
        assert running.value.code == 612
        await play.engines[0].supervisor.stop(2)
        with pytest.raises(FirmwareRefusedError, match="NVMe"):
            await service.update(request, ADMIN)
        request.type = 7
        with pytest.raises(FirmwareRefusedError, match="unrecognized"):
            await service.update(request, ADMIN)
