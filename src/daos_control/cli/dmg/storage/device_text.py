"""A device of an engine, and the health of an SSD, as text."""

from datetime import UTC, datetime
from typing import Final

from daos_control.base.rankset import NIL_RANK
from daos_control.client.storage_records import DEVICE_STATES, LED_STATES, NvmeHealth, SmdDevice

WARNINGS: Final = {
    "Temperature": "temp_warn",
    "Available Spare": "avail_spare_warn",
    "Device Reliability": "dev_reliability_warn",
    "Read Only": "read_only_warn",
    "Volatile Memory Backup": "volatile_mem_warn",
}


def device_text(device: SmdDevice, *, led_only: bool) -> str:
    """Lay out a device: which it is, whose, and how it is."""
    address = f"TrAddr:{device.ctrlr.pci_addr}"
    if device.ctrlr_namespace_id:
        address += f" NSID:{device.ctrlr_namespace_id}"
    led = f"LED:{LED_STATES[device.ctrlr.led_state]}"
    if led_only:
        return f"{address} [UUID:{device.uuid}] {led}\n"
    system = "SysXS " if device.has_sys_xs else ""
    rank = "NilRank" if device.rank == NIL_RANK else device.rank
    text = (
        f"UUID:{device.uuid} [{address}]\n"
        f"  Roles:{device.roles} {system}Targets:[{' '.join(map(str, device.tgt_ids or ()))}] "
        f"Rank:{rank} State:{DEVICE_STATES[device.ctrlr.dev_state]} {led}\n"
    )
    if device.ctrlr.health_stats is not None:
        text += "".join(f"  {line}\n" for line in health_text(device.ctrlr.health_stats).splitlines()) + "\n"
    return text


def health_text(health: NvmeHealth) -> str:
    """Lay out the health of an SSD; what only some vendors report is shown if it is there."""
    lines = ["Health Stats:"]
    if health.timestamp:
        moment = datetime.fromtimestamp(health.timestamp, UTC).isoformat(timespec="milliseconds")
        lines.append(f"  Timestamp:{moment}")
    lines += [f"  {name}:{value}" for name, value in _counters(health)]
    lines.append("Critical Warnings:")
    lines += [f"  {name}: {'WARNING' if getattr(health, key) else 'OK'}" for name, key in WARNINGS.items()]
    if health.program_fail_cnt_norm:
        lines += ["Intel Vendor SMART Attributes:", *_vendor_lines(health)]
    if health.link_max_speed:
        lines += ["PCIe Link Info:", *_link_lines(health)]
    return "\n".join(lines) + "\n"


def _counters(health: NvmeHealth) -> list[tuple[str, object]]:
    counters: list[tuple[str, object]] = [("Temperature", f"{health.temperature}K({health.temperature - 273.15:.2f}C)")]
    if health.warn_temp_time:
        counters.append(("Temperature Warning Duration", _duration(health.warn_temp_time * 60)))
    if health.crit_temp_time:
        counters.append(("Temperature Critical Duration", _duration(health.crit_temp_time * 60)))
    return [
        *counters,
        ("Controller Busy Time", _duration(health.ctrl_busy_time * 60)),
        ("Power Cycles", health.power_cycles),
        ("Power On Duration", _duration(health.power_on_hours * 3600)),
        ("Unsafe Shutdowns", health.unsafe_shutdowns),
        ("Media Errors", health.media_errs),
        ("Read Errors", health.bio_read_errs),
        ("Write Errors", health.bio_write_errs),
        ("Unmap Errors", health.bio_unmap_errs),
        ("Checksum Errors", health.checksum_errs),
        ("Error Log Entries", health.err_log_entries),
    ]


def _vendor_lines(health: NvmeHealth) -> list[str]:
    wear = {
        "Normalized": f"{health.wear_leveling_cnt_norm}%",
        "Min": health.wear_leveling_cnt_min,
        "Max": health.wear_leveling_cnt_max,
        "Avg": health.wear_leveling_cnt_avg,
    }
    return [
        "  Program Fail Count:",
        f"     Normalized:{health.program_fail_cnt_norm}%",
        f"     Raw:{health.program_fail_cnt_raw}",
        "  Erase Fail Count:",
        f"     Normalized:{health.erase_fail_cnt_norm}%",
        f"     Raw:{health.erase_fail_cnt_raw}",
        "  Wear Leveling Count:",
        *(f"     {name}:{value}" for name, value in wear.items()),
        f"  End-to-End Error Detection Count:{health.endtoend_err_cnt_raw}",
        f"  CRC Error Count:{health.crc_err_cnt_raw}",
        f"  Timed Workload, Media Wear:{health.media_wear_raw}",
        f"  Timed Workload, Host Read/Write Ratio:{health.host_reads_raw}",
        f"  Timed Workload, Timer:{health.workload_timer_raw}",
        f"  Thermal Throttle Status:{health.thermal_throttle_status}%",
        f"  Thermal Throttle Event Count:{health.thermal_throttle_event_cnt}",
        f"  Retry Buffer Overflow Counter:{health.retry_buffer_overflow_cnt}",
        f"  PLL Lock Loss Count:{health.pll_lock_loss_cnt}",
        f"  NAND Bytes Written:{health.nand_bytes_written}",
        f"  Host Bytes Written:{health.host_bytes_written}",
    ]


def _link_lines(health: NvmeHealth) -> list[str]:
    return [
        f"  Port: #{health.link_port_id}",
        f"  Max Speed: {health.link_max_speed / 1e9:g} GT/s",
        f"  Negotiated Speed: {health.link_neg_speed / 1e9:g} GT/s",
        f"  Max Width: x{health.link_max_width}",
        f"  Negotiated Width: x{health.link_neg_width}",
    ]


def _duration(seconds: int) -> str:
    """Spell a duration.

    >>> _duration(5940), _duration(90), _duration(0)
    ('1h39m0s', '1m30s', '0s')
    """
    hours, minutes = divmod(seconds // 60, 60)
    text = f"{seconds % 60}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text
