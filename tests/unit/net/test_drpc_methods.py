"""The dRPC method table: numbers are unique and names what DAOS calls them."""

from types import NoneType

import pytest
from google.protobuf.message import DecodeError

from daos_control.net.drpc.methods import BY_ID, Agent, Mgmt, Module, Sec, Srv, Test
from daos_control.wire.pb.mgmt import svc_pb2

GROUPS = {Test: {Module.TEST}, Agent: {Module.SEC_AGENT}, Mgmt: {Module.MGMT}, Srv: {Module.SRV}, Sec: {Module.SEC}}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_each_group_is_one_module_and_constants_are_named_like_their_methods(group):
    methods = {name: value for name, value in vars(group).items() if name.isupper()}
    assert {method.module for method in methods.values()} == GROUPS[group]
    assert all(method.name == name for name, method in methods.items())
    assert all(BY_ID[method.module, method.id] is method for method in methods.values())


def test_all_numbers_are_there():
    unused = {203, 204, 205, 214, 219, 234}
    assert {number for module, number in BY_ID if module == Module.MGMT} == set(range(201, 253)) - unused
    assert {number for module, number in BY_ID if module == Module.SRV} == set(range(301, 312)) - {302}
    assert {number for module, number in BY_ID if module in {Module.TEST, Module.SEC_AGENT, Module.SEC}} == {
        0,
        101,
        401,
    }


def test_bodies_that_are_empty_by_definition_ignore_what_stands_there():
    assert Mgmt.NOTIFY_EXIT.request is NoneType
    assert Mgmt.NOTIFY_EXIT.parse_request(b"\x0a\xff\x01") is None
    assert Agent.REQUEST_CREDS.parse_request(b"\xff") is None


def test_bodies_are_parsed():
    assert Mgmt.SET_RANK.parse_request(b"\x08\x05") == svc_pb2.SetRankReq(rank=5)
    with pytest.raises(DecodeError):
        Mgmt.SET_RANK.parse_request(b"\x0a\xff\x01")
    assert str(Mgmt.SET_RANK) == "MGMT.SET_RANK (2/202)"
