"""The methods of CtlSvc that are not there yet: each says so, and what it belongs to."""

from collections.abc import Mapping
from typing import Any, Final

from daos_control.base.fault_codes import FaultCode
from daos_control.net.rpc.handlers import Caller, Handler, Handlers, Reply
from daos_control.net.rpc.methods import CTL
from daos_control.net.rpc.status import Code, StatusError

LATER: Final[Mapping[str, str]] = {
    "StorageNvmeRebind": "managing NVMe devices",
    "StorageNvmeAddDevice": "managing NVMe devices",
    "SmdManage": "managing NVMe devices",
}
NEED_HUGEPAGES: Final = frozenset({"StorageNvmeRebind", "StorageNvmeAddDevice"})
"""Methods that a DAOS 2.8 server refuses, whatever it has, while its configuration disables hugepages."""


def later_handlers(*, hugepages: bool) -> Handlers:
    """Return the methods by path."""
    handlers = {CTL[name].path: _refusal(name, purpose) for name, purpose in LATER.items()}
    return handlers if hugepages else handlers | {CTL[name].path: _no_hugepages for name in NEED_HUGEPAGES}


async def _no_hugepages(_: Any, __: Caller) -> Reply:
    raise FaultCode.STORAGE_HUGEPAGES_DISABLED.fault()


def _refusal(name: str, purpose: str) -> Handler:
    async def refuse(_: Any, __: Caller) -> Reply:
        raise StatusError(Code.UNIMPLEMENTED, f"{name}: {purpose} is not there yet in this release of daos-control")

    return refuse
