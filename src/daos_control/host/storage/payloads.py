"""The payloads about RAM disks: plan values to and from the helper's field names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daos_control.base.fault_codes import FaultCode
from daos_control.host.helper.protocol import ProtocolError
from daos_control.host.storage.plan import Found, RamDisk


def format_payload(disk: RamDisk, *, force: bool, uid: int, gid: int) -> dict[str, Any]:
    """Return the request of ``ScmFormat`` and ``ScmCheckFormat``."""
    return {
        "Forwarded": True,
        "Force": force,
        "Mountpoint": str(disk.target),
        "OwnerUID": uid,
        "OwnerGID": gid,
        "Ramdisk": _ramdisk(disk),
        "Dcpm": None,
    }


def read_format(payload: Mapping[str, Any]) -> RamDisk:
    """Read the disk of ``ScmFormat`` and ``ScmCheckFormat``.

    Raises fault 203, 205 or 206 for what makes no sense, and says so where the storage is not a RAM disk.
    """
    if payload.get("Dcpm"):
        if payload.get("Ramdisk"):
            raise FaultCode.SCM_FORMAT_CONFLICTING_PARAM.fault()
        raise ProtocolError("this helper formats storage of class ram alone; class dcpm is not there yet")
    ramdisk = payload.get("Ramdisk")
    if not isinstance(ramdisk, Mapping):
        raise FaultCode.SCM_FORMAT_MISSING_PARAM.fault()
    mountpoint = payload.get("Mountpoint")
    if not mountpoint:
        raise FaultCode.SCM_FORMAT_MISSING_MOUNTPOINT.fault()
    target = Path(str(mountpoint))
    if not target.is_absolute():
        raise ProtocolError(f"mount point {mountpoint!r} is not an absolute path")
    return RamDisk(
        target=target,
        size_gib=_number(ramdisk, "Size"),
        numa_node=_number(ramdisk, "NUMANode"),
        hugepages=not ramdisk.get("DisableHugepages", True),
    )


def state_payload(disk: RamDisk, found: Found) -> dict[str, Any]:
    """Return the response of both: what is at the mount point."""
    return {
        "Mountpoint": str(disk.target),
        "Formatted": found.mounted,
        "Mounted": found.mounted,
        "Mountable": False,
    }


def owner(payload: Mapping[str, Any]) -> tuple[int, int]:
    """Read for whom the storage is made."""
    return _number(payload, "OwnerUID"), _number(payload, "OwnerGID")


def _ramdisk(disk: RamDisk) -> dict[str, Any]:
    return {"Size": disk.size_gib, "NUMANode": disk.numa_node, "DisableHugepages": not disk.hugepages}


def _number(payload: Mapping[str, Any], key: str) -> int:
    value = payload.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ProtocolError(f"{key} is a number, not {value!r}")
    return value
