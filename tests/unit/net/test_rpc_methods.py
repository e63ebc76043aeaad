"""The gRPC method table is complete, and light to load."""

import subprocess
import sys

import pytest

from daos_control.net.rpc.methods import CTL, MGMT, SERVICES, find
from daos_control.security.components import ALLOWED, Component
from daos_control.wire.pb.ctl import storage_pb2
from daos_control.wire.pb.mgmt import svc_pb2


def test_every_method_has_callers_and_every_rule_a_method():
    methods = {method.path: method for service in SERVICES for method in service.values()}
    assert set(methods) == set(ALLOWED)
    assert all(method.allowed == ALLOWED[path] and method.allowed for path, method in methods.items())
    assert (len(MGMT), len(CTL)) == (51, 16)


def test_messages_are_the_generated_classes():
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
        ("from daos_control.net.rpc.methods import MGMT; MGMT['Join']", "daos_control.wire.pb.ctl"),
        ("import daos_control.net.drpc.server, daos_control.net.drpc.client", "grpc"),
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
