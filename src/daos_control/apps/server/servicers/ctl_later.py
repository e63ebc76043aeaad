"""The methods of CtlSvc that are not there yet: each says so, and what it belongs to."""

from collections.abc import Mapping
from typing import Any, Final

from daos_control.net.rpc.handlers import Caller, Handler, Handlers, Reply
from daos_control.net.rpc.methods import CTL
from daos_control.net.rpc.status import Code, StatusError

LATER: Final[Mapping[str, str]] = {
    "StorageNvmeRebind": "managing NVMe devices",
    "StorageNvmeAddDevice": "managing NVMe devices",
    "SmdManage": "managing NVMe devices",
    "CollectLog": "collecting logs",
    "FirmwareQuery": "updating firmware",
    "FirmwareUpdate": "updating firmware",
}


def later_handlers() -> Handlers:
    """Return the methods by path."""
    return {CTL[name].path: _refusal(name, purpose) for name, purpose in LATER.items()}


def _refusal(name: str, purpose: str) -> Handler:
    async def refuse(_: Any, __: Caller) -> Reply:
        raise StatusError(Code.UNIMPLEMENTED, f"{name}: {purpose} is not there yet in this release of daos-control")

    return refuse
