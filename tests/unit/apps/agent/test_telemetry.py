"""What applications are told about telemetry."""

import os
import re

import pytest

from daos_control.apps.agent.telemetry import ENABLE, REGISTER, TelemetryPolicy, register
from daos_control.wire.pb.mgmt.svc_pb2 import ClientTelemetryReq


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        pytest.param(TelemetryPolicy(), (), id="off"),
        pytest.param(TelemetryPolicy(enabled=True), (ENABLE, REGISTER), id="on for all"),
        pytest.param(TelemetryPolicy(enabled=True, only=re.compile("ior")), (ENABLE, REGISTER), id="among the chosen"),
        pytest.param(TelemetryPolicy(enabled=True, only=re.compile("^mdtest")), (ENABLE,), id="not chosen"),
        pytest.param(TelemetryPolicy(enabled=True, never=re.compile("or$")), (ENABLE,), id="excluded"),
        pytest.param(TelemetryPolicy(enabled=True, never=re.compile("dfuse")), (ENABLE, REGISTER), id="not excluded"),
    ],
)
def test_entries_for_an_application_called_ior(policy: TelemetryPolicy, told: tuple[str, ...]):
    assert policy.env_vars("ior") == told


def test_registration_is_answered_as_by_an_agent_without_exporter():
    reply = register(ClientTelemetryReq(jobid="job-1", shm_key=6668))

    assert (reply.status, reply.agent_uid) == (-1015, os.getuid())


@pytest.mark.parametrize(
    "request_", [ClientTelemetryReq(shm_key=1), ClientTelemetryReq(jobid="j")], ids=["no job", "no key"]
)
def test_an_incomplete_registration_is_an_error(request_: ClientTelemetryReq):
    with pytest.raises(ValueError, match="no "):
        register(request_)
