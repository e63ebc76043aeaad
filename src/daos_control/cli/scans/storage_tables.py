"""A host's memory modules and SSDs, as tables."""

from daos_control.base.rankset import NIL_RANK
from daos_control.base.units import format_iec, format_si
from daos_control.cli.ui.tables import table
from daos_control.client.storage_records import NvmeController, ScmModule


def modules_table(modules: tuple[ScmModule, ...]) -> str:
    """Lay out memory modules."""
    titles = [
        "SCM Module",
        "Socket",
        "Memory Ctrlr",
        "Channel",
        "Channel Slot",
        "Capacity",
        "UID",
        "Part Number",
        "Health",
    ]
    rows = [
        (
            module.physical_id,
            module.socket_id,
            module.controller_id,
            module.channel_id,
            module.channel_position,
            format_iec(module.capacity),
            module.uid,
            module.part_number,
            module.health_state,
        )
        for module in sorted(modules, key=lambda module: module.physical_id)
    ]
    return table(titles, rows)


def controllers_table(controllers: tuple[NvmeController, ...]) -> str:
    """Lay out SSDs."""
    rows = []
    for ssd in sorted(controllers, key=lambda controller: controller.pci_addr):
        rank = ssd.smd_devices[0].rank if ssd.smd_devices else NIL_RANK
        shown = "None" if rank == NIL_RANK else rank
        rows.append(
            (ssd.pci_addr, ssd.model, ssd.fw_rev, ssd.socket_id, format_si(ssd.capacity_bytes), ssd.roles, shown)
        )
    return table(["NVMe PCI", "Model", "FW Revision", "Socket", "Capacity", "Role(s)", "Rank"], rows)
