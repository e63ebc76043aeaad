"""Joining: the request as genuine servers write it, and patience."""

import pytest

from daos_control.apps.server.membership import SystemMembership, join_request
from daos_control.base.errors import DaosControlError, NotLeader, NotReplica, SteppingUp, Uninitialized
from daos_control.base.fault_codes import FaultCode
from daos_control.client.invoke import BackOff, ManagementClient
from daos_control.engine.ports import Admission, Candidate, Standing
from daos_control.wire.pb.mgmt import svc_pb2

CANDIDATE = Candidate(
    index=1,
    uuid="0a59e55f-51e2-48fc-8374-cc88c37c0d97",
    rank=None,
    uri="ofi+tcp://127.0.0.1:31516",
    contexts=3,
    fault_domain="/storage1",
    incarnation=2975003209789341696,
    check_mode=False,
    replace=False,
)


def test_the_request_is_that_of_a_genuine_server():
    assert join_request(CANDIDATE, "127.0.0.1:10001") == svc_pb2.JoinReq(
        uuid="0a59e55f-51e2-48fc-8374-cc88c37c0d97",
        rank=4294967295,
        uri="ofi+tcp://127.0.0.1:31516",
        nctxs=3,
        addr="127.0.0.1:10001",
        srvFaultDomain="/storage1",
        idx=1,
        incarnation=2975003209789341696,
    )


class Wire:
    """Gives its answers in turn."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def reach(self, _address, *, timeout_s=None):
        pass

    async def call(self, address, _method, request, *, timeout_s=None):
        self.asked.append((address, request.sys, timeout_s))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def no_pause(_):
    return None


def membership(wire):
    client = ManagementClient(
        wire, ["10.0.0.1:10001"], "daos_server", back_off=BackOff(chance=lambda _: 0), sleep=no_pause
    )
    return SystemMembership(client, "0.0.0.0:10001")


async def test_it_waits_for_a_service_that_is_not_there_yet():
    wire = Wire(
        FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="10.0.0.1:10001"),
        Uninitialized(),
        SteppingUp(),
        NotLeader(),
        NotReplica(["10.0.0.7:10001"]),
        svc_pb2.JoinResp(rank=5, map_version=9, localJoin=True),
    )
    assert await membership(wire).join(CANDIDATE) == Admission(rank=5, map_version=9, set_up_already=True)
    assert wire.asked[0] == ("10.0.0.1:10001", "daos_server-2.8.0", 10.0)
    assert wire.asked[-1][0] == "10.0.0.7:10001"


async def test_a_refusal_rises_at_once():
    wire = Wire(DaosControlError("failed to join system: administratively excluded"))
    with pytest.raises(DaosControlError, match="administratively excluded"):
        await membership(wire).join(CANDIDATE)
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (svc_pb2.JoinResp.IN, Standing.MEMBER),
        (svc_pb2.JoinResp.OUT, Standing.OUT),
        (svc_pb2.JoinResp.CHECK, Standing.CHECK),
    ],
)
async def test_standings(state, standing):
    admission = await membership(Wire(svc_pb2.JoinResp(rank=1, map_version=2, state=state))).join(CANDIDATE)
    assert admission.standing is standing
