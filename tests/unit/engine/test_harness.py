"""Which engine of a host is asked."""

import asyncio

import pytest

from daos_control.net.drpc.errors import DrpcTimeout
from daos_control.net.drpc.methods import Mgmt
from daos_control.testing.engine import stage
from daos_control.wire.pb.mgmt import svc_pb2


async def test_an_engine_that_let_a_call_time_out_is_asked_last_until_it_answers_again(tmp_path):
    updates = {Mgmt.GROUP_UPDATE: lambda _: svc_pb2.GroupUpdateResp()}
    awake = asyncio.Event()

    async def hang(_):
        await awake.wait()
        return svc_pb2.GroupUpdateResp()

    async with stage(tmp_path, engines=2, answers=updates) as play:
        for index in range(2):
            await play.make_ready(index)
        first, second = play.engines
        first.answers[Mgmt.GROUP_UPDATE] = hang

        async def update(version, *, timeout_s=10.0):
            request = svc_pb2.GroupUpdateReq(map_version=version)
            await play.harness.call(Mgmt.GROUP_UPDATE, request, timeout_s=timeout_s)

        with pytest.raises(DrpcTimeout):
            await update(1, timeout_s=0.3)
        await update(2)
        first.answers[Mgmt.GROUP_UPDATE] = updates[Mgmt.GROUP_UPDATE]
        second.answers[Mgmt.GROUP_UPDATE] = hang
        with pytest.raises(DrpcTimeout):
            await update(3, timeout_s=0.3)
        await update(4)
        awake.set()
        heard = [[told.map_version for name, told in engine.told if name == "GROUP_UPDATE"] for engine in play.engines]
        assert heard == [[1, 4], [2, 3]]
