"""The gRPC method table is complete, and light to load."""

import subprocess
import sys

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from daos_control.net.rpc.methods import CTL, HOST, MGMT, SERVICES, SYSTEM, Service, find
from daos_control.security.components import ALLOWED, Component
from daos_control.wire.pb.control import host_pb2, system_pb2
from daos_control.wire.pb.ctl import ctl_pb2, storage_pb2
from daos_control.wire.pb.mgmt import mgmt_pb2, svc_pb2

PROTO_FILES = (mgmt_pb2, ctl_pb2, system_pb2, host_pb2)
"""Those that describe services."""


def test_services_are_those_of_the_proto_files():
    described = [service for file in PROTO_FILES for service in file.DESCRIPTOR.services_by_name.values()]
    assert [service.prefix for service in SERVICES] == [f"/{service.full_name}/" for service in described]


@pytest.mark.parametrize(
    ("service", "described"),
    [
        (MGMT, mgmt_pb2.DESCRIPTOR.services_by_name["MgmtSvc"]),
        (CTL, ctl_pb2.DESCRIPTOR.services_by_name["CtlSvc"]),
        (SYSTEM, system_pb2.DESCRIPTOR.services_by_name["SystemSvc"]),
        (HOST, host_pb2.DESCRIPTOR.services_by_name["HostSvc"]),
    ],
    ids=["MGMT", "CTL", "SYSTEM", "HOST"],
)
def test_tables_say_what_the_proto_files_say(service: Service, described: ServiceDescriptor):
    assert {name: (method.request.DESCRIPTOR, method.reply.DESCRIPTOR) for name, method in service.items()} == {
        method.name: (method.input_type, method.output_type) for method in described.methods
    }


def test_every_method_has_callers_and_every_rule_a_method():
    methods = {method.path: method for service in SERVICES for method in service.values()}
    assert set(methods) == set(ALLOWED)
    assert all(method.allowed == ALLOWED[path] and method.allowed for path, method in methods.items())
    assert (len(MGMT), len(CTL)) == (51, 16)


def test_messages_are_the_generated_classes_and_loaded_once():
    assert MGMT["Join"].request is svc_pb2.JoinReq
    assert MGMT["Join"].reply is svc_pb2.JoinResp
    assert CTL["StorageScan"].request is storage_pb2.StorageScanReq
    assert (MGMT["Join"].path, MGMT["Join"].name) == ("/mgmt.MgmtSvc/Join", "Join")


def test_methods_are_found_by_path():
    assert find("/mgmt.MgmtSvc/Join") == MGMT["Join"]
    assert find("/ctl.CtlSvc/StartRanks") == CTL["StartRanks"]
    assert find("/mgmt.MgmtSvc/Nope") is None
    assert find("/other.Svc/Join") is None
    assert MGMT["Join"].allowed == {Component.SERVER}


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import daos_control.net.rpc.methods", "daos_control.wire.pb.mgmt"),
        ("import daos_control.net.rpc.methods", "google"),
        ("from daos_control.net.rpc.methods import MGMT; MGMT['Join'].request", "daos_control.wire.pb.mgmt.pool"),
        ("import daos_control.net.grpc.server, daos_control.net.grpc.channels", "grpc"),
        (
            "import daos_control.net.drpc.server, daos_control.net.rpc.status, daos_control.net.rpc.versions",
            "cryptography",
        ),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(statement, unwanted):
    program = f"{statement}\nimport sys; print([name for name in sys.modules if (name + '.').startswith({unwanted!r})])"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert loaded.strip() == "[]"
