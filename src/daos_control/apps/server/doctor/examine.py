"""All checks of a server, in the order in which they are read."""

from collections.abc import Iterator

from daos_control.apps.doctor.checks import certificates, clock, limits, places, ports
from daos_control.apps.doctor.finding import Finding, as_seen_by_a_stranger
from daos_control.apps.doctor.view import View
from daos_control.apps.server.doctor import configuration, devices, memory, network, programs, storage
from daos_control.apps.server.doctor.facts import ServerFacts
from daos_control.base.errors import DaosControlError
from daos_control.config.preparation import with_numa_nodes
from daos_control.config.server import ServerConfig
from daos_control.config.validation import validated

ENOUGH_FILES = 65536


def examine(facts: ServerFacts) -> Iterator[Finding]:
    """Judge what was seen; without a configuration, the little that does not depend on one."""
    for finding in _findings(facts):
        yield as_seen_by_a_stranger(finding, facts.operator, "daos_server")


def _findings(facts: ServerFacts) -> Iterator[Finding]:
    yield from configuration.check(facts)
    config = facts.config and _validated(facts.config)
    if config:
        nodes = {interface.name: interface.numa_node for interface in facts.hardware.interfaces}
        yield from memory.check(facts, with_numa_nodes(config, nodes))
        yield from network.check_interfaces(facts, config)
        yield from network.check_names(facts, config)
        yield from ports.check(facts.view, tuple(network.wanted_ports(config, facts.control_address)), facts.ours)
    yield from clock.check(facts.view)
    if facts.certificates is not None:
        yield from certificates.check(facts.certificates, facts.view.now)
    if facts.config is not None:
        yield from programs.check(facts.programs, facts.view, facts.config, is_running=bool(facts.engine_pids))
    if facts.socket_folder is not None:
        yield from places.check_socket_folder(facts.view, facts.socket_folder)
        yield from places.check_logs(facts.view, facts.logs)
    yield from limits.check_open_files(facts.view, ENOUGH_FILES)
    if config:
        yield from _locked_memory(facts.view, config)
        yield from devices.check(facts, config)
        yield from storage.check_disks(facts, config)
        yield from storage.check_store(facts)
        yield from storage.check_leftovers(facts, config)


def _validated(config: ServerConfig) -> ServerConfig | None:
    """Complete the configuration; that it cannot be is told by the first check, and what follows rests on it."""
    try:
        return validated(config) if config.provider else None
    except DaosControlError:
        return None


def _locked_memory(view: View, config: ServerConfig) -> Iterator[Finding]:
    rdma = any(word in config.provider for word in ("verbs", "cxi", "ucx"))
    nvme = any(engine.nvme_devices for engine in config.engines)
    why = "the provider has the network card read and write memory" if rdma else "NVMe devices read and write memory"
    needed = rdma or nvme
    return limits.check_locked_memory(view, needed=needed, why=why if needed else "TCP, and no NVMe devices")
