"""Errors go through a gRPC status and come out as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.base.errors import (
    DaosControlError,
    DaosError,
    EmptyGroupMap,
    Fault,
    NotLeader,
    NotReplica,
    PoolNotFound,
    RaftUnavailable,
    SteppingUp,
    Uninitialized,
)
from daos_control.net.rpc.status import Code, Status, StatusError, access_denied, from_status, to_status

POOL = "12345678-1234-1234-1234-123456789abc"


def facts(error: DaosControlError) -> dict[str, object]:
    return {name: value for name, value in vars(error).items() if not name.startswith("__")}


@pytest.mark.parametrize(
    "error",
    [
        Fault("server", 603, 'wrong "system"', reason="r", resolution="try another"),
        Fault("checker", 1103, "enabled"),
        DaosError(-1005),
        DaosError(-7),
        NotLeader("10.0.0.1:10001", ["10.0.0.1:10001", "10.0.0.2:10001"]),
        NotLeader(),
        NotReplica(["10.0.0.2:10001"]),
        PoolNotFound(label="tank"),
        PoolNotFound(uuid=POOL),
        PoolNotFound(rank=0),
    ],
    ids=str,
)
def test_errors_with_structure_come_out_as_they_went_in(error):
    status = to_status(error)
    assert (status.code, status.message) == (Code.INTERNAL, str(error))
    again = from_status(status)
    assert type(again) is type(error)
    assert facts(again) == facts(error)


@pytest.mark.parametrize("kind", [RaftUnavailable, SteppingUp, Uninitialized, EmptyGroupMap])
def test_sentinels_are_known_by_their_text_even_inside_another(kind):
    status = to_status(kind())
    assert status == Status(Code.UNKNOWN, kind.TEXT)
    assert type(from_status(status)) is kind
    assert type(from_status(Status(2, f"call to 10.0.0.1 failed: {kind.TEXT}"))) is kind


def test_other_errors_are_text():
    assert to_status(DaosControlError("pool request contains zero target ranks")) == Status(
        2, "pool request contains zero target ranks"
    )
    denied = to_status(access_denied("agent does not have permission"))
    assert denied == Status(7, "agent does not have permission")
    again = from_status(denied)
    assert isinstance(again, StatusError)
    assert (again.code, str(again)) == (7, "agent does not have permission")
    assert str(StatusError(14, "")) == "UNAVAILABLE"
    assert str(StatusError(99, "")) == "status 99"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dial tcp 10.0.0.1:10001: connect: connection refused", 506),
        ("connection closed before server preface received", 507),
        ("transport is closing", 507),
        ("dial tcp: no route to host", 505),
        ("lookup nowhere: no such host", 504),
        ("dial tcp 10.0.0.1:10001: i/o timeout", 508),
        ("x509: certificate has expired or is not yet valid", 903),
    ],
)
def test_failed_connections_are_known_by_their_words(text, code):
    error = from_status(Status(14, text), address="10.0.0.1:10001")
    assert isinstance(error, Fault)
    assert error.code == code


@pytest.mark.parametrize(
    "details",
    [
        pytest.param(b"\xff\xff", id="noise"),
        pytest.param(b"\x08\x0d", id="no detail"),
        pytest.param(to_status(DaosError(-1)).details.replace(b"Status\x12", b"Statut\x12", 1), id="a fact missing"),
        pytest.param(to_status(DaosError(-1)).details.replace(b"\x02-1", b"\x02xx", 1), id="a fact of the wrong type"),
        pytest.param(to_status(DaosError(-1)).details.replace(b"proto.daos", b"other.daos", 1), id="unknown reason"),
        pytest.param(to_status(DaosError(-1)).details.replace(b"ErrorInfo", b"ErrorNfio", 1), id="unknown detail"),
    ],
)
def test_details_that_make_no_sense_leave_the_words(details):
    error = from_status(Status(13, "words", details))
    assert isinstance(error, StatusError)
    assert (error.code, str(error)) == (13, "words")


@given(st.binary(max_size=200), st.text(max_size=50), st.integers(0, 20))
def test_any_status_is_an_error(details, message, code):
    assert isinstance(from_status(Status(code, message, details)), DaosControlError)
