"""Memory: who gets how much of it, what is free now, huge pages."""

from collections.abc import Iterator
from dataclasses import replace

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.server.doctor.facts import Disk, ServerFacts
from daos_control.apps.server.preparation import usual_hugepage_kib
from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.units import GIB, KIB, format_iec
from daos_control.config.preparation import (
    HostFacts,
    MemoryShares,
    check_transparent_hugepages,
    least_hugepages,
    memory_shares,
    numa_nodes_in_use,
    with_hugepages,
    with_ramdisk_size,
)
from daos_control.config.server import ServerConfig
from daos_control.config.validation import SMALLEST_RAMDISK
from daos_control.host.storage.plan import enough_memory

TOPIC = Topic("memory")
HUGEPAGES = Topic("hugepages")


def check(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    """Do the sums that the server does at start, and those it does at a format; ``config`` is validated."""
    try:
        config = with_hugepages(config, _hugepage_kib(facts))
    except DaosControlError as error:
        yield HUGEPAGES.raised("configured", error)
    yield from _check_ramdisks(facts, config)
    yield from _check_hugepages(facts, config)


# -- RAM disks ---------------------------------------------------------------------------------------------------------


def _check_ramdisks(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    if not config.engines:
        yield TOPIC.not_applicable("RAM disks", "there are no engines")
        return
    if config.engines[0].scm.storage_class != "ram":
        yield TOPIC.not_applicable("RAM disks", "no engine has storage of class ram")
        return
    host = _host(facts)
    try:
        sized = with_ramdisk_size(config, host)
    except Fault as fault:
        yield TOPIC.raised("RAM disks", fault, remedy=_what_would_fit(config, host))
        return
    except DaosControlError as error:
        yield TOPIC.raised("RAM disks", error, remedy=_what_would_fit(config, host))
        return
    sizes = tuple(engine.scm.scm_size for engine in sized.engines)
    shares = memory_shares(sized, host)
    if shares is None:
        yield TOPIC.not_applicable(
            "RAM disks", "this user may not mount, so plain folders stand in for them, which take no memory"
        )
        return
    yield TOPIC.ok("RAM disks", _sum(shares, sizes))
    yield from _check_available(facts, sizes)
    for disk, size in zip(facts.disks, sizes, strict=True):
        yield from _check_mounted(disk, size)


def _host(facts: ServerFacts) -> HostFacts:
    in_memory = facts.programs.makes_ram_disks(is_root=facts.view.is_root)
    return HostFacts(
        memory_kib=facts.hardware.memory.total_kib if in_memory else None, hugepage_kib=_hugepage_kib(facts)
    )


def _hugepage_kib(facts: ServerFacts) -> int:
    return usual_hugepage_kib(facts.hardware.memory)


def _sum(shares: MemoryShares, sizes: tuple[int, ...]) -> str:
    parts = [f"system {format_iec(shares.system)}", f"engines {format_iec(shares.engines)}"]
    if shares.hugepages:
        parts.append(f"hugepages {format_iec(shares.hugepages)}")
    parts.append("RAM disks " + " + ".join(f"{size} GiB" for size in sizes))
    return f"of {format_iec(shares.total)}: {', '.join(parts)}"


def _what_would_fit(config: ServerConfig, host: HostFacts) -> str:
    """Say how the sum comes out: with smaller disks, or with less set aside for the system."""
    shares = memory_shares(config, host)
    if shares is None:
        return ""
    largest = shares.largest_ramdisk // GIB
    if largest * GIB >= SMALLEST_RAMDISK:
        return f"set scm_size to {largest} or less, or remove it to have it calculated"
    others = shares.hugepages + shares.engines + shares.count * SMALLEST_RAMDISK
    left = (shares.total - others) // GIB
    aside = f"{format_iec(shares.system)} for the system, {format_iec(shares.engines)} for engines"
    if left >= 1:
        return f"now {aside}: set system_ram_reserved to {left} or less; the smallest RAM disks then fit"
    if shares.count == 1:
        return f"now {aside}: this host is too small for 1 engine; use fewer targets"
    return f"now {aside}: this host is too small for {shares.count} engines; use fewer engines, or fewer targets"


def _check_available(facts: ServerFacts, sizes: tuple[int, ...]) -> Iterator[Finding]:
    """Disks that are mounted have their memory, as far as they are filled; the others need it free at a format."""
    to_come = [size for disk, size in zip(facts.disks, sizes, strict=True) if not disk.filesystem]
    available = facts.hardware.memory.available_kib
    if not to_come:
        yield TOPIC.ok("available now", f"RAM disks are mounted; {format_iec(available * KIB)} are free beside them")
        return
    try:
        enough_memory(to_come, available)
    except Fault as fault:
        remedy = "end what takes it (ps -eo rss,comm --sort -rss | head), or lower scm_size"
        yield TOPIC.raised("available now", fault, remedy)
    else:
        wanted = format_iec(sum(to_come) * GIB)
        enough = "" if available * KIB >= sum(to_come) * GIB else "; nine tenths are enough"
        yield TOPIC.ok("available now", f"{format_iec(available * KIB)} are free for RAM disks of {wanted}{enough}")


def _check_mounted(disk: Disk, size_gib: int) -> Iterator[Finding]:
    if disk.filesystem == "tmpfs" and disk.size_bytes > size_gib * GIB:
        fault = FaultCode.SCM_RAMDISK_BAD_SIZE.fault(mounted=disk.size_bytes, wanted=size_gib * GIB)
        path = disk.place.path
        remedy = f"mount -o remount,size={size_gib}g {path}, which keeps what it holds; umount {path} loses it"
        yield TOPIC.raised("mounted RAM disk", fault, remedy=remedy)


# -- huge pages --------------------------------------------------------------------------------------------------------


def _check_hugepages(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    yield from _check_transparent(facts, config)
    needed = least_hugepages(config, _hugepage_kib(facts))
    memory = facts.hardware.memory
    if config.disable_hugepages or not needed:
        why = "disable_hugepages is set" if config.disable_hugepages else "no engine has block devices"
        yield HUGEPAGES.not_applicable("available", why)
    else:
        yield from _check_numa(config)
        yield _available(config, needed, memory.hugepages_total, memory.hugepages_free, bool(facts.ours))
    if abandoned := facts.hardware.abandoned_hugepages:
        yield HUGEPAGES.warning(
            "leftovers",
            f"{len(abandoned)} files of processes that have ended keep huge pages: {abandoned[0]} and the like",
            f"rm {' '.join(map(str, abandoned[:3]))}{' ...' if len(abandoned) > 3 else ''}",
        )


def _check_transparent(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    mode = facts.hardware.transparent_hugepages
    try:
        check_transparent_hugepages(config, mode)
    except Fault as fault:
        remedy = f"{fault.resolution}; until the next boot: echo never > /sys/kernel/mm/transparent_hugepage/enabled"
        yield replace(HUGEPAGES.raised("transparent", fault, remedy), found=f"{fault.description} (mode {mode})")
        return
    if mode in {"", "never"}:
        yield HUGEPAGES.ok("transparent", "off")
    else:
        key = "disable_hugepages" if config.disable_hugepages else "allow_thp"
        yield HUGEPAGES.not_applicable("transparent", f"{mode}, and {key} is set")


def _check_numa(config: ServerConfig) -> Iterator[Finding]:
    try:
        nodes = numa_nodes_in_use(config)
    except Fault as fault:
        yield HUGEPAGES.raised("NUMA", fault)
    else:
        yield HUGEPAGES.ok("NUMA", f"wanted on node {', '.join(map(str, nodes))}")


def _available(config: ServerConfig, needed: int, total: int, free: int, running: bool) -> Finding:
    wanted = max(needed, config.nr_hugepages)
    shown = f"{needed} are needed, {total} there, {free} free"
    if running or free >= wanted:
        return HUGEPAGES.ok("available", shown)
    remedy = f"the server asks the kernel for them at start; to have them for sure: sysctl vm.nr_hugepages={wanted}"
    return HUGEPAGES.warning("available", shown, remedy)
