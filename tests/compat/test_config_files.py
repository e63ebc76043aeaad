"""Configuration files of genuine systems load, and come out as genuine daos_server wrote its active configuration."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from daos_control.config.agent import AgentConfig
from daos_control.config.control import ControlConfig
from daos_control.config.preparation import HostFacts, prepared
from daos_control.config.server import ServerConfig

HOST = HostFacts(memory_kib=64 << 20, fabric_domains={"lo": "lo", "eth0": "eth0"})
ACTIVE = "var_run_daos_server_.daos_server.active.yml"
PAIRS = [
    *(
        (f"{name}/daos_server.yml", f"{name}/{ACTIVE}")
        for name in (
            "a_fresh_start",
            "b_restart",
            "c_pool_life",
            "d_agent_certificates",
            "d_agent_insecure",
            "e_storage_file_bdev",
            "e_storage_md_on_ssd",
            "e_storage_nvme_pool",
            "f_engine_death",
            "g_checker",
        )
    ),
    ("i_two_servers/daos_server.storage1.yml", "i_two_servers/daos_server.active.storage1.yml"),
    ("i_two_servers/daos_server.storage2.yml", "i_two_servers/daos_server.active.storage2.yml"),
]


def ordered(document: dict[str, Any]) -> list[Any]:
    """Items with their order, but for the environment: genuine daos_server writes that in no order."""
    for engine in document["engines"]:
        engine["env_vars"] = sorted(engine["env_vars"])
        engine["storage"] = [list(tier.items()) for tier in engine["storage"]]
    return [
        (key, [list(item.items()) for item in value] if key == "engines" else value) for key, value in document.items()
    ]


@pytest.mark.parametrize(("given", "active"), PAIRS)
def test_the_active_configuration_is_the_one_recorded(recordings: Path, given: str, active: str):
    folder = recordings / "drpc" / "artefacts"
    dumped = yaml.safe_load(prepared(ServerConfig.load(folder / given), HOST).dump())
    recorded = yaml.safe_load((folder / active).read_text())
    assert ordered(dumped) == ordered(recorded)


def test_agents_and_controls_load(recordings: Path):
    folder = recordings / "drpc" / "artefacts"
    agents, controls = sorted(folder.glob("*/daos_agent.yml")), sorted(folder.glob("*/daos_control*.yml"))
    assert agents
    assert controls
    for path in agents:
        assert AgentConfig.load(path).name in {"daos_server", "other_sys"}
    for path in controls:
        assert ControlConfig.load(path).hostlist


def test_the_active_configuration_can_be_loaded_again(recordings: Path, tmp_path: Path):
    config = prepared(ServerConfig.load(recordings / "drpc" / "artefacts" / PAIRS[0][0]), HOST)
    path = tmp_path / "daos_server.yml"
    path.write_text(config.dump())
    assert prepared(ServerConfig.load(path), HOST).dump() == config.dump()
