"""How big a pool should be: in total, as a share of what is there, or so much on every rank.

The first two leave the work to somebody else: a ``Total`` is divided by the management service, a ``Share`` is turned
into a ``PerRank`` here, from what the hosts report to be usable (``fitting``). Pure functions; nothing is asked here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from daos_control.base.rankset import RankSet
from daos_control.client.errors import InvalidRequest
from daos_control.client.storage_records import DEVICE_STATES, HostStorage, NvmeController, Role, SmdDevice

DEFAULT_RATIOS: Final = (0.06, 0.94)
MOST_BYTES: Final = (1 << 64) - 1
"""What a request has room for."""
NORMAL, NEW = DEVICE_STATES.index("NORMAL"), DEVICE_STATES.index("NEW")


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """So many bytes in all, divided between the tiers, on ``num_ranks`` ranks (0: on all)."""

    total_bytes: int
    ratios: tuple[float, ...] = DEFAULT_RATIOS
    num_ranks: int = 0
    mem_ratio: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share, above 0 and up to 1, of all that is usable."""

    fraction: float
    mem_ratio: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PerRank:
    """So many bytes on each rank, in each tier; ``mem_ratio`` above 0 asks for metadata on SSDs."""

    tier_bytes: tuple[int, int]
    mem_ratio: float = 0.0


PoolSize: TypeAlias = Total | Share | PerRank


def check(size: PoolSize) -> None:
    """Refuse what could never be a pool."""
    for number in _numbers(size):
        if not 0 <= number <= MOST_BYTES:
            raise InvalidRequest(f"sizes and numbers of ranks lie between 0 and 2^64, and {number} does not")
    if not 0 <= size.mem_ratio <= 1:
        raise InvalidRequest(f"the memory ratio must lie between 0 and 1, and {size.mem_ratio} does not")
    match size:
        case PerRank(tier_bytes=(0, _)):
            raise InvalidRequest("can't create pool with 0 byte first tier")
        case Total(total_bytes=0):
            raise InvalidRequest("can't create a pool of 0 bytes")
        case Total(ratios=ratios) if len(ratios) != 2 or not ratios[0]:
            raise InvalidRequest("can't create pool with 0.0 first tier ratio, or with other than two tiers")
        case Share(fraction=fraction) if not 0 < fraction <= 1:
            raise InvalidRequest(f"a share of the storage lies above 0 and up to 1, and {fraction} does not")


def _numbers(size: PoolSize) -> tuple[int, ...]:
    match size:
        case Total():
            return size.total_bytes, size.num_ranks
        case PerRank():
            return size.tier_bytes
        case Share():
            return ()


def candidates(wanted: Iterable[int], joined: Iterable[int]) -> RankSet:
    """Return the ranks that a share is taken of: those wanted, which must have joined, or all that have."""
    present = RankSet(joined)
    missing = [rank for rank in sorted(wanted) if rank not in present]
    if missing:
        raise InvalidRequest(f"specified rank {missing[0]} is not joined")
    return RankSet(wanted) or present


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the ranks of a system have left for pools."""

    usable: Mapping[int, tuple[int, int]]
    """Usable bytes by rank: of the memory tier, and of SSDs that hold data."""
    hosts: Mapping[int, str]
    targets: Mapping[int, int]
    """How many targets a rank has, as far as its SSDs tell."""
    md_on_ssd: bool

    @property
    def has_flash(self) -> bool:
        """Whether there are SSDs for data."""
        return any(flash for _, flash in self.usable.values())

    def least(self, tier: int) -> int:
        """Return what every rank has in a tier."""
        return min(usable[tier] for usable in self.usable.values())


def room(ranks: RankSet, storage: Mapping[str, HostStorage]) -> Room:
    """Return what these ranks have left, from the storage (with usage) of hosts by name."""
    if not storage:
        raise InvalidRequest("no host reported its storage")
    memory: dict[int, int] = {}
    hosts: dict[int, str] = {}
    for host, record in storage.items():
        found = _memory(host, record, ranks, known=memory)
        memory |= found
        hosts |= dict.fromkeys(found, host)
    if not memory:
        raise InvalidRequest(f"no memory tier is available on ranks {ranks}")
    flash = dict.fromkeys(memory, 0)
    targets: dict[int, set[int]] = {}
    for record in storage.values():
        for controller in record.nvme_devices:
            for device in controller.smd_devices:
                if _holds_data(controller, device, ranks, flash):
                    flash[device.rank] += device.usable_bytes
                    targets.setdefault(device.rank, set()).update(device.tgt_ids or ())
    return Room(
        usable={rank: (memory[rank], flash[rank]) for rank in sorted(memory)},
        hosts=hosts,
        targets={rank: len(numbers) for rank, numbers in targets.items() if numbers},
        md_on_ssd=any(c.roles.option_bits for c in next(iter(storage.values())).nvme_devices),
    )


def fitting(share: Share, ranks: RankSet, storage: Mapping[str, HostStorage]) -> PerRank:
    """Return the sizes that fit on every one of the ranks, from the storage (with usage) of hosts by name."""
    return share_of(room(ranks, storage), share)


def share_of(left: Room, share: Share) -> PerRank:
    """Return the sizes that a share of what is left comes to; the rank that has least decides, in each tier."""
    first, second, mem_ratio = left.least(0), left.least(1), share.mem_ratio
    if left.md_on_ssd:
        mem_ratio = mem_ratio or 1.0
        first = int(first / mem_ratio)
    sizes = (int(first * share.fraction), int(second * share.fraction))
    if not sizes[0]:
        raise InvalidRequest("not enough memory tier storage available to create a pool")
    return PerRank(tier_bytes=sizes, mem_ratio=mem_ratio)


def _memory(host: str, record: HostStorage, ranks: RankSet, *, known: Mapping[int, int]) -> dict[int, int]:
    """Return usable bytes of the memory tier by rank, for the ranks of one host."""
    if not sum(space.mount.usable_bytes for space in record.scm_namespaces if space.mount):
        raise InvalidRequest(f"host without usable memory tier: {host}")
    usable: dict[int, int] = {}
    for space in record.scm_namespaces:
        if space.mount is None:
            raise InvalidRequest(f"{space.blockdev} of {host} is not mounted")
        if space.mount.rank not in ranks:
            continue
        if space.mount.rank in usable or space.mount.rank in known:
            raise InvalidRequest(f"rank {space.mount.rank} has more than one memory tier")
        usable[space.mount.rank] = space.mount.usable_bytes
    return usable


def _holds_data(controller: NvmeController, device: SmdDevice, ranks: RankSet, flash: Mapping[int, int]) -> bool:
    """Whether a device's space counts; a device without roles holds data."""
    if device.roles.option_bits and Role.DATA not in device.roles:
        return False
    if controller.dev_state == NEW:
        return False
    name = f"device {device.uuid} (rank {device.rank}, controller {controller.pci_addr})"
    if controller.dev_state != NORMAL:
        raise InvalidRequest(f"{name} is not usable: its state is {DEVICE_STATES[controller.dev_state]}")
    if device.rank not in ranks:
        return False
    if device.rank not in flash:
        raise InvalidRequest(f"{name} belongs to a rank without a memory tier")
    return True
