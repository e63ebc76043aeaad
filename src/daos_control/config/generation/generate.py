"""The steps from hardware and wishes to a configuration."""

from typing import Final

from daos_control.base.fault_codes import FaultCode
from daos_control.config.generation import fabric, storage
from daos_control.config.generation.reasons import Decisions, reasons
from daos_control.config.generation.storage import Storage
from daos_control.config.generation.terms import CannotGenerate, Generated, Hardware, Wishes
from daos_control.config.generation.threads import threads_for
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.storage import ControlMetadata, Tier
from daos_control.config.system import CONTROL_PORT
from daos_control.config.validation import validated

FIRST_PORT: Final = 31416
PORT_STEP: Final = 1000
LOG_FOLDER: Final = "/var/log/daos"


def generate(wishes: Wishes, hardware: Hardware) -> Generated:
    """Work out the configuration. Raises CannotGenerate, or the Fault that the configuration would meet."""
    control_port = _control_port(wishes)
    if wishes.metadata_path and not wishes.tmpfs:
        raise CannotGenerate(
            "md-on-ssd mode is only supported with scm class ram: --control-metadata-path goes with --use-tmpfs-scm"
        )
    count = wishes.engines or hardware.numa_nodes
    found = storage.offered(hardware, wishes)
    if count < 1:
        raise CannotGenerate("zero numa nodes reported on hosts: say how many engines there should be (--num-engines)")
    found = storage.fit(found, count, wishes)
    best = fabric.best_interfaces(hardware.interfaces, wishes)
    if not best:
        raise CannotGenerate(fabric.none_suits(hardware.interfaces, wishes))
    choice = fabric.choose(found.nodes, count, best, found.ssd_counts)
    there = found.of(choice.nodes)
    used = storage.evened(there)
    decisions = Decisions(
        wishes=wishes,
        hardware=hardware,
        choice=choice,
        unfit=(*found.unfit, *fabric.unreached(found.nodes, best, wishes)),
        there=there,
        used=used,
        ports=_fabric_ports(wishes, count),
        threads=threads_for(hardware.cores_per_node, len(used.ssds[choice.nodes[0]])),
    )
    config = _server(decisions, control_port)
    return Generated(config=config, reasons=reasons(decisions, config))


def _control_port(wishes: Wishes) -> int:
    """Return the port that all replicas name, or DAOS's own if none does."""
    if not wishes.replicas:
        raise CannotGenerate("no MS replicas specified: name hosts of the management service (--ms-replicas)")
    ports = {replica.rpartition(":")[2] if ":" in replica else "" for replica in wishes.replicas}
    if len(ports) > 1:
        raise CannotGenerate(
            f"MS replica port numbers do not match in {', '.join(wishes.replicas)}: a server has one control port"
        )
    (port,) = ports
    if port and not (port.isascii() and port.isdigit()):
        raise FaultCode.SERVER_CONFIG_BAD_CONTROL_PORT.fault(port=repr(port))
    return int(port) if port else CONTROL_PORT


def _fabric_ports(wishes: Wishes, count: int) -> tuple[int, ...]:
    ports = wishes.fabric_ports or tuple(FIRST_PORT + index * PORT_STEP for index in range(count))
    if len(ports) < count:
        raise CannotGenerate(
            f"insufficient fabric ports for nr engines, want {count} got {len(ports)} (--fabric-ports)"
        )
    return ports[:count]


def _server(decisions: Decisions, control_port: int) -> ServerConfig:
    choice, wishes = decisions.choice, decisions.wishes
    engines = tuple(_engine(index, node, decisions) for index, node in enumerate(choice.nodes))
    return validated(
        ServerConfig(
            port=control_port,
            engines=engines,
            provider=choice.provider,
            mgmt_svc_replicas=wishes.replicas,
            control_log_file=f"{LOG_FOLDER}/daos_server.log",
            control_metadata=ControlMetadata(path=wishes.metadata_path if engines[0].md_on_ssd else ""),
        )
    )


def _engine(index: int, node: int, decisions: Decisions) -> EngineConfig:
    choice, threads = decisions.choice, decisions.threads
    return EngineConfig(
        targets=threads.targets,
        nr_xs_helpers=threads.helpers,
        log_file=f"{LOG_FOLDER}/daos_engine.{index}.log",
        storage=_tiers(node, decisions.used, with_metadata=bool(decisions.wishes.metadata_path)),
        provider=choice.provider,
        fabric_iface=choice.interfaces[node].name,
        fabric_iface_port=decisions.ports[index],
        pinned_numa_node=node,
    )


def _tiers(node: int, used: Storage, *, with_metadata: bool) -> tuple[Tier, ...]:
    memory = Tier(storage_class=used.scm_class, scm_mount=f"/mnt/daos{node}", scm_list=used.scm[node][:1])
    return (memory, *storage.ssd_tiers(storage.named(used.ssds[node]), with_metadata=with_metadata))
