"""NVMe controllers as devices on PCI, whichever driver has them."""

from dataclasses import dataclass
from pathlib import Path

_NVME_CLASS = "0x0108"


@dataclass(frozen=True, slots=True, kw_only=True)
class PciDevice:
    """One function of a PCI device."""

    address: str
    driver: str
    """Empty if no driver has it."""


def nvme_devices(root: Path = Path("/")) -> tuple[PciDevice, ...]:
    """Return the NVMe controllers of this host, by address."""
    found = []
    for entry in sorted((root / "sys/bus/pci/devices").glob("*")):
        if _read(entry / "class").startswith(_NVME_CLASS):
            driver = entry / "driver"
            found.append(PciDevice(address=entry.name, driver=driver.resolve().name if driver.exists() else ""))
    return tuple(found)


def has_iommu(root: Path = Path("/")) -> bool:
    """Whether the kernel uses an IOMMU, without which devices cannot be given to unprivileged programs."""
    folder = root / "sys/class/iommu"
    return folder.is_dir() and any(folder.iterdir())


def has_vfio(root: Path = Path("/")) -> bool:
    """Whether the kernel's driver is there by which user-space programs drive devices safely."""
    return (root / "dev/vfio/vfio").exists() or (root / "sys/module/vfio_pci").is_dir()


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # a device that is going away
        return ""
