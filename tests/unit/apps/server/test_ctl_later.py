"""Every method of CtlSvc has an answer, be it that it is not there yet."""

from pathlib import Path

import pytest

from daos_control.apps.server.servicers.ctl_check import CheckService
from daos_control.apps.server.servicers.ctl_firmware import FirmwareService
from daos_control.apps.server.servicers.ctl_later import LATER, NEED_HUGEPAGES, later_handlers
from daos_control.apps.server.servicers.ctl_logs import LogService
from daos_control.apps.server.servicers.ctl_network import NetworkService
from daos_control.apps.server.servicers.ctl_ranks import RankService
from daos_control.apps.server.servicers.ctl_smd import SmdService
from daos_control.apps.server.servicers.ctl_storage import StorageService
from daos_control.apps.server.servicers.ctl_support import SupportService
from daos_control.base.errors import Fault
from daos_control.engine.harness import Harness
from daos_control.host.support.collector import Sources
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import CTL
from daos_control.net.rpc.status import Code, StatusError


def test_every_method_is_served_or_refused_and_none_is_both():
    harness = Harness([])
    services = (
        StorageService([], hugepages=False, release=nobody),
        NetworkService("ofi+tcp"),
        RankService(harness),
        CheckService(harness),
        LogService([]),
        SmdService(harness),
        FirmwareService(harness),
        SupportService(Sources(host="node1", config=Path())),
    )
    served = [path for service in services for path in service.handlers()]
    assert sorted([*served, *later_handlers(hugepages=True)]) == sorted(method.path for method in CTL.values())


@pytest.mark.parametrize("name", LATER)
async def test_a_refusal_names_what_is_missing(name):
    with pytest.raises(StatusError, match=f"{name}: .* is not there yet") as refused:
        await later_handlers(hugepages=True)[CTL[name].path](CTL[name].request(), Caller(component=None, address=""))
    assert refused.value.code == Code.UNIMPLEMENTED


@pytest.mark.parametrize("name", sorted(NEED_HUGEPAGES))
async def test_without_hugepages_there_is_a_fault_that_says_so(name):
    with pytest.raises(Fault) as refused:
        await later_handlers(hugepages=False)[CTL[name].path](CTL[name].request(), Caller(component=None, address=""))
    assert refused.value.code == 107


async def nobody(_):
    raise AssertionError("nothing is formatted here")
