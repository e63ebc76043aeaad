"""Why a generated configuration is as it is, value by value, and what was passed over."""

from collections.abc import Iterator
from dataclasses import dataclass

from daos_control.config.generation.fabric import Choice, class_word, in_words, suits
from daos_control.config.generation.storage import Storage, named
from daos_control.config.generation.terms import NET_CLASSES, Hardware, Interface, Reason, Wishes
from daos_control.config.generation.threads import Threads
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.storage import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What was decided, and from what."""

    wishes: Wishes
    hardware: Hardware
    choice: Choice
    unfit: tuple[str, ...]
    """NUMA nodes that will not do, and why."""
    there: Storage
    """What there is on the chosen nodes."""
    used: Storage
    """What of it is used."""
    ports: tuple[int, ...]
    threads: Threads


def reasons(decisions: Decisions, config: ServerConfig) -> tuple[Reason, ...]:
    """Give the reasons in the order of the document."""
    found = list(_of_the_server(decisions, config))
    for index, engine in enumerate(config.engines):
        found += _of_an_engine(index, engine, decisions)
    return tuple(found)


def _of_the_server(decisions: Decisions, config: ServerConfig) -> Iterator[Reason]:
    wishes, choice, hardware = decisions.wishes, decisions.choice, decisions.hardware
    count = len(choice.nodes)
    asked = "asked for with --num-engines" if wishes.engines else f"one for each of {hardware.numa_nodes} NUMA nodes"
    yield Reason(
        place=("engines",),
        because=f"{count} engine{'s' if count > 1 else ''}, {asked}: on {in_words(choice.nodes)}",
        passed_over=(*decisions.unfit, *choice.other_nodes, *hardware.left_alone),
    )
    yield Reason(
        place=("provider",),
        because=_provider_because(decisions),
        passed_over=choice.other_providers,
    )
    yield Reason(place=("mgmt_svc_replicas",), because=_replicas_because(wishes.replicas))
    if any(":" in replica for replica in wishes.replicas):
        yield Reason(place=("port",), because="the port of the replicas")
    if config.control_metadata.path:
        yield Reason(
            place=("control_metadata",),
            because="asked for with --control-metadata-path: metadata is kept on SSDs, and RAM is a cache of it",
        )


def _replicas_because(replicas: tuple[str, ...]) -> str:
    if replicas == Wishes().replicas:
        return "localhost is every host to itself: on several hosts, name those that all of them know (--ms-replicas)"
    if len(replicas) == 1:
        return "asked for with --ms-replicas; one alone cannot be replaced if it fails"
    return "asked for with --ms-replicas, for DAOS's own servers: ours refuses to be one of several"


def _provider_because(decisions: Decisions) -> str:
    choice, wishes = decisions.choice, decisions.wishes
    if wishes.provider:
        return f"asked for with --net-provider; it has {wishes.net_class} interfaces on {in_words(choice.nodes)}"
    return (
        f"best on {in_words(choice.nodes)}: of the providers with {wishes.net_class} interfaces there, the priorities "
        f"of its interfaces add up to the least, {choice.score} (0 is best)"
    )


def _of_an_engine(index: int, engine: EngineConfig, decisions: Decisions) -> Iterator[Reason]:
    choice, threads = decisions.choice, decisions.threads
    node = choice.nodes[index]
    if index == 0:
        alike = "; the same on every engine" if len(choice.nodes) > 1 else ""
        yield Reason(place=("engines", index, "targets"), because=threads.targets_because + alike)
        yield Reason(place=("engines", index, "nr_xs_helpers"), because=threads.helpers_because)
    yield from _of_storage(index, engine, decisions)
    yield Reason(
        place=("engines", index, "fabric_iface"),
        because=_interface_because(choice.interfaces[node]),
        passed_over=tuple(_other_interfaces(choice.interfaces[node], decisions)),
    )
    yield Reason(
        place=("engines", index, "fabric_iface_port"),
        because="asked for with --fabric-ports" if decisions.wishes.fabric_ports else _port_because(index),
    )
    yield Reason(place=("engines", index, "pinned_numa_node"), because="where its interface and its storage are")


def _port_because(index: int) -> str:
    return "DAOS's usual first port" if index == 0 else "1000 above the port of the engine before"


def _of_storage(index: int, engine: EngineConfig, decisions: Decisions) -> Iterator[Reason]:
    node = decisions.choice.nodes[index]
    memory: tuple[str | int, ...] = ("engines", index, "storage", 0)
    if engine.scm.storage_class == "ram":
        yield Reason(place=memory, because="RAM, asked for with --use-tmpfs-scm; its size is worked out at start")
    else:
        yield Reason(
            place=(*memory, "scm_list"),
            because=f"persistent memory of NUMA node {node}, the first by name: an engine has one device",
            passed_over=decisions.there.scm[node][1:],
        )
    used, there = decisions.used.ssds[node], decisions.there.ssds[node]
    if not used and index == 0 and decisions.wishes.scm_only:
        unused = ", ".join(str(ssd.address) for ssd in sorted(decisions.hardware.ssds, key=lambda ssd: ssd.address))
        yield Reason(
            place=("engines", index, "storage"),
            because="no SSDs, asked for with --scm-only",
            passed_over=(unused,) if unused else (),
        )
    for number, tier in enumerate(engine.storage[1:], 1):
        yield Reason(
            place=("engines", index, "storage", number),
            because=_tier_because(tier, node, len(named(used))),
            passed_over=_left_over(there, used) if number == len(engine.storage) - 1 else (),
        )


def _tier_because(tier: Tier, node: int, ssds: int) -> str:
    count = len(tier.bdev_list)
    words = {"wal": "the log", "meta": "metadata", "data": "data"}
    purpose = " and ".join(", ".join(words[role] for role in words if role in tier.bdev_roles).rsplit(", ", 1))
    whose = f"{count} of the {ssds} SSDs" if count < ssds else "the SSDs" if ssds > 1 else "the SSD"
    return f"{whose} of NUMA node {node}" + (f", for {purpose}" if purpose else "")


def _left_over(there: tuple[object, ...], used: tuple[object, ...]) -> tuple[str, ...]:
    dropped = [str(address) for address in there if address not in used]
    if not dropped:
        return ()
    return (f"{', '.join(dropped)}: every engine gets {len(used)}, as many as the one with the fewest",)


def _interface_because(interface: Interface) -> str:
    return (
        f"{interface.provider} over {interface.name}, NUMA node {interface.numa_node}, "
        f"{class_word(interface.net_class)}, priority {interface.priority}"
    )


def _other_interfaces(chosen: Interface, decisions: Decisions) -> Iterator[str]:
    """Say of the other interfaces of the node why they were passed over."""
    told = {chosen.name}
    for one in sorted(decisions.hardware.interfaces, key=lambda interface: interface.priority):
        if one.numa_node != chosen.numa_node or one.name in told:
            continue
        alternatives = [
            other
            for other in decisions.hardware.interfaces
            if other.name == one.name and other.numa_node == one.numa_node
        ]
        told.add(one.name)
        yield f"{one.name}: {_why_not(alternatives, chosen, decisions.wishes)}"


def _why_not(alternatives: list[Interface], chosen: Interface, wishes: Wishes) -> str:
    if all(one.net_class != NET_CLASSES[wishes.net_class] for one in alternatives):
        return f"{class_word(alternatives[0].net_class)}, not {wishes.net_class} (--net-class)"
    if not any(suits(one, wishes) and one.provider == chosen.provider for one in alternatives):
        return f"does not do {chosen.provider}, only {', '.join(sorted({one.provider for one in alternatives}))}"
    (same, *_) = (one for one in alternatives if one.provider == chosen.provider)
    if same.priority > chosen.priority:
        return f"priority {same.priority}"
    return f"as good as {chosen.name}, and later in the scan"
