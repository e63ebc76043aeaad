"""Which storage engines can have: memory and SSDs by NUMA node, and how an engine's SSDs make up its tiers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from daos_control.base.fault_codes import FaultCode
from daos_control.base.pci import PciAddress
from daos_control.config.generation.fabric import in_words
from daos_control.config.generation.terms import CannotGenerate, Hardware, Wishes
from daos_control.config.storage import Tier

LEAST_SSDS = 1
"""SSDs that an engine needs, unless it is to have none."""

_FEWER = "--num-engines takes fewer, "

_ROLES = {1: (("wal", "meta", "data"),), 2: (("wal",), ("meta", "data"))}
"""What each tier of SSDs is for, by how many tiers there are."""
_MANY_SSDS = 6
"""From so many SSDs on, two are for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What each NUMA node offers to an engine."""

    scm_class: str
    scm: Mapping[int, tuple[str, ...]]
    """Devices of persistent memory by node, the first one best; none are needed for RAM disks."""
    ssds: Mapping[int, tuple[PciAddress, ...]]
    unfit: tuple[str, ...] = ()
    """Nodes that cannot have an engine, and why."""

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes that can have an engine."""
        return tuple(sorted(self.scm))

    @property
    def ssd_counts(self) -> Mapping[int, int]:
        """How many SSDs each node has."""
        return {node: len(found) for node, found in self.ssds.items()}

    def of(self, nodes: Iterable[int]) -> "Storage":
        """Return what these nodes offer."""
        kept = tuple(nodes)
        return replace(
            self,
            scm={node: self.scm[node] for node in kept},
            ssds={node: self.ssds.get(node, ()) for node in kept},
        )


def offered(hardware: Hardware, wishes: Wishes) -> Storage:
    """Sort storage by NUMA node. Raises CannotGenerate if the scan is of no use."""
    if not hardware.hugepage_kib:
        raise CannotGenerate("the scan does not tell the size of hugepages: is this kernel built without them?")
    ssds: dict[int, set[PciAddress]] = {}
    for ssd in hardware.ssds:
        ssds.setdefault(ssd.numa_node, set()).add(ssd.address)
    by_node = {node: tuple(sorted(found)) for node, found in ssds.items()}
    if not wishes.tmpfs:
        pmem: dict[int, list[str]] = {}
        for device in hardware.pmem:
            pmem.setdefault(device.numa_node, []).append(f"/dev/{device.name}")
        return Storage(
            scm_class="dcpm",
            scm={node: tuple(sorted(names)) for node, names in pmem.items()},
            ssds=by_node,
            unfit=tuple(
                f"NUMA node {node}: no persistent memory" for node in range(hardware.numa_nodes) if node not in pmem
            ),
        )
    if not hardware.numa_nodes or not hardware.memory_kib:
        raise CannotGenerate("the scan does not tell the host's memory or its NUMA nodes: nothing to make RAM disks of")
    return Storage(scm_class="ram", scm=dict.fromkeys(range(hardware.numa_nodes), ()), ssds=by_node)


def fit(storage: Storage, count: int, wishes: Wishes) -> Storage:
    """Keep the nodes that can have an engine. Raises CannotGenerate if there are fewer than ``count``."""
    if len(storage.scm) < count:
        raise CannotGenerate(_too_little_scm(storage, count))
    if wishes.scm_only:
        return replace(storage, ssds=dict.fromkeys(storage.scm, ()))
    lacking = [node for node in storage.nodes if len(storage.ssds.get(node, ())) < LEAST_SSDS]
    if len(storage.scm) - len(lacking) < count:
        have = "have" if len(lacking) > 1 else "has"
        raise CannotGenerate(
            f"insufficient number of ssds for numa {lacking[0]}, want {LEAST_SSDS} got 0: {_wanted(count)}, "
            f"and {in_words(lacking)} {have} no SSD ({_FEWER if count > 1 else ''}--scm-only does without SSDs)"
        )
    kept = storage.of(node for node in storage.nodes if node not in lacking)
    return replace(kept, unfit=(*storage.unfit, *(f"NUMA node {node}: no SSD" for node in lacking)))


def _wanted(count: int) -> str:
    return f"{count} engines are wanted" if count > 1 else "an engine is wanted"


def _too_little_scm(storage: Storage, count: int) -> str:
    nodes = storage.nodes
    if storage.scm_class == "ram":
        there = "is one NUMA node" if len(nodes) == 1 else f"are {len(nodes)} NUMA nodes"
        return f"{_wanted(count)}, and there {there} (see --num-engines)"
    there = f"{in_words(nodes)} {'have' if len(nodes) > 1 else 'has'}" if nodes else "no NUMA node has"
    return (
        f"insufficient number of pmem device numa groups, want {count} got {len(nodes)}: {there} persistent "
        f"memory ({_FEWER if nodes else ''}--use-tmpfs-scm takes RAM instead)"
    )


def evened(storage: Storage) -> Storage:
    """Give every engine as many SSDs as the poorest has. Raises fault 511 where a VMD cannot give fewer."""
    fewest = min(storage.ssd_counts.values())
    for found in storage.ssds.values():
        if len(found) > fewest and any(address.vmd for address in found):
            raise FaultCode.CLIENT_CONFIG_VMD_IMBALANCE.fault()
    return replace(storage, ssds={node: found[:fewest] for node, found in storage.ssds.items()})


def named(ssds: Iterable[PciAddress]) -> tuple[str, ...]:
    """Name SSDs as a configuration does: those behind a VMD by the VMD, once."""
    return tuple(str(address) for address in sorted({address.vmd or address for address in ssds}))


def ssd_tiers(addresses: Sequence[str], *, with_metadata: bool) -> tuple[Tier, ...]:
    """Make tiers of an engine's SSDs: one, or by what they are for if metadata is to be on them too."""
    if not addresses:
        return ()
    if not with_metadata:
        return (Tier(storage_class="nvme", bdev_list=tuple(addresses)),)
    log = 2 if len(addresses) >= _MANY_SSDS else 1
    parts = [part for part in (addresses[:log], addresses[log:]) if part]
    return tuple(
        Tier(storage_class="nvme", bdev_list=tuple(part), bdev_roles=roles)
        for part, roles in zip(parts, _ROLES[len(parts)], strict=True)
    )
