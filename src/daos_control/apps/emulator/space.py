"""How much of a pool's space a target has and has left. The numbers are those of an empty pool of DAOS 2.8.

Sizes are given per engine and divided among its targets, each rounded up to what its kind of storage can hold: memory
pages, or 16 MiB pages when metadata lives on SSD. Part of a target is kept back for garbage collection, aggregation
and fragmentation; the rest of what is missing is the pool's own metadata.
"""

from collections.abc import Iterable

import msgspec

from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.units import GIB, MIB

MIN_TARGET_BYTES = 16 * MIB
MEMORY_PAGE = 4096
SSD_PAGE = 16 * MIB
AGGREGATION_BYTES = 40 * MIB
GARBAGE_BYTES = 40 * (16 + 1018 * 16)
SYSTEM_BYTES = AGGREGATION_BYTES + GARBAGE_BYTES
EMPTY_POOL_BYTES = 43_194_560 - SYSTEM_BYTES
EMPTY_POOL_BYTES_WITH_NVME = EMPTY_POOL_BYTES + 768
EMPTY_POOL_BYTES_ON_SSD = 43_458_136 - SYSTEM_BYTES
FRAGMENTATION_MIN, FRAGMENTATION_MAX = 600 * MIB, 6 * GIB
BLOCK = 4096
OBJECT_BYTES = MIB
"""What a pretended object takes."""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What one target of a pool has: memory file, metadata blob (on SSD) and data, in bytes."""

    scm: int
    nvme: int
    meta: int = 0
    """0 unless metadata lives on SSD."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Capacity and free space of one target, and its memory file."""

    scm_total: int
    scm_free: int
    nvme_total: int
    nvme_free: int
    mem_file: int


def per_target(scm: int, nvme: int, meta: int, targets: int, *, on_ssd: bool) -> Size:
    """Divide an engine's share of a pool among its targets; raises DaosError INVAL if too little is left for each."""
    if scm // targets < MIN_TARGET_BYTES:
        raise DaosError(Der.INVAL)
    page = SSD_PAGE if on_ssd else MEMORY_PAGE
    scm_each = _round_up(scm // targets, page)
    meta_each = _round_up(meta // targets, page) if on_ssd else 0
    if meta_each > scm_each:
        scm_each = max(scm_each, 2 * page)
    return Size(scm=scm_each, nvme=nvme // targets, meta=meta_each)


def usage(size: Size) -> Usage:
    """Return the space of a target of this size in an empty pool."""
    total = size.meta or size.scm
    used = _metadata_bytes(size) + _reserved(total)
    nvme_free = size.nvme // BLOCK * BLOCK - BLOCK - AGGREGATION_BYTES
    return Usage(
        scm_total=total,
        scm_free=max(0, total - used),
        nvme_total=size.nvme,
        nvme_free=max(0, nvme_free),
        mem_file=size.scm,
    )


def holding(usage: Usage, objects: int) -> Usage:
    """Return the space of a target with so many objects: data go to NVMe if there is any."""
    taken = objects * OBJECT_BYTES
    if usage.nvme_total:
        return msgspec.structs.replace(usage, nvme_free=max(0, usage.nvme_free - taken))
    return msgspec.structs.replace(usage, scm_free=max(0, usage.scm_free - taken))


def even(values: Iterable[int]) -> tuple[int, int, int, int]:
    """Return total, smallest, largest and mean, all 0 of nothing."""
    numbers = list(values)
    if not numbers:
        return 0, 0, 0, 0
    return sum(numbers), min(numbers), max(numbers), sum(numbers) // len(numbers)


def _metadata_bytes(size: Size) -> int:
    if size.meta:
        return EMPTY_POOL_BYTES_ON_SSD
    return EMPTY_POOL_BYTES_WITH_NVME if size.nvme else EMPTY_POOL_BYTES


def _reserved(total: int) -> int:
    """Space kept back; a pool too tiny for that goes without."""
    if total <= 2 * SYSTEM_BYTES:
        return 0
    overhead = total * 5 // 100
    if total < 2 * (overhead + SYSTEM_BYTES):
        return SYSTEM_BYTES
    overhead = min(overhead, FRAGMENTATION_MAX)
    if overhead < FRAGMENTATION_MIN and total >= 2 * (FRAGMENTATION_MIN + SYSTEM_BYTES):
        overhead = FRAGMENTATION_MIN
    return max(SYSTEM_BYTES, overhead)


def _round_up(number: int, unit: int) -> int:
    return -(-number // unit) * unit
