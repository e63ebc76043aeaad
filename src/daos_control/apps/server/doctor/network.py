"""Interfaces of engines, names of replicas, and whom they lead to."""

from collections import Counter
from collections.abc import Iterator

from daos_control.apps.doctor.checks.ports import Wanted
from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.server import addresses
from daos_control.apps.server.doctor.facts import Resolution, ServerFacts
from daos_control.apps.server.fabric import check_usable, one_device_class, way_of
from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.config.preparation import with_one_provider
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.host.network import LOOPBACK, Readiness

TOPIC = Topic("network")
NAMES = Topic("names")


def check_interfaces(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    """Each engine's interface must be up and speak the provider."""
    if not config.engines:
        yield TOPIC.not_applicable("interfaces", "there are no engines")
    config = with_one_provider(config)
    for index, engine in enumerate(config.engines):
        yield from _check_interface(facts, f"engine {index}", engine)
    try:
        one_device_class(config, facts.hardware.fabric)
    except Fault as fault:
        yield TOPIC.raised("kind of interface", fault)


def _check_interface(facts: ServerFacts, check: str, engine: EngineConfig) -> Iterator[Finding]:
    name = engine.fabric_iface
    found = {interface.name: interface for interface in facts.hardware.interfaces}
    state = facts.hardware.readiness.get(name, Readiness.UNKNOWN)
    try:
        check_usable(name, state, sorted(found))
        if state is Readiness.NOT_READY:
            yield TOPIC.warning(check, f"{name} is coming up", "the server waits until it is ready")
            return
        way = way_of(facts.hardware.fabric, name, engine.provider)
    except DaosControlError as error:
        problem = getattr(error, "problems", (error,))[0]
        yield TOPIC.raised(check, DaosControlError(getattr(problem, "text", str(problem))))
        return
    pinned = engine.pinned_numa_node
    near = found[name].numa_node
    yield TOPIC.ok(check, f"{name} is up and speaks {way.provider} (domain {way.domain}, NUMA node {near})")
    if pinned is not None and pinned != near:
        yield TOPIC.warning(
            f"{check} NUMA",
            f"pinned_numa_node is {pinned}, and {name} is near {near}: traffic crosses between nodes",
            "remove pinned_numa_node, or choose an interface near that node",
        )
    if found[name].device_class == LOOPBACK:
        yield TOPIC.warning(
            f"{check} reach",
            f"{name} is the loopback interface: only this host can use the engine",
            "with more than one host, set fabric_iface to an interface of the network",
        )


def wanted_ports(config: ServerConfig, control_address: str = "") -> Iterator[Wanted]:
    """Return what will be listened on."""
    yield Wanted(what="control", key="port", address=control_address or addresses.ANYWHERE, port=config.port)
    if config.telemetry_port:
        yield Wanted(what="telemetry", key="telemetry_port", address=addresses.ANYWHERE, port=config.telemetry_port)
    for index, engine in enumerate(config.engines):
        port = engine.fabric_iface_port
        yield Wanted(what=f"engine {index}", key="fabric_iface_port", address=addresses.ANYWHERE, port=port)


def check_names(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    """The host's own name, and the replicas' names."""
    if facts.own_name_problem:
        yield NAMES.warning(
            "own name",
            f"{facts.view.hostname} stands for no address: {facts.own_name_problem}",
            "add it to DNS or to /etc/hosts: other hosts may know this one by its name",
        )
    else:
        yield NAMES.ok("own name", f"{facts.view.hostname} stands for an address")
    for one in facts.resolutions:
        if one.problem:
            host = one.replica.rpartition(":")[0]
            fault = FaultCode.SERVER_CONFIG_BAD_MGMT_SVC_REPLICAS.fault(problem=f"cannot resolve {host}: {one.problem}")
            remedy = f"add {host} to DNS or /etc/hosts, or write its address in mgmt_svc_replicas"
            yield NAMES.raised("replica", fault, remedy)
    yield from _check_doubles(facts.resolutions)
    if not any(one.problem for one in facts.resolutions):
        yield from _check_place(facts, config)
    for one in facts.resolutions:
        if one.answers:
            yield NAMES.warning(
                "replica",
                f"{one.replica} ({one.address}) does not take connections: {one.answers}",
                "fine if its server is stopped; else see to the network and firewalls between",
            )
        elif one.answers == "" and not one.problem:
            yield NAMES.ok("replica", f"{one.replica} takes connections")


def _check_doubles(resolutions: tuple[Resolution, ...]) -> Iterator[Finding]:
    ends = Counter((one.address, one.replica.rpartition(":")[2]) for one in resolutions if one.address)
    for (address, port), count in ends.items():
        if count > 1:
            names = ", ".join(one.replica for one in resolutions if one.address == address)
            yield NAMES.problem(
                "replica",
                f"{names} are all {address}:{port}: one server, counted {count} times",
                "list each replica once",
            )


def _check_place(facts: ServerFacts, config: ServerConfig) -> Iterator[Finding]:
    """Tell which replica this host is, by the server's own rule."""
    known = {one.replica.rpartition(":")[0].strip("[]"): one.address for one in facts.resolutions}
    local = {one.address for one in facts.resolutions if one.is_local}
    try:
        settled = addresses.settle(
            replicas=config.mgmt_svc_replicas,
            port=config.port,
            control_address=facts.control_address,
            control_iface=config.control_iface,
            resolve=lambda host: known[host],
            is_local=local.__contains__,
        )
    except Fault as fault:
        yield NAMES.raised("this host", fault)
        return
    if settled.replica is None:
        yield NAMES.ok("this host", f"is no replica of the management service; those are {', '.join(settled.replicas)}")
        return
    try:
        addresses.refuse_several_replicas(settled)
    except addresses.SeveralReplicasError as error:
        yield NAMES.problem("replicas", error.found, error.remedy)
        return
    yield NAMES.ok("this host", f"is replica {settled.replica}, the only one")
    if settled.replica.startswith(("127.", "[::1]")):
        yield NAMES.warning(
            "reach",
            f"{settled.replica} is a loopback address: servers and agents of other hosts cannot reach it",
            "with more than one host, write a name or address of the network in mgmt_svc_replicas",
        )
