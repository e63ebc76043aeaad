"""All checks of an agent, in the order in which they are read."""

from collections.abc import Iterator

from daos_control.apps.agent.doctor.facts import AgentFacts, System
from daos_control.apps.agent.fabric import Chooser, NoFabric
from daos_control.apps.agent.main import name_filter, static_fabric
from daos_control.apps.agent.scan import devices
from daos_control.apps.doctor.checks import certificates, clock, configuration, limits, places, ports
from daos_control.apps.doctor.checks.ports import Wanted
from daos_control.apps.doctor.finding import Finding, Topic, as_seen_by_a_stranger
from daos_control.apps.doctor.view import View
from daos_control.base.errors import DaosControlError, EmptyGroupMap
from daos_control.base.fault_codes import FaultCode
from daos_control.base.version import DAOS_VERSION
from daos_control.client.errors import ManagementServiceUnreachable
from daos_control.config.agent import AgentConfig
from daos_control.security.certificates import CertificateError

SYSTEM = Topic("system")
NETWORK = Topic("network")
APPLICATIONS = Topic("applications")
LEFTOVERS = Topic("leftovers")

CERTIFICATE_FAULTS = {
    FaultCode.SECURITY_MISSING_CERT_FILE,
    FaultCode.SECURITY_UNREADABLE_CERT_FILE,
    FaultCode.SECURITY_INVALID_CERT,
}
ENOUGH_FILES = 16384
USUAL_RUNTIME_DIR = "/var/run/daos_agent"
OVERRIDES = ("D_PROVIDER", "D_INTERFACE", "D_DOMAIN", "CRT_PHY_ADDR_STR", "OFI_INTERFACE", "OFI_DOMAIN")
"""Variables by which applications choose a network themselves, against what the agent tells them."""


def examine(facts: AgentFacts) -> Iterator[Finding]:
    """Judge what was seen."""
    operator = facts.view.operator(facts.view.serving("daos_agent", facts.path))
    for finding in _findings(facts):
        yield as_seen_by_a_stranger(finding, operator, "daos_agent")


def _findings(facts: AgentFacts) -> Iterator[Finding]:
    config = facts.config
    if config is None:
        yield configuration.unreadable(facts.problem)
    else:
        yield configuration.TOPIC.ok("file", f"{facts.path} is read: system {config.name}")
        yield from _check_access_points(facts)
        yield from _check_system(facts, config)
        yield from _check_network(facts, config)
        yield from _check_port(facts.view, config)
    yield from clock.check(facts.view)
    if facts.certificates is not None:
        yield from certificates.check(facts.certificates, facts.view.now)
    if facts.runtime is not None:
        yield from places.check_socket_folder(facts.view, facts.runtime)
        yield from places.check_logs(facts.view, facts.logs)
    yield from limits.check_open_files(facts.view, ENOUGH_FILES)
    if config is not None:
        yield from _check_environment(facts, config)
        yield from _check_leftovers(facts)


# -- the system --------------------------------------------------------------------------------------------------------


def _check_access_points(facts: AgentFacts) -> Iterator[Finding]:
    """One that answers is enough, but those that do not are worth knowing."""
    some = any(not one.problem for one in facts.access_points)
    for one in facts.access_points:
        if not one.problem:
            yield SYSTEM.ok("access point", f"{one.address} takes connections")
            continue
        found = f"{one.address}: {one.problem}"
        remedy = "see whether its daos_server runs, look at firewalls between, or correct access_points and port"
        if not one.is_named:
            remedy = f"add {one.address.rpartition(':')[0]} to DNS or /etc/hosts, or correct access_points"
        yield SYSTEM.warning("access point", found, remedy) if some else SYSTEM.problem("access point", found, remedy)


def _check_system(facts: AgentFacts, config: AgentConfig) -> Iterator[Finding]:
    system, problem = facts.system, facts.system_problem
    if system is not None:
        yield SYSTEM.ok(
            "answer", f"system {system.name}, {system.ranks} ranks over {system.provider}, DAOS {system.version}"
        )
        if system.version.split(".")[:2] != DAOS_VERSION.split(".")[:2]:
            yield SYSTEM.warning(
                "version",
                f"the servers are of DAOS {system.version}, this agent of {DAOS_VERSION}",
                "it works up to two minor releases apart; install one release of both when you can",
            )
    elif isinstance(problem, EmptyGroupMap):
        yield SYSTEM.problem("answer", str(problem), "let engines join first: dmg system query")
    elif isinstance(problem, ManagementServiceUnreachable) and not any(not one.problem for one in facts.access_points):
        yield SYSTEM.unknown("answer", "nobody takes connections, see above", "look again when one does")
    elif isinstance(problem, CertificateError) or getattr(problem, "code", 0) in CERTIFICATE_FAULTS:
        yield SYSTEM.unknown("answer", "it cannot be asked without certificates, see below", "look again with them")
    elif problem is not None:
        yield SYSTEM.raised("answer", problem, remedy=_remedy(problem, config))


def _remedy(problem: DaosControlError, config: AgentConfig) -> str:
    resolution = str(getattr(problem, "resolution", ""))
    secure = "without" if config.transport_config.allow_insecure else "with"
    return resolution or f"see the server's log; this agent asks {secure} certificates, and servers have to do the same"


# -- the network of this node ------------------------------------------------------------------------------------------


def _check_network(facts: AgentFacts, config: AgentConfig) -> Iterator[Finding]:
    known = {interface.name for interface in facts.interfaces}
    named = [device.iface for group in config.fabric_ifaces for device in group.devices]
    for name in [*named, *config.include_fabric_ifaces]:
        if name not in known:
            remedy = f"correct its name; there are {', '.join(sorted(known))}"
            yield NETWORK.problem("interfaces", f"{name} is configured, and does not exist", remedy)
    if facts.system is None:
        yield NETWORK.unknown("choice", "what the servers speak is not known", "look again when the system answers")
        return
    yield from _check_choice(facts, config, facts.system)


def _check_choice(facts: AgentFacts, config: AgentConfig, system: System) -> Iterator[Finding]:
    """Choose as the agent would, for an application on each NUMA node."""
    static = static_fabric(config)
    fabric = static if static.nodes else devices(facts.fabric, system.provider).of_class(system.device_class)
    chooser = Chooser(fabric, names=name_filter(config), has_address=facts.addressed.__contains__)
    for node in facts.numa_nodes:
        try:
            device = chooser.choose(numa_node=node, dev_class=system.device_class, provider=system.provider)
        except NoFabric as error:
            yield NETWORK.problem(
                f"NUMA node {node}",
                str(error),
                "bring up an interface of that kind, or list one in fabric_ifaces; see: daos_agent net-scan",
            )
        else:
            yield NETWORK.ok(f"NUMA node {node}", f"applications are told {device.interface}, domain {device.domain}")


def _check_port(view: View, config: AgentConfig) -> Iterator[Finding]:
    """Look at the one port that an agent listens on; without it, an agent that is to have one does not start."""
    if not config.telemetry_port:
        yield ports.TOPIC.not_applicable("telemetry", "telemetry_port is not set: no metrics of applications")
        return
    wanted = Wanted(what="telemetry", key="telemetry_port", address="0.0.0.0", port=config.telemetry_port)
    yield from ports.check(view, (wanted,), {one.pid for one in view.others("daos_agent")})


# -- applications ------------------------------------------------------------------------------------------------------


def _check_environment(facts: AgentFacts, config: AgentConfig) -> Iterator[Finding]:
    """What applications started from here would find."""
    asked = facts.environment.get("DAOS_AGENT_DRPC_DIR", USUAL_RUNTIME_DIR)
    if asked.rstrip("/") == config.runtime_dir.rstrip("/"):
        yield APPLICATIONS.ok("socket", f"they look for the agent in {asked}, where it is")
    else:
        yield APPLICATIONS.warning(
            "socket",
            f"started from here, they look for the agent in {asked}, and it will be in {config.runtime_dir}",
            f"export DAOS_AGENT_DRPC_DIR={config.runtime_dir} where they are started",
        )
    if chosen := [name for name in OVERRIDES if name in facts.environment]:
        yield APPLICATIONS.warning(
            "environment",
            f"{', '.join(chosen)} set here: applications use that, whatever the agent tells them",
            f"unset {' '.join(chosen)}",
        )
    else:
        yield APPLICATIONS.ok("environment", "nothing set here overrides what the agent tells them")


def _check_leftovers(facts: AgentFacts) -> Iterator[Finding]:
    others = facts.view.others("daos_agent")
    pids = ", ".join(str(one.pid) for one in others)
    place = facts.socket
    if place is not None and str(place.path) in facts.view.bound_paths:
        if ours := facts.view.serving("daos_agent", facts.path):
            pids = str(ours.pid)
        doubt = "one of " if "," in pids else ""
        yield LEFTOVERS.ok("agent", f"an agent serves {place.path} already" + (f" ({doubt}pid {pids})" if pids else ""))
        return
    if others:
        yield LEFTOVERS.warning(
            "agent", f"other agents run on this node (pid {pids})", "stop them, unless they serve other systems"
        )
    else:
        yield LEFTOVERS.ok("agent", "none runs")
    if place is not None and place.exists:
        yield LEFTOVERS.ok("socket", f"nobody listens on {place.path}; the next start replaces it")
