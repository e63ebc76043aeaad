"""Who may call what."""

import pytest

from daos_control.security.components import ALLOWED, Component, may_call


@pytest.mark.parametrize(
    ("component", "path", "verdict"),
    [
        (Component.ADMIN, "/mgmt.MgmtSvc/SystemQuery", True),
        (Component.ADMIN, "/mgmt.MgmtSvc/GetAttachInfo", False),
        (Component.AGENT, "/mgmt.MgmtSvc/GetAttachInfo", True),
        (Component.AGENT, "/mgmt.MgmtSvc/PoolEvict", True),
        (Component.AGENT, "/ctl.CtlSvc/StorageScan", False),
        (Component.SERVER, "/mgmt.MgmtSvc/Join", True),
        (Component.SERVER, "/mgmt.MgmtSvc/PoolQuery", False),
        (Component.SERVER, "/ctl.CtlSvc/StopRanks", True),
        (Component.ADMIN, "/daos_control.SystemSvc/ListEvents", True),
        (Component.AGENT, "/daos_control.SystemSvc/ListEvents", False),
        (Component.ADMIN, "/daos_control.SystemSvc/ReportEvents", False),
        (Component.ADMIN, "/daos_control.HostSvc/Engines", True),
        (Component.SERVER, "/daos_control.HostSvc/Engines", False),
        (Component.AGENT, "/daos_control.HostSvc/Engines", False),
        (Component.CLIENT, "/mgmt.MgmtSvc/GetAttachInfo", False),
        (None, "/mgmt.MgmtSvc/SystemQuery", False),
        (Component.ADMIN, "/mgmt.MgmtSvc/NoSuchMethod", False),
        (Component.ADMIN, "", False),
    ],
)
def test_the_table_decides(component, path, verdict):
    assert may_call(component, path) is verdict


def test_nobody_may_call_anything_as_a_client():
    assert not any(Component.CLIENT in components for components in ALLOWED.values())


@pytest.mark.parametrize("name", ["", "Admin", "client", "server ", "admin,server", "daos CA"])
def test_other_names_are_nobody(name):
    assert Component.of_common_name(name) is None
