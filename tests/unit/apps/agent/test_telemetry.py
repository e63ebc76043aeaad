"""What applications are told about telemetry."""

import re

import pytest

from daos_control.apps.agent.telemetry import ENABLE, REGISTER, TelemetryPolicy


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
