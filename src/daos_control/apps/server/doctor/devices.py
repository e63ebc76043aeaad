"""NVMe devices and persistent memory, as far as the kernel shows them."""

from collections.abc import Iterator
from pathlib import Path

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.server.doctor.facts import ServerFacts
from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.config.preparation import check_device_access
from daos_control.config.server import ServerConfig
from daos_control.host.nvme import Drive
from daos_control.host.places import look_at

TOPIC = Topic("devices")
SPDK_LOCK = "/var/tmp/spdk_pci_lock_"  # noqa: S108  SPDK's choice
_USER_SPACE = {"vfio-pci", "uio_pci_generic"}


def check(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    """Each configured device should be there, and ours to use."""
    yield from _check_nvme(facts, config)
    yield from _check_pmem(facts, config)


def _check_nvme(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    wanted = [device for engine in config.engines for device in engine.nvme_devices]
    there = {str(drive.address): drive for drive in facts.hardware.drives}
    if not wanted:
        seen = f"; this host has {len(there)}" if there else ""
        yield TOPIC.not_applicable("NVMe", f"no engine has any{seen}")
        return
    # Behind a VMD, whose name is in the configuration, devices show under other names.
    vmds = {str(drive.address.vmd) for drive in facts.hardware.drives}
    missing = [address for address in wanted if address not in there and address not in vmds]
    if missing:
        yield TOPIC.raised("NVMe", FaultCode.BDEV_NOT_FOUND.fault(addresses=", ".join(missing)))
    for address in wanted:
        if address in there:
            yield _drive(address, there[address])
    try:
        check_device_access(config, is_root=facts.view.is_root, has_iommu=facts.hardware.has_iommu)
    except Fault as fault:
        yield TOPIC.raised("IOMMU", fault)
    else:
        states = ("on" if facts.hardware.has_iommu else "off", "there" if facts.hardware.has_vfio else "not loaded")
        yield TOPIC.ok("IOMMU", f"IOMMU {states[0]}, VFIO {states[1]}")
    locked = sorted(set(wanted) & set(facts.hardware.spdk_locks))
    if locked and not facts.ours:
        yield TOPIC.warning(
            "locks",
            f"{', '.join(locked)}: locked by a process, or by one that has ended",
            f"if nothing uses them: rm {' '.join(f'{SPDK_LOCK}{address}' for address in locked)}",
        )


def _drive(address: str, drive: Drive) -> Finding:
    if drive.in_use:
        return TOPIC.problem(
            "NVMe",
            f"{address} is in use by this host: {drive.in_use}; an engine would overwrite it",
            "take it out of bdev_list, and put it into bdev_exclude",
        )
    how = f"driven by {drive.driver}" if drive.driver else "without a driver"
    more = "" if drive.driver in _USER_SPACE else "; engines take it from the kernel, with what it holds"
    return TOPIC.ok("NVMe", f"{address} is there, {how}{more}")


def _check_pmem(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    wanted = [device for engine in config.engines for tier in engine.scm_tiers for device in tier.scm_list]
    if not wanted:
        seen = f"; this host has {len(facts.hardware.pmem)} modules" if facts.hardware.pmem else ""
        yield TOPIC.not_applicable("persistent memory", f"no engine has any{seen}")
    for device in wanted:
        if look_at(Path(device)).exists:
            yield TOPIC.ok("persistent memory", f"{device} is there")
        else:
            yield TOPIC.raised("persistent memory", FaultCode.SCM_FORMAT_MISSING_DEVICE.fault(device=device))
