"""What the doctor of an agent makes of a node: facts in, findings out."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daos_control.apps.agent.doctor.examine import examine
from daos_control.apps.agent.doctor.facts import AccessPoint, AgentFacts, System
from daos_control.apps.agent.doctor.look import gather
from daos_control.apps.doctor.finding import Finding, Verdict
from daos_control.apps.doctor.view import View
from daos_control.base.errors import EmptyGroupMap
from daos_control.base.fault_codes import FaultCode
from daos_control.client.errors import ManagementServiceUnreachable
from daos_control.config.agent import AgentConfig, FabricDevice, NumaFabric
from daos_control.config.document import ConfigError
from daos_control.host.clock import KernelClock
from daos_control.host.network import ETHERNET, NetInterface, fabric_interfaces
from daos_control.host.places import Place
from daos_control.host.processes import Process
from daos_control.host.sockets import Listener

OK, WARNING, PROBLEM, NOT_APPLICABLE, UNKNOWN = Verdict
ETH0 = (NetInterface(name="eth0", device_class=ETHERNET),)
SYSTEM = System(name="daos_server", version="2.8.0", ranks=4, provider="ofi+tcp", device_class=ETHERNET)
RIGHT = KernelClock(is_synchronised=True, most_error_s=0.01)
VIEW = View(
    now=datetime(2026, 1, 31, tzinfo=UTC), user="daos_agent", is_root=False, hostname="node1", pid=1, clock=RIGHT
)
GOOD = AgentFacts(
    path=Path("/etc/daos/daos_agent.yml"),
    config=AgentConfig(),
    view=VIEW,
    socket=Place(path=Path("/var/run/daos_agent/daos_agent.sock"), exists=False),
    access_points=(AccessPoint(address="n1:10001"),),
    system=SYSTEM,
    interfaces=ETH0,
    fabric=fabric_interfaces(ETH0, {"eth0"}),
    addressed=frozenset({"eth0"}),
)


def found(facts: AgentFacts, topic: str, check: str) -> Finding:
    [finding] = [one for one in examine(facts) if (one.topic, one.check) == (topic, check)]
    return finding


def test_a_node_without_flaws():
    assert [finding for finding in examine(GOOD) if finding.verdict in {PROBLEM, UNKNOWN}] == []
    assert found(GOOD, "system", "answer").found == "system daos_server, 4 ranks over ofi+tcp, DAOS 2.8.0"
    assert found(GOOD, "network", "NUMA node 0").found == "applications are told eth0, domain eth0"


def test_without_a_configuration():
    problem = ConfigError("/nowhere.yml", ["bad"])
    finding = next(iter(examine(AgentFacts(path=None, config=None, problem=problem, view=VIEW))))
    assert finding.verdict is PROBLEM
    assert "/nowhere.yml" in finding.found


def test_one_access_point_is_enough():
    dead = AccessPoint(address="n2:10001", problem="connection refused")
    some = replace(GOOD, access_points=(*GOOD.access_points, dead))
    assert [one.verdict for one in examine(some) if one.check == "access point"] == [OK, WARNING]
    assert found(replace(GOOD, access_points=(dead,)), "system", "access point").verdict is PROBLEM


def test_a_name_that_nobody_knows_is_not_a_matter_of_firewalls():
    unknown = AccessPoint(address="typo:10001", problem="name or service not known", is_named=False)
    finding = found(replace(GOOD, access_points=(unknown,)), "system", "access point")
    assert finding.remedy == "add typo to DNS or /etc/hosts, or correct access_points"


def test_the_port_for_metrics_is_looked_at_too():
    assert found(GOOD, "ports", "telemetry").verdict is NOT_APPLICABLE
    exporting = replace(GOOD, config=replace(AgentConfig(), telemetry_port=9192))
    assert found(exporting, "ports", "telemetry").verdict is OK
    agent = Process(pid=9, uid=0, words=("/usr/bin/daos_agent",))
    taken = replace(VIEW, listeners=(Listener(address="0.0.0.0", port=9192, inode=5),))
    assert found(replace(exporting, view=taken), "ports", "telemetry").verdict is PROBLEM
    running = replace(taken, running=(agent,), holders={5: agent})
    assert found(replace(exporting, view=running), "ports", "telemetry").verdict is OK


@pytest.mark.parametrize(
    ("error", "verdict", "code"),
    [
        (EmptyGroupMap(), PROBLEM, 0),
        (FaultCode.SERVER_WRONG_SYSTEM.fault(actual="a", requested="b"), PROBLEM, 603),
        (FaultCode.SECURITY_MISSING_CERT_FILE.fault(path="/c"), UNKNOWN, 0),
    ],
    ids=["no ranks", "another system", "no certificates"],
)
def test_a_system_that_does_not_say_how_it_is_reached(error, verdict, code):
    silent = replace(GOOD, system=None, system_problem=error)
    finding = found(silent, "system", "answer")
    assert (finding.verdict, finding.code) == (verdict, code)
    assert found(silent, "network", "choice").verdict is UNKNOWN


def test_what_nobody_answers_is_told_once():
    dead = (AccessPoint(address="n1:10001", problem="connection refused"),)
    facts = replace(GOOD, access_points=dead, system=None, system_problem=ManagementServiceUnreachable({}))
    assert found(facts, "system", "answer").verdict is UNKNOWN


def test_servers_of_another_release():
    assert found(replace(GOOD, system=replace(SYSTEM, version="2.6.4")), "system", "version").verdict is WARNING


def test_interfaces_that_do_not_reach_the_servers():
    far = replace(GOOD, system=replace(SYSTEM, device_class=32, provider="ofi+verbs;ofi_rxm"))
    assert found(far, "network", "NUMA node 0").verdict is PROBLEM
    assert found(replace(GOOD, addressed=frozenset()), "network", "NUMA node 0").verdict is PROBLEM
    listed = NumaFabric(numa_node=0, devices=(FabricDevice(iface="eth9"),))
    typo = replace(GOOD, config=replace(AgentConfig(), fabric_ifaces=(listed,)))
    assert "eth9 is configured, and does not exist" in found(typo, "network", "interfaces").found


def test_applications_look_elsewhere():
    elsewhere = replace(GOOD, config=replace(AgentConfig(), runtime_dir="/run/other"))
    finding = found(elsewhere, "applications", "socket")
    assert finding.verdict is WARNING
    assert "DAOS_AGENT_DRPC_DIR=/run/other" in finding.remedy
    told = replace(elsewhere, environment={"DAOS_AGENT_DRPC_DIR": "/run/other/"})
    assert found(told, "applications", "socket").verdict is OK


def test_applications_that_choose_for_themselves():
    finding = found(replace(GOOD, environment={"D_INTERFACE": "eth1"}), "applications", "environment")
    assert (finding.verdict, finding.remedy) == (WARNING, "unset D_INTERFACE")


def test_agents_that_run_already():
    other = replace(VIEW, running=(Process(pid=9, uid=0, words=("/usr/bin/daos_agent",)),))
    assert found(replace(GOOD, view=other), "leftovers", "agent").verdict is WARNING
    socket = Place(path=Path("/var/run/daos_agent/daos_agent.sock"), exists=True)
    serving = replace(other, bound_paths=frozenset({str(socket.path)}))
    assert "(pid 9)" in found(replace(GOOD, view=serving, socket=socket), "leftovers", "agent").found
    ours = Process(pid=12, uid=0, words=("/usr/bin/daos_agent", "-o", "/etc/daos/daos_agent.yml"))
    two = replace(serving, running=(*serving.running, ours))
    assert "(pid 12)" in found(replace(GOOD, view=two, socket=socket), "leftovers", "agent").found
    stranger = replace(ours, words=("/usr/bin/daos_agent",))
    two = replace(serving, running=(*serving.running, stranger))
    assert "(one of pid 9, 12)" in found(replace(GOOD, view=two, socket=socket), "leftovers", "agent").found
    assert "nobody listens" in found(replace(GOOD, socket=socket), "leftovers", "socket").found


async def test_asking_somebody_who_is_no_server(tmp_path: Path):
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as stranger:
        port = stranger.sockets[0].getsockname()[1]
        path = tmp_path / "a.yml"
        path.write_text(f"access_points: ['127.0.0.1:{port}']\nruntime_dir: {tmp_path}\n")
        facts = await gather(str(path), insecure=True)
    assert facts.access_points == (AccessPoint(address=f"127.0.0.1:{port}"),)
    assert facts.system is None
    assert found(facts, "system", "answer").verdict is PROBLEM
    assert found(facts, "permissions", "runtime_dir").verdict is OK


async def test_a_host_that_cannot_be_found(tmp_path: Path):
    path = tmp_path / "a.yml"
    path.write_text("access_points: ['nobody.invalid:1']\ntelemetry_port: 9192\n")
    facts = await gather(str(path), insecure=True, runtime_dir=str(tmp_path))
    assert [(one.address, one.is_named) for one in facts.access_points] == [("nobody.invalid:1", False)]


async def test_nobody_there(tmp_path: Path):
    path = tmp_path / "a.yml"
    path.write_text(f"access_points: ['127.0.0.1:1']\nruntime_dir: {tmp_path}\n")
    facts = await gather(str(path), insecure=True, runtime_dir=str(tmp_path / "absent"))
    assert facts.access_points == (AccessPoint(address="127.0.0.1:1", problem="connection refused"),)
    assert found(facts, "permissions", "runtime_dir").verdict is PROBLEM
