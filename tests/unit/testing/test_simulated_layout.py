"""Where simulated hosts are, and what another process may ask of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from daos_control.apps.emulator.settings import Swim
from daos_control.base.errors import Fault
from daos_control.base.rankset import RankSet
from daos_control.engine.process import running
from daos_control.testing.simulation.host import Trouble
from daos_control.testing.simulation.layout import Layout
from daos_control.testing.simulation.orders import carry_out
from daos_control.testing.simulation.system import Simulation, SimulationError, afford

LAYOUT = Layout(
    system="daos_server",
    replicas=("127.64.0.1:10001",),
    network="127.128",
    port=10001,
    first_fabric_port=20200,
    ranks=2047,
    engines=2,
    targets=4,
    folder=Path("/run/sim"),
)


def test_every_host_has_an_address_and_every_engine_a_place() -> None:
    assert LAYOUT.hosts == 1024
    addresses = [LAYOUT.address(host) for host in range(1, 1025)]
    assert len(set(addresses)) == 1024
    assert (addresses[0], addresses[249], addresses[250]) == ("127.128.0.1", "127.128.0.250", "127.128.1.1")
    assert sum(LAYOUT.engines_of(host) for host in range(1, 1025)) == 2047
    assert LAYOUT.engines_of(1024) == 1


def test_a_host_is_prepared_like_a_real_one() -> None:
    prepared = LAYOUT.prepared(3, running, {})
    assert prepared.addresses.own == "127.128.0.3:10001"
    assert prepared.addresses.replica is None
    assert str(prepared.fault_domain) == "/sim3"
    assert [engine.fabric.port for engine in prepared.engines] == [20200, 20201]
    assert [disk.target for disk in prepared.disks] == [Path("/run/sim/sim3/daos0"), Path("/run/sim/sim3/daos1")]
    longest = f"{LAYOUT.prepared(1024, running, {}).socket_dir}/daos_engine_99999.sock"
    assert len(longest) <= 107


def test_too_few_files_are_told_before_anything_starts() -> None:
    with pytest.raises(Fault, match="open files"):
        afford(replace(LAYOUT, ranks=10**8))


async def test_orders() -> None:
    system = Simulation(replace(LAYOUT, ranks=20), swim=Swim(), seed=1)
    assert carry_out(system, "deaf sim[2-3]") == "2 hosts are deaf"
    assert [host.trouble for host in system.hosts[:4]] == [Trouble.NONE, Trouble.DEAF, Trouble.DEAF, Trouble.NONE]
    assert carry_out(system, "heal sim3,127.128.0.2") == "2 hosts are well"
    assert carry_out(system, "off sim1") == "1 host is off"
    assert system.hosts[0].trouble is Trouble.DEAF
    assert not system.hosts[0].is_on
    assert carry_out(system, "on sim1") == "1 host is on"
    with pytest.raises(SimulationError, match="no engine of ranks 1-5 runs"):
        carry_out(system, "kill 1-5")
    assert carry_out(system, "status").startswith("0 of 20 ranks serve on 10 hosts")
    assert system.kill(RankSet.parse("1")) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deaf sim99", "no host 'sim99'"),
        ("kill everybody", "everybody"),
        ("dance sim1", "cannot understand"),
        ("off sim[1-", "sim"),
    ],
)
async def test_orders_that_make_no_sense(line: str, said: str) -> None:
    system = Simulation(replace(LAYOUT, ranks=20), swim=Swim(), seed=1)
    with pytest.raises(SimulationError, match=said):
        carry_out(system, line)
