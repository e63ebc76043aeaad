"""``daos_server scm`` and ``daos_server nvme``: what storage this host has. Preparing it comes later."""

from typing import TYPE_CHECKING, Any

from daos_control.base.errors import DaosControlError
from daos_control.cli.daos_server.edge import PROGRAM, Document, command, optional_configuration
from daos_control.cli.flags import Values

if TYPE_CHECKING:
    from daos_control.client.storage_records import NvmeController
    from daos_control.host.pmem import Namespace


class NotThereYetError(DaosControlError):
    """A command of DAOS that this release does not have yet; the text says how to do without."""


@command
def scm_scan(values: Values) -> Document | None:
    """List this host's persistent memory: the namespaces made of it."""
    from daos_control.base.units import format_si
    from daos_control.cli.ui.tables import table
    from daos_control.host import pmem

    optional_configuration(values)
    found = [one for one in pmem.namespaces() if values.socket in {None, one.numa_node}]
    if not found and (modules := pmem.modules()):
        raise NotThereYetError(
            f"this host has memory modules ({', '.join(modules)}) without namespaces, and this release cannot tell "
            "more about modules: run ipmctl show -dimm"
        )
    if not values.json:
        rows = [(one.blockdev, one.numa_node, format_si(one.size)) for one in found]
        print(table(["SCM Namespace", "Socket", "Capacity"], rows) if rows else "\tNo SCM modules found\n", end="")
    return [_namespace_document(one) for one in found] or None


def _namespace_document(one: "Namespace") -> dict[str, Any]:
    place = {"uuid": one.uuid, "blockdev": one.blockdev, "dev": one.name, "numa_node": one.numa_node}
    return {**place, "size": one.size, "mount": None}


@command
def scm_prepare(values: Values) -> None:
    """Refuse to make namespaces. Nobody is asked to agree to what will not be done."""
    if values.scm_ns_per_socket == 0:
        raise ValueError("--scm-ns-per-socket must be 1 or more")
    raise _later("scm prepare", "use ipmctl create -goal PersistentMemoryType=AppDirect, and ndctl create-namespace")


@command
def scm_reset(values: Values) -> None:
    """Refuse to remove namespaces."""
    raise _later("scm reset", "use ndctl destroy-namespace")


@command
def nvme_scan(values: Values) -> Document | None:
    """List the NVMe devices that the kernel drives."""
    from daos_control.cli.scans.storage_documents import controller_document
    from daos_control.cli.scans.storage_tables import controllers_table

    config = optional_configuration(values)
    if config is not None and config.disable_hugepages:
        from daos_control.base.fault_codes import FaultCode

        raise FaultCode.STORAGE_HUGEPAGES_DISABLED.fault()
    found = _controllers()
    if not values.json:
        print(controllers_table(found) if found else "\tNo NVMe devices found\n", end="")
        print("Devices that are bound to a driver of user space, as engines use them, are not listed.")
    return [controller_document(controller) for controller in found]


@command
def nvme_prepare(values: Values) -> None:
    """Refuse to bind devices."""
    raise _later("nvme prepare", "use setup.sh of SPDK, and sysctl vm.nr_hugepages")


@command
def nvme_reset(values: Values) -> None:
    """Refuse to give devices back to the kernel."""
    raise _later("nvme reset", "use setup.sh reset of SPDK")


def _later(name: str, instead: str) -> NotThereYetError:
    return NotThereYetError(f"{PROGRAM} {name} is not there yet; {instead} meanwhile")


def _controllers() -> "tuple[NvmeController, ...]":
    from daos_control.client.storage_records import NvmeController, NvmeNamespace
    from daos_control.host import nvme
    from daos_control.wire.pb.ctl.smd_pb2 import NORMAL

    return tuple(
        NvmeController(
            model=one.model,
            serial=one.serial,
            pci_addr=one.pci_address,
            fw_rev=one.firmware,
            socket_id=one.numa_node,
            namespaces=tuple(NvmeNamespace(id=number, size=size) for number, size in one.namespaces),
            dev_state=NORMAL,
        )
        for one in nvme.controllers()
    )
