"""What programs of user space need of the kernel to drive devices."""

from pathlib import Path


def has_iommu(root: Path = Path("/")) -> bool:
    """Whether the kernel uses an IOMMU, without which devices cannot be given to unprivileged programs."""
    folder = root / "sys/class/iommu"
    return folder.is_dir() and any(folder.iterdir())


def has_vfio(root: Path = Path("/")) -> bool:
    """Whether the kernel's driver is there by which user-space programs drive devices safely."""
    return (root / "dev/vfio/vfio").exists() or (root / "sys/module/vfio_pci").is_dir()
