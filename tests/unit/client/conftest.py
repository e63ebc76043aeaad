"""A client of a system that is well."""

import pytest

from daos_control.client.daos import DaosClient
from daos_control.testing.answers import Answers
from daos_control.wire.pb.mgmt.system_pb2 import SystemMember, SystemQueryResp


@pytest.fixture
def system_of_one() -> DaosClient:
    members = [SystemMember(rank=0, state="joined", addr="a:10001")]
    return DaosClient(Answers(SystemQuery=SystemQueryResp(members=members)), ["a"])
