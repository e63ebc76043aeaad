"""Errors go from one process to another whole, so that scripts may share work between processes."""

import copy
import pickle
from collections.abc import Iterator

import pytest

from daos_control.base import errors as base
from daos_control.base.errors import DaosControlError, DaosError, Fault, NotLeader, PoolNotFound
from daos_control.base.fault_codes import FaultCode
from daos_control.base.hostset import HostSet
from daos_control.client import errors as client
from daos_control.client.configuration import HostsDiffer, ScanFailed
from daos_control.client.reports import HostProblem
from daos_control.client.telemetry import NoMetrics, UnknownMetrics
from daos_control.config.document import ConfigError
from daos_control.model.acl import InvalidAcl
from daos_control.net.rpc.status import Code, StatusError
from daos_control.security.certificates import CertificateError

REFUSED = FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="a:10001")
TRAVELLERS = [
    REFUSED,
    Fault("server", 609, "label", reason="r", resolution="another"),
    DaosError(-1007),
    PoolNotFound(label="tank"),
    NotLeader("a:10001", ["b:10001"]),
    base.SteppingUp(),
    base.ClientClosed(),
    StatusError(Code.ABORTED, "no"),
    InvalidAcl("not so", entry="A::x", position=2),
    ConfigError("f.yml", ["bad"]),
    CertificateError("too open"),
    client.ManagementServiceUnreachable({"a:10001": REFUSED}),
    client.Interrupted("SystemStop", changes=False),
    client.PartlyFailed("2 hosts had errors", [REFUSED]),
    client.NotOffered("how ranks fare"),
    client.HostError("failed", "hint"),
    client.InvalidRequest("no"),
    ScanFailed("1 host had errors", [HostProblem(error=REFUSED, hosts=HostSet(["a"]))]),
    HostsDiffer("network", {HostSet(["a"]): ["eth0"]}),
    UnknownMetrics(["a"], ["b"]),
    NoMetrics("refused"),
]


@pytest.mark.parametrize("error", TRAVELLERS, ids=lambda error: type(error).__name__)
def test_an_error_arrives_as_it_was(error: DaosControlError) -> None:
    for arrived in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.copy(error)):
        assert type(arrived) is type(error)
        assert str(arrived) == str(error)
        assert _facts(arrived) == _facts(error)


def _facts(error: DaosControlError) -> dict[str, object]:
    return {name: str(value) for name, value in vars(error).items()}


def test_no_error_of_the_client_is_missing_here() -> None:
    tried = {type(error) for error in TRAVELLERS}
    defined = {kind for kind in _all(DaosControlError) if kind.__module__.startswith("daos_control.client.")}
    alike = {client.UnexpectedReply, client.ConfigUnreadable}  # nothing but a text
    assert defined - alike <= tried


def _all(kind: type[DaosControlError]) -> Iterator[type[DaosControlError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _all(one)
