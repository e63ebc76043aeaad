"""What ``daos_server.yml`` says of an engine's storage: tiers of memory and of block devices, and options for SPDK."""

import re
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from daos_control.config.document import Scalar, UInt, UInt32, setting

SCM_CLASSES = ("ram", "dcpm")
BDEV_CLASSES = ("nvme", "file", "kdev")

ROLE_BITS = {"data": 1, "meta": 2, "wal": 4}
_NO_ROLES = "na"

ACCELERATION_ENGINES = ("none", "spdk", "dml")
ACCELERATION_BITS = {"move": 1, "crc": 2}

_PCI_ADDRESS = re.compile(r"(?:[0-9a-fA-F]{4}|[0-9a-fA-F]{6}):[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-9a-fA-F]+)?")


class BusRange(NamedTuple):
    """PCI buses, both ends included."""

    lo: int
    hi: int

    def __str__(self) -> str:
        return f"0x{self.lo:02x}-0x{self.hi:02x}"


def parse_bus_range(text: str) -> BusRange:
    """Read ``0x80-0x8f``.

    >>> parse_bus_range("0x80-0x8f")
    BusRange(lo=128, hi=143)
    """
    try:
        lo, hi = (int(part, 0) for part in text.split("-"))
    except ValueError:
        raise ValueError(f'two bus numbers are wanted, such as 0x80-0x8f, not "{text}"') from None
    if not 0 <= lo <= hi <= 0xFF:
        raise ValueError(f'bus numbers go up, from 0 to 0xff at most, and not as "{text}" does')
    return BusRange(lo, hi)


def _storage_class(text: str) -> str:
    if text not in (*SCM_CLASSES, *BDEV_CLASSES):
        raise ValueError(f'there is no storage class "{text}": use one of {", ".join((*SCM_CLASSES, *BDEV_CLASSES))}')
    return text


def is_pci_address(device: str) -> bool:
    """Whether a device is named by a PCI address, such as 0000:81:00.0 (or 5d0505:01:00.0 behind a VMD)."""
    return _PCI_ADDRESS.fullmatch(device) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One tier of an engine's storage."""

    storage_class: Annotated[str, Scalar(_storage_class, str)] = setting("", name="class")
    """ram or dcpm (memory), nvme, file or kdev (block devices)."""
    scm_mount: str = setting("", omit=True)
    """Where a tier of memory is mounted."""
    scm_size: UInt = setting(0, omit=True)
    """GiB of a RAM disk; 0 takes what the host's memory allows."""
    scm_hugepages_disabled: bool | None = setting(None, omit=True)
    """Do without hugepages for a RAM disk; unset counts as yes."""
    scm_list: tuple[str, ...] = setting((), omit=True)
    """The namespace of persistent memory, of class dcpm."""
    bdev_list: tuple[str, ...] = setting((), omit=True)
    """Devices: PCI addresses of class nvme, paths of the others."""
    bdev_number: int = setting(0, omit=True)
    """Taken for the sake of older files; not used."""
    bdev_size: int = setting(0, omit=True)
    """GiB of each file of class file."""
    bdev_busid_range: Annotated[BusRange, Scalar(parse_bus_range, str)] | None = setting(None, omit=True)
    """Buses on which devices may be plugged in while the engine runs."""
    bdev_roles: tuple[str, ...] = setting((), omit=True)
    """What the tier keeps if metadata is on SSDs: wal, meta, data."""

    @property
    def is_scm(self) -> bool:
        """Whether it is memory."""
        return self.storage_class in SCM_CLASSES

    @property
    def is_bdev(self) -> bool:
        """Whether it is block devices."""
        return self.storage_class in BDEV_CLASSES

    @property
    def devices(self) -> tuple[str, ...]:
        """The block devices, in the order in which engines number them."""
        return tuple(sorted(device.lower() if is_pci_address(device) else device for device in self.bdev_list))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles in order, each once; the word ``na`` ends the list."""
        words = [word.lower() for word in self.bdev_roles]
        end = words.index(_NO_ROLES) if _NO_ROLES in words else len(words)
        return tuple(sorted({word for word in self.bdev_roles[:end] if word}))

    @property
    def role_bits(self) -> int:
        """The roles as the number that engines know them by."""
        return sum(ROLE_BITS[role] for role in self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration:
    """Hardware that takes copying and checksums off the CPU."""

    engine: str = setting("none", omit=True)
    """none, spdk or dml."""
    options: tuple[str, ...] = setting((), omit=True)
    """move, crc; without any, both."""

    @property
    def option_bits(self) -> int:
        """The options as a number; an engine without options has them all."""
        if self.engine == "none":
            return 0
        return sum(ACCELERATION_BITS[option] for option in self.options or ACCELERATION_BITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpdkRpcServer:
    """A socket on which the engine's SPDK takes commands."""

    enable: bool = setting(False, omit=True)
    """Whether there is one."""
    sock_addr: str = setting("", omit=True)
    """Its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BdevAutoFaulty:
    """When an engine gives a device up by itself."""

    enable: bool = setting(False, omit=True)
    """Whether these limits count."""
    max_io_errs: UInt32 = setting(0, omit=True)
    """Failed operations until then."""
    max_csum_errs: UInt32 = setting(0, omit=True)
    """Wrong checksums until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpdkIobuf:
    """How many I/O buffers SPDK keeps; 0 leaves it to the engine."""

    small_pool_count: UInt32 = setting(0, omit=True)
    """Small ones."""
    large_pool_count: UInt32 = setting(0, omit=True)
    """Large ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlMetadata:
    """Where the control plane keeps its own data when SCM does not outlive a reboot."""

    path: str = setting("", omit=True)
    """Folder, or mount point of the device; the data is in its daos_control."""
    device: str = setting("", omit=True)
    """A block device to format and to mount at ``path``; without it, ``path`` is a directory."""
    allow_spdk_conf_override: bool = setting(False)
    """Leave an existing daos_nvme.conf as it is."""

    @property
    def directory(self) -> str:
        """The directory of everything, or nothing if there is no path."""
        return f"{self.path.rstrip('/')}/daos_control" if self.path else ""

    def engine_directory(self, index: int) -> str:
        """The directory of one engine, or nothing if there is no path."""
        return f"{self.directory}/engine{index}" if self.path else ""
