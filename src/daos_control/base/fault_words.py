"""What to tell a person about each numbered fault of DAOS 2.8.

The numbers and domains are DAOS's; the words are ours. A row of the table turns facts into a description ("what is
wrong, and why") and a resolution ("what to do about it"). The facts a row needs are listed in the row; giving others is
an error. Some codes stand for several situations: they have several rows, told apart by their facts.

In templates ``{size:iec}`` prints bytes as ``4.0 GiB``, and ``{name:q}`` puts text in quotes.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from daos_control.base.units import GIB, format_iec


@dataclass(frozen=True, slots=True)
class Row:
    """One situation: where it belongs, what to say, what to advise, and which facts the words need."""

    domain: str
    description: str
    resolution: str
    facts: Mapping[str, str] = field(default_factory=dict)


def tell(name: str, facts: Mapping[str, object]) -> tuple[str, str, str]:
    """Return the domain, the description and the resolution of the fault of this name about these facts."""
    row = _row(name, frozenset(facts))
    return row.domain, _WORDS.format(row.description, **facts), _WORDS.format(row.resolution, **facts)


def _row(name: str, given: frozenset[str]) -> Row:
    rows = TABLE[name]
    for row in rows:
        if given == row.facts.keys():
            return row
    wanted = " or ".join("(" + ", ".join(sorted(row.facts)) + ")" for row in rows)
    raise TypeError(f"{name} is told with the facts {wanted}, not ({', '.join(sorted(given))})")


class _Words(string.Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        match format_spec:
            case "iec" if isinstance(value, int):
                return format_iec(value)
            case "gib" if isinstance(value, int):  # as scm_size counts
                return f"{value // GIB} GiB"
            case "fine" if isinstance(value, int):  # so that what is too little does not look like enough
                return f"{value / GIB:.2f} GiB"
            case "q":
                return f"'{value}'"
            case _:
                return str(super().format_field(value, format_spec))


_WORDS = _Words()

_REPORT = "look in the log of the program that reported this for the line before it, and retry"
_RESTART = "then restart daos_server"
_SLOW_SERVER = (
    "see on the servers whether daos_server runs and is well ('daos_server doctor', and its log); if it is only slow, "
    "allow it more time (dmg --timeout), and retry"
)
_CERTIFICATE_HELP = "the DAOS Administration Guide tells under System Deployment how to make and place certificates"
_REBUILD_REGIONS = (
    "run 'daos_server scm reset', reboot, run 'daos_server scm prepare' to make AppDirect interleaved regions, reboot "
    "again, and run 'daos_server scm prepare' once more to make the namespaces"
)

# Keyed by the names of the codes, which know of this module and not the other way round.
TABLE: Mapping[str, tuple[Row, ...]] = {
    # -- general ----------------------------------------------------------------------------------------------------
    "UNKNOWN": (Row("unknown", "something failed that has no number", _REPORT),),
    "MISSING_SOFTWARE_DEPENDENCY": (
        Row(
            "scm",
            "{program} is needed to manage persistent memory and was not found",
            "install the package that contains {program}, or add its directory to PATH",
            {"program": "name of the missing program"},
        ),
    ),
    "BAD_VERSION_SOFTWARE_DEPENDENCY": (
        Row(
            "scm",
            "{program} version {version} is known not to work with DAOS",
            "upgrade {program}",
            {"program": "name of the program", "version": "the version found"},
        ),
    ),
    "PRIVILEGED_HELPER_NOT_PRIVILEGED": (
        Row(
            "pbin",
            "{helper} was started without root's rights, which it needs to prepare storage",
            "make {helper} owned by root and setuid (mode 4750, group daos_server), as its package does",
            {"helper": "name of the helper program"},
        ),
    ),
    "PRIVILEGED_HELPER_NOT_AVAILABLE": (
        Row(
            "pbin",
            "{helper} was not found, or this user may not execute it",
            "install {helper} in PATH or beside daos_server, and run daos_server as a member of the helper's group",
            {"helper": "name of the helper program"},
        ),
    ),
    "PRIVILEGED_HELPER_REQUEST_FAILED": (
        Row(
            "pbin",
            "{problem}",
            "the helper's own log (helper_log_file in daos_server.yml) has the details",
            {"problem": "what the helper said"},
        ),
    ),
    "SOCKET_FILE_IN_USE": (
        Row(
            "drpc",
            "another process is serving the socket {path}",
            "stop that process or choose another socket directory; if no such process runs, delete {path}",
            {"path": "path of the socket"},
        ),
    ),
    # -- storage ----------------------------------------------------------------------------------------------------
    "STORAGE_UNKNOWN": (Row("storage", "a storage operation failed for no known reason", _REPORT),),
    "STORAGE_ALREADY_FORMATTED": (
        Row(
            "scm",
            "the storage to be formatted holds a file system already",
            "if the data on it may be destroyed, ask again with --force",
        ),
    ),
    "STORAGE_FILESYSTEM_ALREADY_MOUNTED": (
        Row(
            "storage",
            "the file system {path} is mounted already",
            "unmount {path} and retry",
            {"path": "the mount point"},
        ),
    ),
    "STORAGE_DEVICE_ALREADY_MOUNTED": (
        Row(
            "scm",
            "the device {device} is mounted already",
            "unmount {device} and retry",
            {"device": "the block device"},
        ),
    ),
    "STORAGE_TARGET_ALREADY_MOUNTED": (
        Row(
            "storage",
            "something is mounted on {target} already, and mounting over it would hide it",
            "unmount {target} and retry",
            {"target": "the mount point"},
        ),
    ),
    "STORAGE_PATH_ACCESS_DENIED": (
        Row(
            "storage",
            "the user running daos_server may not access {path:q}",
            "give that user access to {path} and to every directory above it, and retry",
            {"path": "the path refused"},
        ),
    ),
    "STORAGE_DEVICE_WITH_FS_NO_MOUNTPOINT": (
        Row(
            "storage",
            "the device {device} holds a file system, but the directory {path} to mount it on does not exist",
            "create {path} and retry",
            {"device": "the block device", "path": "the missing directory"},
        ),
    ),
    "STORAGE_HUGEPAGES_DISABLED": (
        Row(
            "storage",
            "NVMe devices cannot be used while hugepages are disabled",
            "remove disable_hugepages from daos_server.yml (or the option from the command line) and retry; "
            "the storage may have to be formatted again",
        ),
    ),
    # -- persistent memory and RAM disks ----------------------------------------------------------------------------
    "SCM_UNKNOWN": (Row("scm", "an SCM operation failed for no known reason", _REPORT),),
    "SCM_FORMAT_INVALID_SIZE": (
        Row("scm", "a RAM disk cannot be made with a size of 0", "ask for a size of at least 4 GiB (scm_size)"),
    ),
    "SCM_FORMAT_INVALID_DEVICE_COUNT": (
        Row(
            "scm",
            "to format persistent memory exactly one device must be named, not {count}",
            "name one device in scm_list",
            {"count": "how many were named"},
        ),
    ),
    "SCM_FORMAT_MISSING_MOUNTPOINT": (
        Row("scm", "SCM cannot be formatted without a mount point", "set scm_mount of the engine's first tier"),
    ),
    "SCM_FORMAT_MISSING_DEVICE": (
        Row(
            "scm",
            "the SCM device {device} does not exist",
            "correct scm_list, or make the device with 'daos_server scm prepare'",
            {"device": "path of the device"},
        ),
    ),
    "SCM_FORMAT_MISSING_PARAM": (
        Row(
            "scm",
            "the request to format SCM says neither RAM disk nor persistent memory",
            "set the class of the engine's first tier to ram or dcpm",
        ),
    ),
    "SCM_FORMAT_CONFLICTING_PARAM": (
        Row(
            "scm",
            "the request to format SCM says both RAM disk and persistent memory",
            "set the class of the engine's first tier to one of ram and dcpm",
        ),
    ),
    "SCM_PATH_ACCESS_DENIED": (
        Row(
            "scm",
            "the user running daos_server may not access {path:q}",
            "give that user access to {path} and to every directory above it, and retry",
            {"path": "the path refused"},
        ),
    ),
    "SCM_DISCOVERY_FAILED": (
        Row(
            "scm",
            "the persistent memory modules could not be listed",
            "run 'ipmctl show -dimm' as root to see what the system says about its modules",
        ),
    ),
    "SCM_DUPLICATES_IN_DEVICE_LIST": (
        Row("scm", "a persistent memory module is listed twice", "list each module once"),
    ),
    "SCM_NO_DEVICES_MATCH_FILTER": (
        Row(
            "scm",
            "no persistent memory module matches the given model and firmware",
            "compare them with 'dmg firmware query --type=scm', and retry with fewer filters",
        ),
    ),
    "SCM_NO_PMEM": (
        Row(
            "storage",
            "this host has no persistent memory modules",
            "use a tier of class ram, or install modules and retry",
        ),
    ),
    "SCM_BAD_REGION": (
        Row(
            "storage",
            "the persistent memory region of socket {socket} {problem}",
            f"check the modules with 'ipmctl show -dimm' and replace unhealthy ones; {_REBUILD_REGIONS}",
            {"socket": "number of the CPU socket", "problem": "a phrase: 'is unhealthy', 'is not interleaved', ..."},
        ),
        Row(
            "storage",
            "part of the persistent memory region of socket {partial_socket} is in use and part is free, "
            "and namespaces are made only from whole regions",
            "run 'daos_server scm reset' and then 'daos_server scm prepare'; no reboot is needed",
            {"partial_socket": "number of the CPU socket whose region is partly used"},
        ),
    ),
    "SCM_INVALID_PMEM": (
        Row(
            "storage",
            "the persistent memory is not as it should be after its preparation: {problem}",
            _REBUILD_REGIONS,
            {"problem": "what differs"},
        ),
    ),
    "SCM_RAMDISK_LOW_MEM": (
        Row(
            "storage",
            "the RAM disks need {required:fine} of memory, and this host has {available:fine} to give",
            "lower targets, scm_size or system_ram_reserved in daos_server.yml, or free memory on the host",
            {"required": "memory needed, bytes", "available": "memory there is, bytes"},
        ),
    ),
    "SCM_RAMDISK_BAD_SIZE": (
        Row(
            "storage",
            "the RAM disk that is mounted has {mounted:iec}, where {wanted:iec} fit this host",
            "unmount it, so that daos_server mounts it anew, or remount it with {wanted:iec}",
            {"mounted": "size of the mounted RAM disk, bytes", "wanted": "size it should have, bytes"},
        ),
    ),
    "SCM_CONFIG_TIER_MISSING": (
        Row(
            "storage",
            "an engine has no SCM tier",
            f"put a tier of class ram or dcpm first in the engine's storage list in daos_server.yml, {_RESTART}",
        ),
    ),
    # -- block devices ----------------------------------------------------------------------------------------------
    "BDEV_UNKNOWN": (Row("bdev", "an operation on block devices failed for no known reason", _REPORT),),
    "BDEV_FORMAT_UNKNOWN_CLASS": (
        Row(
            "bdev",
            "block devices of class {device_class:q} cannot be formatted",
            f"use one of the classes nvme, file and kdev in daos_server.yml, {_RESTART}",
            {"device_class": "the class asked for"},
        ),
    ),
    "BDEV_FORMAT_FAILURE": (
        Row(
            "bdev",
            "formatting {device:q} failed: {problem}",
            "check the device's health ('dmg storage scan --nvme-health', the kernel's log) and format again",
            {"device": "address or path of the device", "problem": "what went wrong"},
        ),
    ),
    "BDEV_BAD_PCI_ADDRESS": (
        Row(
            "bdev",
            "{address:q} is not the PCI address of an NVMe device",
            "give addresses as 'dmg storage scan --verbose' shows them, such as 0000:81:00.0",
            {"address": "the text given"},
        ),
    ),
    "BDEV_NOT_FOUND": (
        Row(
            "storage",
            "the configured NVMe devices {addresses} are not in this host",
            "compare bdev_list in daos_server.yml with 'daos_server nvme scan', and check the slots",
            {"addresses": "PCI addresses"},
        ),
        Row(
            "storage",
            "no devices were found behind the configured VMD addresses {vmd_addresses}",
            "compare bdev_list in daos_server.yml with 'daos_server nvme scan', and check the BIOS's VMD settings",
            {"vmd_addresses": "PCI addresses of VMD endpoints"},
        ),
    ),
    "BDEV_DUPLICATES_IN_DEVICE_LIST": (Row("bdev", "an NVMe device is listed twice", "list each address once"),),
    "BDEV_NO_DEVICES_MATCH_FILTER": (
        Row(
            "bdev",
            "no NVMe device matches the given model and firmware",
            "compare them with 'dmg firmware query --type=nvme', and retry with fewer filters",
        ),
    ),
    "BDEV_ACCEL_ENGINE_UNKNOWN": (
        Row(
            "storage",
            "there is no acceleration engine {engine:q}",
            f"set acceleration.engine in daos_server.yml to one of {{known}}, {_RESTART}",
            {"engine": "the name given", "known": "the names there are"},
        ),
    ),
    "BDEV_CONFIG_OPT_FLAG_UNKNOWN": (
        Row(
            "storage",
            "there is no option {option:q} for {key}",
            f"set {{key}} in daos_server.yml to some of {{known}}, {_RESTART}",
            {"option": "the word given", "key": "the key it stands under", "known": "the words there are"},
        ),
    ),
    "BDEV_CONFIG_TIER_TYPE_MISMATCH": (
        Row(
            "storage",
            "an engine mixes NVMe devices with files or kernel devices that stand in for them",
            f"give all bdev tiers of an engine class nvme, or none of them, {_RESTART}",
        ),
    ),
    "BDEV_NON_ROOT_VFIO_DISABLE": (
        Row(
            "storage",
            "without VFIO only root can use NVMe devices",
            "leave VFIO enabled, or run as root (--target-user root)",
        ),
    ),
    "BDEV_NO_IOMMU": (
        Row(
            "storage",
            "without an IOMMU only root can use NVMe devices, and none was found",
            "enable the IOMMU in the BIOS and with the kernel parameter intel_iommu=on or amd_iommu=on, or run as root",
        ),
    ),
    "BDEV_CONFIG_ROLES_WITH_DCPM": (
        Row(
            "storage",
            "bdev_roles keep metadata on SSD, which persistent memory (class dcpm) makes needless",
            f"change the SCM tier's class to ram, or remove bdev_roles from the engine's tiers, {_RESTART}",
        ),
    ),
    "BDEV_CONFIG_ROLES_BAD_NR": (
        Row(
            "storage",
            "the role {role} stands on {count} tiers of an engine, where exactly {wanted} should have it",
            f"give the role {{role}} to exactly {{wanted}} of the engine's bdev tiers, {_RESTART}",
            {"role": "WAL, Meta or Data", "count": "how many tiers have it", "wanted": "how many should"},
        ),
    ),
    "BDEV_CONFIG_ROLES_MISSING": (
        Row(
            "storage",
            "some bdev tiers of an engine have bdev_roles and others have none",
            f"give bdev_roles to all bdev tiers of the engine, or to none, {_RESTART}",
        ),
    ),
    "BDEV_CONFIG_MULTI_TIER_WITHOUT_ROLES": (
        Row(
            "storage",
            "an engine has several bdev tiers and nothing says what each is for",
            f"give bdev_roles to each tier, or leave only one bdev tier, {_RESTART}",
        ),
    ),
    "BDEV_CONFIG_BAD_NR_TIERS_WITH_ROLES": (
        Row(
            "storage",
            "an engine has {count} bdev tiers with roles, where three roles fit on at most 3",
            f"spread wal, meta and data over 1, 2 or 3 bdev tiers, {_RESTART}",
            {"count": "how many bdev tiers there are"},
        ),
    ),
    "BDEV_CONFIG_CONTROL_METADATA_NO_ROLES": (
        Row(
            "storage",
            "control_metadata.path is set, but an engine has no bdev tier with the role meta",
            f"give bdev_roles to the engine's bdev tiers, or remove control_metadata, {_RESTART}",
        ),
    ),
    "BDEV_CONFIG_ROLES_NO_CONTROL_METADATA": (
        Row(
            "storage",
            "an engine keeps its metadata on SSD (bdev_roles), and nothing says where the control plane keeps its own",
            f"set control_metadata.path in daos_server.yml, {_RESTART}",
        ),
    ),
    "BDEV_CONFIG_ROLES_WAL_DATA_NO_META": (
        Row(
            "storage",
            "a tier has the roles wal and data without meta, a combination that engines do not support",
            f"add the role meta to that tier, or take one of the other two from it, {_RESTART}",
        ),
    ),
    # -- system -----------------------------------------------------------------------------------------------------
    "SYSTEM_UNKNOWN": (Row("system", "a system operation failed for no known reason", _REPORT),),
    "SYSTEM_BAD_FAULT_DOMAIN_DEPTH": (
        Row(
            "system",
            "the fault domain {fault_domain:q} cannot join a system whose fault domains have {depth} levels",
            f"give fault_path (or the output of fault_cb) {{depth}} levels on the joining host, {_RESTART}",
            {"fault_domain": "the fault domain of the joining rank", "depth": "levels of the members' fault domains"},
        ),
    ),
    "SYSTEM_POOL_LOCKED": (
        Row(
            "system",
            "pool {pool} is busy with another operation (lock {lock}, taken {since})",
            "wait for the other operation to end, and retry",
            {"pool": "UUID of the pool", "lock": "id of the lock", "since": "when it was taken"},
        ),
    ),
    "SYSTEM_JOIN_REPLACE_RANK_NOT_FOUND": (
        Row(
            "system",
            "there is no rank for this engine to take over; rank {rank} comes nearest but differs: {difference}",
            "set the server's configuration to what rank {rank} had and run 'dmg storage format --replace' again, or "
            "run 'dmg storage format' without --replace, and the engine joins as a new rank",
            {"rank": "the member most like the joining engine", "difference": "in what they differ"},
        ),
        Row(
            "system",
            "there is no rank for this engine to take over; even the nearest, rank {rank}, differs: {differences}",
            "run 'dmg storage format' without --replace, and the engine joins as a new rank; lost ranks are listed by "
            "'dmg system query -v'",
            {"rank": "the member most like the joining engine", "differences": "in what they differ"},
        ),
    ),
    # -- client -----------------------------------------------------------------------------------------------------
    "CLIENT_UNKNOWN": (Row("client", "the request failed for no known reason", _REPORT),),
    "CLIENT_CONFIG_BAD_CONTROL_PORT": (
        Row(
            "client",
            "no control port is set (port: 0)",
            "set port in daos_control.yml to the port of daos_server.yml (usually 10001), and retry",
        ),
    ),
    "CLIENT_CONFIG_BAD_ACCESS_POINTS": (
        Row("client", "the list of servers cannot be used", "correct hostlist in daos_control.yml, and retry"),
    ),
    "CLIENT_CONFIG_EMPTY_HOST_LIST": (
        Row(
            "client",
            "no server is named to send the request to",
            "list DAOS servers under hostlist in daos_control.yml, or name some with -l, and retry",
        ),
    ),
    "CLIENT_CONNECTION_BAD_HOST": (
        Row(
            "client",
            "the host name of {address} cannot be resolved",
            "check the spelling, and that this host's resolver knows the name",
            {"address": "host:port that was tried"},
        ),
    ),
    "CLIENT_CONNECTION_NO_ROUTE": (
        Row(
            "client",
            "there is no route to {address}",
            "check the address, that the host is up, and the network and firewall between",
            {"address": "host:port that was tried"},
        ),
    ),
    "CLIENT_CONNECTION_REFUSED": (
        Row(
            "client",
            "the server at {address} refused the connection",  # as DAOS says it: a key of JSON documents (host_errors)
            "check the address and port, and that daos_server runs there",
            {"address": "host:port that was tried"},
        ),
    ),
    "CLIENT_CONNECTION_CLOSED": (
        Row(
            "client",
            "{address} closed the connection before it took a request",
            "check that both sides use certificates of the same authority, or both allow_insecure",
            {"address": "host:port that was tried"},
        ),
    ),
    "CLIENT_CONNECTION_TIMED_OUT": (
        Row(
            "client",
            "{address} did not answer the connection in time",
            "check the address, that the host is up, and that a firewall does not drop the packets",
            {"address": "host:port that was tried"},
        ),
    ),
    "CLIENT_FORMAT_RUNNING_SYSTEM": (
        Row(
            "client",
            "the system is running, and formatting storage would destroy it",
            "to start afresh, run 'dmg system stop' and 'dmg system erase' first; all data will be lost",
        ),
    ),
    "CLIENT_RPC_TIMEOUT": (
        Row(
            "client",
            "no answer to {request} within {limit}",
            _SLOW_SERVER,
            {"request": "name of the request", "limit": "the time that was waited, as text"},
        ),
        Row(
            "client",
            "no answer to {request} within {limit}; so far: {trouble}",
            _SLOW_SERVER,
            {
                "request": "name of the request",
                "limit": "the time that was waited, as text",
                "trouble": "what went wrong before, as text",
            },
        ),
        Row(
            "client",
            "pool {pool} does not answer, as it still counts on dead ranks: {ranks}",
            "see with 'dmg pool query --health-only {pool}' what is known; bring them back with 'dmg system start "
            "--ranks={ranks}' or take them out with 'dmg pool exclude --ranks={ranks} {pool}'",
            {"pool": "label or UUID", "ranks": "the ranks that are dead"},
        ),
    ),
    "CLIENT_CONFIG_VMD_IMBALANCE": (
        Row(
            "client",
            "the engines' VMD addresses have different numbers of devices behind them",
            "assign the same number of NVMe devices to each VMD in the BIOS, and generate the configuration again",
        ),
    ),
    # -- server -----------------------------------------------------------------------------------------------------
    "SERVER_UNKNOWN": (Row("server", "the server failed for no known reason", _REPORT),),
    "SERVER_SCM_UNMANAGED": (
        Row(
            "server",
            "the SCM mount point {path} does not exist and cannot be made",
            "create {path}, and retry",
            {"path": "the mount point"},
        ),
    ),
    "SERVER_IOMMU_DISABLED": (
        Row(
            "server",
            "NVMe devices are configured, but this host has no IOMMU, without which only root can use them",
            "enable the IOMMU in the BIOS and the kernel's parameters, or run daos_server as root",
        ),
    ),
    "SERVER_WRONG_SYSTEM": (
        Row(
            "server",
            "the request is for the system {requested:q}, and this is {actual:q}",
            "set name in the client's configuration to {actual}, or ask the servers of {requested}",
            {"requested": "system named in the request", "actual": "system of this server"},
        ),
    ),
    "SERVER_POOL_SCM_TOO_SMALL": (
        Row(
            "server",
            "the pool would have too little SCM: each target needs at least {per_target:iec}",
            "ask for a pool of {total:iec} or more, of which {scm:iec} SCM",
            {
                "per_target": "least SCM per target, bytes",
                "total": "least pool size, bytes",
                "scm": "least SCM of the pool, bytes",
            },
        ),
    ),
    "SERVER_POOL_NVME_TOO_SMALL": (
        Row(
            "server",
            "the pool would have too little NVMe: each target needs at least {per_target:iec}",
            "ask for a pool of {total:iec} or more, of which {nvme:iec} NVMe",
            {
                "per_target": "least NVMe per target, bytes",
                "total": "least pool size, bytes",
                "nvme": "least NVMe of the pool, bytes",
            },
        ),
    ),
    "SERVER_POOL_INVALID_RANKS": (
        Row(
            "server",
            "ranks that are unknown or not available: {ranks}",
            "choose ranks that 'dmg system query' shows as joined, and retry",
            {"ranks": "the ranks refused"},
        ),
    ),
    "SERVER_POOL_INVALID_NUM_RANKS": (
        Row(
            "server",
            "{requested} ranks were asked for, and {available} are available",
            "ask for at most {available} ranks, or bring more into the system",
            {"requested": "number asked for", "available": "number there are"},
        ),
    ),
    "SERVER_POOL_INVALID_SERVICE_REPS": (
        Row(
            "server",
            "a pool service has an odd number of replicas from 1 to {largest}",
            "ask for such a number, or leave the choice to the system",
            {"largest": "the largest number possible now"},
        ),
    ),
    "SERVER_POOL_DUPLICATE_LABEL": (
        Row(
            "server",
            "there is a pool labelled {label:q} already",
            "choose another label ('dmg pool list' shows those taken), and retry",
            {"label": "the label"},
        ),
    ),
    "SERVER_HARNESS_NOT_STARTED": (
        Row(
            "server",
            "this host's engines are not being run yet",
            "wait until daos_server has started, and retry; its log tells what it waits for",
        ),
    ),
    "SERVER_DATA_PLANE_NOT_STARTED": (
        Row(
            "server",
            "no engine of this host is started and answering",
            "wait for an engine to start, and retry; the logs of daos_server and the engines tell why none is up",
        ),
    ),
    "SERVER_INSTANCES_NOT_STOPPED": (
        Row(
            "server",
            "{action} is not possible while rank {rank} runs",
            "stop the rank with 'dmg system stop --ranks={rank}', and retry",
            {"action": "what was asked for", "rank": "the running rank"},
        ),
    ),
    "SERVER_CONFIG_INVALID_NET_DEV_CLASS": (
        Row(
            "serverconfig",
            "engine {engine} uses {interface:q}, a network device of class {device_class}, where the other engines "
            "use class {expected_class}",
            f"give all engines a fabric_iface of the same class in daos_server.yml, {_RESTART}",
            {
                "engine": "index of the engine",
                "interface": "its fabric_iface",
                "device_class": "class of its device",
                "expected_class": "class of the first engine's device",
            },
        ),
    ),
    "SERVER_VFIO_DISABLED": (
        Row(
            "server",
            "NVMe devices are configured and disable_vfio is set, and without VFIO only root can use them",
            f"remove disable_vfio from daos_server.yml, or run daos_server as root, {_RESTART}",
        ),
    ),
    "SERVER_POOL_NO_LABEL": (
        Row("server", "a pool needs a label", "name the pool: 'dmg pool create --size=... LABEL'"),
    ),
    "SERVER_INCOMPATIBLE_COMPONENTS": (
        Row(
            "server",
            "{server} and {other} do not work together",
            "bring both to compatible versions: same major and minor number, or agents at most two minor numbers apart",
            {"server": "component and version of this server", "other": "component and version of the peer"},
        ),
    ),
    "SERVER_NO_COMPATIBILITY_INSECURE": (
        Row(
            "server",
            "versions {server} and {other} differ, and without certificates only equal versions work together",
            "use certificates (allow_insecure: false), or install the same version everywhere",
            {"server": "version of this server", "other": "version of the peer"},
        ),
    ),
    "SERVER_POOL_HAS_CONTAINERS": (
        Row(
            "server",
            "there are containers in the pool, so it is not destroyed",
            "destroy the containers first, or add --recursive to destroy them together with the pool",
        ),
    ),
    "SERVER_POOL_MEM_RATIO_NO_ROLES": (
        Row(
            "server",
            "the request has options for metadata on SSD, which this system does not use",
            "leave out --mem-ratio, --meta-size and --data-size, or give bdev_roles to the servers' tiers and reformat",
        ),
    ),
    "SERVER_BAD_FAULT_DOMAIN_LABELS": (
        Row(
            "server",
            "server {address} names the levels of its fault domain {fault_domain} [{labels}], the system [{system}]",
            f"use the system's names in fault_path (or in what fault_cb prints) on that server, {_RESTART}",
            {
                "address": "control address of the joining server",
                "fault_domain": "its fault domain",
                "labels": "the labels of its levels",
                "system": "the labels the system uses",
            },
        ),
    ),
    "SERVER_JOIN_REPLACE_ENABLED_POOL_RANK": (
        Row(
            "server",
            "rank {rank} is still in use by pools {pools}, so it cannot be replaced",
            "take it out of each with 'dmg pool exclude POOL --ranks={rank}', wait for the rebuild, and run "
            "'dmg storage format --replace' again",
            {"rank": "the rank to be replaced", "pools": "UUIDs of the pools that have it enabled"},
        ),
    ),
    "SERVER_RANK_ADMIN_EXCLUDED": (
        Row(
            "server",
            "an administrator has excluded ranks {ranks}, and this command leaves such ranks alone",
            "name other ranks, or return these with 'dmg system clear-exclude --ranks={ranks}'",
            {"ranks": "the ranks refused"},
        ),
    ),
    "SERVER_TRANSPARENT_HUGEPAGE_ENABLED": (
        Row(
            "server",
            "transparent hugepages are enabled on this host, and engines need them off",
            "boot with the kernel parameter transparent_hugepage=never (or set allow_thp: true in daos_server.yml to "
            f"go on regardless), {_RESTART}",
        ),
    ),
    # -- server configuration ---------------------------------------------------------------------------------------
    "SERVER_CONFIG_UNKNOWN": (
        Row("serverconfig", "the server's configuration cannot be used, for no known reason", _REPORT),
    ),
    "SERVER_BAD_CONFIG": (
        Row(
            "serverconfig",
            "{problem}",
            "correct {path}; the files in utils/config/examples of the DAOS sources show working ones",
            {"problem": "what is wrong", "path": "the configuration file"},
        ),
    ),
    "SERVER_NO_CONFIG_PATH": (
        Row("serverconfig", "no configuration file is named", f"name it with -o FILE, {_RESTART}"),
    ),
    "SERVER_CONFIG_BAD_CONTROL_PORT": (
        Row(
            "serverconfig",
            "{port} is no port to listen on",
            f"set port (and the ports in mgmt_svc_replicas) in daos_server.yml to a number from 1 to 65535, {_RESTART}",
            {"port": "the value given"},
        ),
    ),
    "SERVER_CONFIG_BAD_TELEMETRY_PORT": (
        Row(
            "serverconfig",
            "{port} is no port to publish telemetry on",
            f"set telemetry_port in daos_server.yml to a number from 1 to 65535, or remove it, {_RESTART}",
            {"port": "the value given"},
        ),
    ),
    "SERVER_CONFIG_BAD_MGMT_SVC_REPLICAS": (
        Row(
            "serverconfig",
            "the list of management service replicas cannot be used: {problem}",
            "list each replica once under mgmt_svc_replicas in daos_server.yml, as a name that resolves or an address, "
            f"{_RESTART}",
            {"problem": "what is wrong with which entry"},
        ),
    ),
    "SERVER_CONFIG_EVEN_MGMT_SVC_REPLICAS": (
        Row(
            "serverconfig",
            "{count} management service replicas are configured; an even number survives no more losses than one fewer",
            f"list 1, 3, 5 or 7 hosts under mgmt_svc_replicas in daos_server.yml, {_RESTART}",
            {"count": "how many are listed"},
        ),
    ),
    "SERVER_CONFIG_BAD_PROVIDER": (
        Row(
            "serverconfig",
            "no network provider is set",
            f"set provider in daos_server.yml ('daos_server network scan' lists those of this host), {_RESTART}",
        ),
    ),
    "SERVER_CONFIG_NO_ENGINES": (
        Row("serverconfig", "no engine is configured", f"describe at least one under engines, {_RESTART}"),
    ),
    "SERVER_CONFIG_DUPLICATE_FABRIC": (
        Row(
            "serverconfig",
            "engines {first} and {second} have the same provider, fabric_iface and fabric_iface_port",
            f"give each engine its own interface, or its own port on it, {_RESTART}",
            {"first": "index of an engine", "second": "index of a later engine"},
        ),
    ),
    "SERVER_CONFIG_DUPLICATE_LOG_FILE": (
        Row(
            "serverconfig",
            "engines {first} and {second} have the same log_file",
            f"give each engine its own log_file, {_RESTART}",
            {"first": "index of an engine", "second": "index of a later engine"},
        ),
    ),
    "SERVER_CONFIG_DUPLICATE_SCM_MOUNT": (
        Row(
            "serverconfig",
            "engines {first} and {second} have the same scm_mount",
            f"give each engine its own scm_mount, {_RESTART}",
            {"first": "index of an engine", "second": "index of a later engine"},
        ),
    ),
    "SERVER_CONFIG_DUPLICATE_SCM_DEVICE_LIST": (
        Row(
            "serverconfig",
            "engines {first} and {second} have the same device in scm_list",
            f"give each engine its own device in scm_list, {_RESTART}",
            {"first": "index of an engine", "second": "index of a later engine"},
        ),
    ),
    "SERVER_CONFIG_OVERLAPPING_BDEV_DEVICE_LIST": (
        Row(
            "serverconfig",
            "engines {first} and {second} have devices in common in bdev_list",
            f"list each device under one engine only, {_RESTART}",
            {"first": "index of an engine", "second": "index of a later engine"},
        ),
    ),
    "SERVER_CONFIG_BDEV_COUNT_MISMATCH": (
        Row(
            "serverconfig",
            "engine {first} has {first_count} devices in bdev_list, engine {second} has {second_count}",
            f"give all engines the same number of devices, {_RESTART}",
            {
                "first": "index of an engine",
                "first_count": "devices of that engine",
                "second": "index of a later engine",
                "second_count": "devices of that engine",
            },
        ),
    ),
    "SERVER_CONFIG_TARGET_COUNT_MISMATCH": (
        Row(
            "serverconfig",
            "engine {first} has {first_count} targets, engine {second} has {second_count}",
            f"set targets to the same number on all engines, {_RESTART}",
            {
                "first": "index of an engine",
                "first_count": "targets of that engine",
                "second": "index of a later engine",
                "second_count": "targets of that engine",
            },
        ),
    ),
    "SERVER_CONFIG_HELPER_STREAM_COUNT_MISMATCH": (
        Row(
            "serverconfig",
            "engine {first} has {first_count} helper streams, engine {second} has {second_count}",
            f"set nr_xs_helpers to the same number on all engines, {_RESTART}",
            {
                "first": "index of an engine",
                "first_count": "helper streams of that engine",
                "second": "index of a later engine",
                "second_count": "helper streams of that engine",
            },
        ),
    ),
    "SERVER_CONFIG_FAULT_DOMAIN_INVALID": (
        Row(
            "serverconfig",
            "{fault_domain:q} is not a fault domain: {problem}",
            f"set fault_path (or let fault_cb print) something like /rack3/host7, {_RESTART}",
            {"fault_domain": "the text given", "problem": "what is wrong with it"},
        ),
    ),
    "SERVER_CONFIG_FAULT_CALLBACK_NOT_FOUND": (
        Row(
            "serverconfig",
            "the fault_cb program {path:q} does not exist",
            f"set fault_cb in daos_server.yml to an existing program, {_RESTART}",
            {"path": "path of the program"},
        ),
    ),
    "SERVER_CONFIG_FAULT_CALLBACK_INSECURE": (
        Row(
            "serverconfig",
            "somebody else could make daos_server run another program in place of fault_cb {path:q}",
            "keep the program itself (no symbolic link) in {directory}, without the setuid bit and writable by its "
            f"owner alone, {_RESTART}",
            {"path": "path of the program", "directory": "directory it must be in"},
        ),
    ),
    "SERVER_CONFIG_FAULT_CALLBACK_BAD_PERMS": (
        Row(
            "serverconfig",
            "the user running daos_server may not execute the fault_cb program {path:q}",
            f"let that user read and execute it, and search the directories above it, {_RESTART}",
            {"path": "path of the program"},
        ),
    ),
    "SERVER_CONFIG_FAULT_CALLBACK_FAILED": (
        Row(
            "serverconfig",
            "the fault_cb program {path:q} failed: {problem}",
            f"run it by hand and correct it, {_RESTART}",
            {"path": "path of the program", "problem": "how it ended"},
        ),
    ),
    "SERVER_CONFIG_BOTH_FAULT_PATH_AND_CB": (
        Row(
            "serverconfig",
            "fault_path and fault_cb are both set, and only one of them can name the fault domain",
            f"remove one of the two from daos_server.yml, {_RESTART}",
        ),
    ),
    "SERVER_CONFIG_FAULT_CALLBACK_EMPTY": (
        Row(
            "serverconfig",
            "the fault_cb program {path:q} printed nothing",
            f"let it print the host's fault domain, such as /rack3/host7, {_RESTART}",
            {"path": "path of the program"},
        ),
    ),
    "SERVER_CONFIG_FAULT_DOMAIN_TOO_MANY_LAYERS": (
        Row(
            "serverconfig",
            "the fault domain {fault_domain:q} has more than 2 levels",
            f"shorten it to at most two levels, such as /rack3/host7, {_RESTART}",
            {"fault_domain": "the fault domain given"},
        ),
    ),
    "SERVER_CONFIG_NR_HUGEPAGES_OUT_OF_RANGE": (
        Row(
            "serverconfig",
            "{count} hugepages cannot be allocated",
            f"set nr_hugepages to a number from 0 (automatic) to {{largest}}, {_RESTART}",
            {"count": "the number given", "largest": "the largest number possible"},
        ),
    ),
    "SERVER_CONFIG_HUGEPAGES_DISABLED_WITH_NVME_BDEVS": (
        Row(
            "serverconfig",
            "disable_hugepages is set, and the configured NVMe devices cannot be used without hugepages",
            f"remove disable_hugepages, or the tiers of class nvme, {_RESTART}",
        ),
    ),
    "SERVER_CONFIG_VMD_SETTING_DUPLICATE": (
        Row("serverconfig", "VMD is switched both on and off", f"keep disable_vmd alone, {_RESTART}"),
    ),
    "SERVER_CONFIG_ENGINE_NUMA_IMBALANCE": (
        Row(
            "serverconfig",
            "the engines are spread unevenly over NUMA nodes: {spread}",
            f"put as many engines on each node, or set allow_numa_imbalance: true, {_RESTART}",
            {"spread": "engines per node, as text"},
        ),
    ),
    "SERVER_CONFIG_CONTROL_METADATA_NO_PATH": (
        Row(
            "serverconfig",
            "control_metadata names a device and no path to mount it on",
            f"set control_metadata.path in daos_server.yml, {_RESTART}",
        ),
    ),
    "SERVER_CONFIG_RAMDISK_UNDER_MIN_MEM": (
        Row(
            "storage",
            "a RAM disk of {size:iec} is too small: an engine needs {smallest:iec}",
            f"set scm_size to {{smallest:iec}} or more, or remove it to use what memory there is, {_RESTART}",
            {"size": "configured size, bytes", "smallest": "least size, bytes"},
        ),
    ),
    "SERVER_CONFIG_RAMDISK_OVER_MAX_MEM": (
        Row(
            "serverconfig",
            "a RAM disk of {size:gib} is more than this host's memory allows, which is {largest:gib}",
            f"set scm_size between {{smallest:gib}} and {{largest:gib}}, or remove it to use what there is, {_RESTART}",
            {"size": "configured size, bytes", "smallest": "least size, bytes", "largest": "largest size, bytes"},
        ),
    ),
    "SERVER_CONFIG_SCM_DIFF_CLASS": (
        Row(
            "serverconfig",
            "engines {first} and {second} have SCM tiers of different class",
            f"give all engines an SCM tier of the same class, ram or dcpm, {_RESTART}",
            {"first": "index of an engine", "second": "index of a later engine"},
        ),
    ),
    "SERVER_CONFIG_ENGINE_BDEV_ROLES_MISMATCH": (
        Row(
            "serverconfig",
            "some engines have bdev_roles and others have none",
            f"give bdev_roles to the tiers of all engines, or of none, {_RESTART}",
        ),
    ),
    "SERVER_CONFIG_SYS_RSVD_ZERO": (
        Row(
            "serverconfig",
            "system_ram_reserved is {size}, which leaves the rest of the host without memory",
            f"set system_ram_reserved to a number of GiB above 0, or remove it for the default, {_RESTART}",
            {"size": "the number given"},
        ),
    ),
    "SERVER_CONFIG_ENABLE_HOTPLUG_DEPRECATED": (
        Row(
            "serverconfig",
            "enable_hotplug is no longer used, and disable_hotplug is set beside it",
            f"remove enable_hotplug from daos_server.yml and keep disable_hotplug, {_RESTART}",
        ),
    ),
    "SERVER_CONFIG_BDEV_EXCLUDE_CLASH": (
        Row(
            "serverconfig",
            "bdev_exclude forbids devices that engines use: {addresses}",
            f"remove them from bdev_exclude or from bdev_list, {_RESTART}",
            {"addresses": "the PCI addresses in both lists"},
        ),
    ),
    "SERVER_CONFIG_HUGEPAGES_DISABLED_WITH_NR_SET": (
        Row(
            "serverconfig",
            "disable_hugepages is set, and nr_hugepages asks for some",
            f"remove one of the two from daos_server.yml, {_RESTART}",
        ),
    ),
    "SERVER_CONFIG_SCM_HUGE_ENABLED": (
        Row(
            "serverconfig",
            "engines {first} and {second} have different scm_hugepages_disabled",
            f"give all engines the same setting, or none of them any, {_RESTART}",
            {"first": "index of an engine", "second": "index of a later engine"},
        ),
    ),
    "SERVER_CONFIG_BAD_CONTROL_INTERFACE": (
        Row(
            "serverconfig",
            "the control interface {interface:q} cannot be used: {problem}",
            f"set control_iface in daos_server.yml to a network interface of this host ('ip link'), {_RESTART}",
            {"interface": "the name given", "problem": "what is wrong with it"},
        ),
    ),
    "SERVER_CONFIG_CONTROL_INTERFACE_MISMATCH": (
        Row(
            "serverconfig",
            "this host's replica address is {replica}, and the control interface has the address {address}",
            f"set control_iface to the interface with the address that mgmt_svc_replicas names, {_RESTART}",
            {"address": "address of control_iface", "replica": "address of this host in mgmt_svc_replicas"},
        ),
    ),
    # -- SPDK -------------------------------------------------------------------------------------------------------
    "SPDK_UNKNOWN": (Row("spdk", "SPDK failed for no known reason", _REPORT),),
    "SPDK_CTRLR_NO_HEALTH": (
        Row(
            "spdk",
            "an NVMe device gave no health data",
            "check the device with the kernel's driver ('nvme smart-log'); if it gives none there, replace it",
        ),
    ),
    "SPDK_BINDING_RET_NULL": (
        Row(
            "spdk",
            "SPDK returned nothing: {problem}",
            "look in the helper's log (helper_log_file) for SPDK's own messages, and retry",
            {"problem": "what was asked for"},
        ),
    ),
    "SPDK_BINDING_FAILED": (
        Row(
            "spdk",
            "SPDK failed with {status}: {problem}",
            "look in the helper's log (helper_log_file) for SPDK's own messages, and retry",
            {"status": "number SPDK returned", "problem": "what was asked for, and the error's name"},
        ),
    ),
    "SPDK_INVALID_CONFIGURATION": (
        Row(
            "storage",
            "{path} cannot be read: {problem}",
            "delete {path} and restart daos_server, which writes it anew",
            {"path": "path of daos_nvme.conf", "problem": "what is wrong with it"},
        ),
    ),
    # -- security ---------------------------------------------------------------------------------------------------
    "SECURITY_UNKNOWN": (Row("security", "a security check failed for no known reason", _REPORT),),
    "SECURITY_MISSING_CERT_FILE": (
        Row(
            "security",
            "certificates are in use, and {path} does not exist",
            f"put the file there, or correct transport_config; {_CERTIFICATE_HELP}",
            {"path": "path of the certificate, key or authority"},
        ),
    ),
    "SECURITY_UNREADABLE_CERT_FILE": (
        Row(
            "security",
            "certificates are in use, and this user may not read {path}",
            f"make the user that runs this program its owner, or correct transport_config; {_CERTIFICATE_HELP}",
            {"path": "path of the certificate, key, authority or directory"},
        ),
    ),
    "SECURITY_INVALID_CERT": (
        Row(
            "security",
            "the certificate {path:q} is not valid: {why}",
            f"look at its dates ('openssl x509 -dates -in {{path}}') and this host's clock, and renew it; "
            f"{_CERTIFICATE_HELP}",
            {"path": "path of the certificate", "why": "what is wrong with it"},
        ),
        Row(
            "security",
            "a certificate in use between the two sides is not valid, or has expired",
            "look at the dates of both sides' certificates ('openssl x509 -dates') and at both clocks, and renew them; "
            f"{_CERTIFICATE_HELP}",
        ),
    ),
    # -- control metadata -------------------------------------------------------------------------------------------
    "CONTROL_METADATA_UNKNOWN": (
        Row("controlmetadata", "an operation on the control metadata failed for no known reason", _REPORT),
    ),
    "CONTROL_METADATA_BAD_FILESYSTEM": (
        Row(
            "controlmetadata",
            "the control metadata cannot be kept on {filesystem}",
            f"set control_metadata.path to a directory on a local file system mounted without nosuid, {_RESTART}",
            {"filesystem": "what is wrong with the file system, such as 'nfs' or 'ext4 mounted nosuid'"},
        ),
    ),
    # -- system checker ---------------------------------------------------------------------------------------------
    "SYSTEM_CHECKER_UNKNOWN": (Row("checker", "the system checker failed for no known reason", _REPORT),),
    "SYSTEM_CHECKER_INVALID_MEMBER_STATES": (
        Row(
            "checker",
            "ranks {members} are not in one of the states {states}",
            "run 'dmg check enable', or exclude those ranks with 'dmg system exclude', and retry",
            {"members": "ranks and their states", "states": "the states that are needed"},
        ),
        Row(
            "checker",
            "ranks {running_members} are not in one of the states {states}",
            "run 'dmg system stop' first, or exclude those ranks with 'dmg system exclude', and retry",
            {"running_members": "ranks that must be stopped, and their states", "states": "the states that are needed"},
        ),
    ),
    "SYSTEM_CHECKER_NOT_ENABLED": (
        Row("checker", "the system checker is not enabled", "run 'dmg check enable', and retry"),
    ),
    "SYSTEM_CHECKER_ENABLED": (
        Row(
            "checker",
            "the system is being checked, and takes no normal requests meanwhile",
            "wait until the check is done, run 'dmg check disable' and start the system, and retry",
        ),
    ),
}

_NEVER = "Nothing raises it; DAOS keeps the number."
_ANOTHER_HOST = "dmg and agents try other hosts by themselves before they tell of it."

# What is to be known of a code beyond its rows.
NOTES: Mapping[str, str] = {
    "UNKNOWN": "It stands for errors that have no number of their own.",
    "PRIVILEGED_HELPER_REQUEST_FAILED": "It stands for every error inside the helper that has no number of its own.",
    "STORAGE_UNKNOWN": _NEVER,
    "STORAGE_FILESYSTEM_ALREADY_MOUNTED": _NEVER,
    "STORAGE_DEVICE_ALREADY_MOUNTED": _NEVER,
    "STORAGE_DEVICE_WITH_FS_NO_MOUNTPOINT": "The engine does not start before that is mended.",
    "SCM_UNKNOWN": _NEVER,
    "SCM_PATH_ACCESS_DENIED": _NEVER,
    "SCM_DISCOVERY_FAILED": _NEVER,
    "BDEV_UNKNOWN": _NEVER,
    "SYSTEM_UNKNOWN": _NEVER,
    "SYSTEM_POOL_LOCKED": "Clients wait and ask again by themselves.",
    "CLIENT_UNKNOWN": _NEVER,
    "CLIENT_CONFIG_BAD_ACCESS_POINTS": _NEVER,
    "CLIENT_CONNECTION_REFUSED": _ANOTHER_HOST,
    "CLIENT_CONNECTION_CLOSED": _ANOTHER_HOST,
    "CLIENT_CONNECTION_TIMED_OUT": _ANOTHER_HOST,
    "SERVER_UNKNOWN": _NEVER,
    "SERVER_SCM_UNMANAGED": _NEVER,
    "SERVER_DATA_PLANE_NOT_STARTED": "Clients wait and ask again by themselves when it concerns a pool.",
    "SERVER_CONFIG_UNKNOWN": _NEVER,
    "SERVER_BAD_CONFIG": "It stands for every flaw of daos_server.yml that has no number of its own.",
    "SERVER_CONFIG_NO_ENGINES": _NEVER,
    "SERVER_CONFIG_BDEV_COUNT_MISMATCH": "It is only logged; the server starts all the same.",
    "SERVER_CONFIG_VMD_SETTING_DUPLICATE": _NEVER,
    "SERVER_CONFIG_ENGINE_BDEV_ROLES_MISMATCH": _NEVER,
    "SPDK_UNKNOWN": _NEVER,
    "SPDK_INVALID_CONFIGURATION": "The file is written anew when the server starts.",
    "SECURITY_UNKNOWN": _NEVER,
    "CONTROL_METADATA_UNKNOWN": _NEVER,
    "SYSTEM_CHECKER_UNKNOWN": _NEVER,
}
