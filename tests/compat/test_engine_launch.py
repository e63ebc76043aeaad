"""From genuine configurations to the processes that genuine servers made of them: arguments and environment."""

import json
from pathlib import Path

import pytest
import yaml

from daos_control.apps.server.parts import engine_settings
from daos_control.apps.server.preparation import NotThereYetError, refuse_what_is_not_there_yet
from daos_control.config.preparation import HostFacts, for_engines, prepared
from daos_control.config.server import ServerConfig
from daos_control.engine import superblock
from daos_control.engine.command import engine_arguments, engine_environment

HOST = HostFacts(memory_kib=24684096, numa_nodes={"lo": 0, "eth0": 0}, fabric_domains={"lo": "lo", "eth0": "eth0"})

RAM_ONLY = ["a_fresh_start", "b_restart", "c_pool_life", "d_agent_certificates", "f_engine_death", "h_edge_cases"]


def launched(folder: Path) -> list[tuple[str, int, dict[str, list[str]]]]:
    """Every recorded engine process: the recording's name, the instance, and what the process had."""
    return [
        (path.name, int(path.name[len("engine")]), json.loads(path.read_text()))
        for path in sorted(folder.glob("engine*.process.json"))
    ]


@pytest.mark.parametrize("scenario", RAM_ONLY)
def test_engines_are_started_as_recorded(recordings, scenario):
    folder = recordings / "drpc" / "artefacts" / scenario
    config = for_engines(prepared(ServerConfig.load(folder / "daos_server.yml"), HOST), {})
    refuse_what_is_not_there_yet(config)
    processes = launched(folder)
    assert processes
    for name, index, process in processes:
        settings = engine_settings(config, index)
        assert engine_arguments(settings) == process["argv"][1:], name
        recorded = dict(pair.split("=", 1) for pair in process["environ"])
        assert engine_environment(settings, {"PATH": "/usr/bin"}) == recorded, name


@pytest.mark.parametrize("scenario", ["e_storage_file_bdev", "e_storage_md_on_ssd", "e_storage_nvme_pool"])
def test_storage_that_comes_later_is_refused_and_named(recordings, scenario):
    config = ServerConfig.load(recordings / "drpc" / "artefacts" / scenario / "daos_server.yml")
    with pytest.raises(NotThereYetError, match="class file"):
        refuse_what_is_not_there_yet(config)


def test_recorded_superblocks_are_read_and_written_alike(recordings):
    found = sorted(recordings.glob("drpc/artefacts/*/*superblock*"))
    assert found
    for path in found:
        ours = superblock.decode(path.read_text()).encode()
        assert list(yaml.safe_load(ours).items()) == list(yaml.safe_load(path.read_text()).items()), path
