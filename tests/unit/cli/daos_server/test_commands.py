"""daos_server's command line: what options change in the configuration."""

import json
from dataclasses import replace

import pytest

from daos_control.base.logs import Level
from daos_control.cli import daos_server
from daos_control.cli.daos_server.commands import log_level, overridden
from daos_control.cli.flags import parse
from daos_control.config.document import ConfigError
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.storage import Tier
from daos_control.testing.sysfs import LOOPBACK, Machine

CONFIG = ServerConfig(
    engines=(
        EngineConfig(targets=4, nr_xs_helpers=1, storage=(Tier(storage_class="ram", scm_mount="/mnt/daos0"),)),
        EngineConfig(targets=4, nr_xs_helpers=1, storage=(Tier(storage_class="ram", scm_mount="/mnt/daos1"),)),
    )
)


def given(*arguments):
    return parse(daos_server.PROGRAM, ["start", *arguments]).values


def test_nothing_given_nothing_changed():
    assert overridden(CONFIG, given()) == CONFIG


def test_what_is_given_counts_for_the_server_and_every_engine():
    values = given("-p", "7", "-g", "tank", "-d", "/run/x", "-i", "-t", "8", "-x", "0", "-f", "0", "-m", "vos,rdb")
    config = overridden(CONFIG, values)
    assert (config.port, config.name, config.socket_dir, config.modules) == (7, "tank", "/run/x", "vos,rdb")
    assert config.transport_config.allow_insecure
    assert {(one.targets, one.nr_xs_helpers, one.first_core, one.modules) for one in config.engines} == {
        (8, 0, 0, "vos,rdb")
    }


def test_nothing_and_zero_count_only_where_they_mean_something():
    """As in DAOS 2.8: no modules, helpers or first core can be wished for; no port, name, folder or targets cannot."""
    values = given("-p", "0", "-t", "0", "-g", "", "-d", "", "-s", "", "-m", "", "-x", "0", "-f", "0")
    config = overridden(CONFIG, values)
    assert (config.port, config.name, config.socket_dir) == (CONFIG.port, CONFIG.name, CONFIG.socket_dir)
    assert {(one.targets, one.nr_xs_helpers, one.first_core, one.modules) for one in config.engines} == {(4, 0, 0, "")}
    assert (config.engines[0].scm.scm_mount, config.notices) == ("/mnt/daos0", ())


@pytest.mark.parametrize("engines", [(), (EngineConfig(),), (EngineConfig(storage=(Tier(storage_class="nvme"),)),)])
def test_a_mount_without_an_engine_to_have_it_is_refused(engines):
    with pytest.raises(ConfigError, match=r"--storage .* (no engine|first tier)"):
        overridden(replace(CONFIG, engines=engines), given("-s", "/elsewhere"))


def test_the_deprecated_mount_is_the_first_engines():
    config = overridden(CONFIG, given("--storage", "/elsewhere"))
    assert [one.scm.scm_mount for one in config.engines] == ["/elsewhere", "/mnt/daos1"]
    assert "deprecated" in config.notices[-1]


@pytest.mark.parametrize(
    ("mask", "debug", "level"),
    [
        (Level.INFO, False, Level.INFO),
        (Level.INFO, True, Level.TRACE),
        (Level.DEBUG, True, Level.DEBUG),
        (Level.NOTICE, True, Level.NOTICE),
        (Level.DISABLED, False, Level.INFO),
    ],
)
def test_log_levels(mask, debug, level):
    assert log_level(ServerConfig(control_log_mask=mask), debug=debug) is level


def run(capsys, *arguments):
    code = daos_server.run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_version(capsys):
    assert run(capsys, "version") == (0, "DAOS Control Server version 2.8.0\n", "")
    code, out, _ = run(capsys, "-j", "version")
    assert (code, json.loads(out)["response"]["version"]) == (0, "2.8.0")


def test_network_scan_in_json(capsys):
    code, out, _ = run(capsys, "-j", "network", "scan", "-p", "all", "--ignore-config")
    assert code == 0
    ((key, entry),) = json.loads(out)["response"].items()
    assert int(key) >= 0
    assert entry["HostSet"] == "localhost"
    assert set(entry["HostFabric"]) == {"Interfaces", "Providers", "NumaCount", "CoresPerNuma"}


def test_network_scan_in_words(capsys):
    code, out, _ = run(capsys, "network", "scan", "-p", "ALL", "--ignore-config")
    assert (code, out.startswith("---------\nlocalhost\n---------\n")) == (0, True)


def test_a_host_of_which_nothing_reaches_others_says_so(capsys, tmp_path):
    Machine(tmp_path, nodes=1, cores=1).virtual_net("lo", kind=LOOPBACK, state="unknown")
    code, out, _ = run(capsys, "network", "scan", "-p", "all", "--ignore-config", "--root", str(tmp_path))
    assert (code, "No fabric interfaces found" in out) == (0, True)


def test_a_scan_for_what_nobody_here_speaks_fails(capsys):
    code, out, err = run(capsys, "network", "scan", "-p", "ofi+nothing", "--ignore-config")
    assert (code, out) == (1, "")
    assert "no fabric interfaces found with provider ofi+nothing" in err


def test_the_topology_in_words_and_in_json(capsys, tmp_path):
    code, out, _ = run(capsys, "dump-topology")
    assert (code, out.startswith("NUMA Node 0\n  CPU cores: ")) == (0, True)
    assert run(capsys, "dump-topology", "-o", str(tmp_path / "topology")) == (0, "", "")
    assert (tmp_path / "topology").read_text() == out
    code, out, _ = run(capsys, "-j", "dump-topology")
    assert (code, set(json.loads(out)["response"])) == (0, {"numa_nodes", "virtual_devices"})


def test_a_log_that_cannot_be_written_is_told_with_what_to_do(capsys, tmp_path):
    config = tmp_path / "daos_server.yml"
    config.write_text(f"mgmt_svc_replicas: [localhost]\ncontrol_log_file: {tmp_path}/absent/a.log\n")
    code, out, err = run(capsys, "start", "-o", str(config))
    assert (code, out) == (1, "")
    assert err.startswith(
        f"ERROR: cannot use {config}: control_log_file: cannot write {tmp_path}/absent/a.log: No such"
    )
    assert err.endswith("; make it writable for this user, or name another\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["start", "-o", "/nowhere.yml"], "/nowhere.yml", id="no such file"),
        pytest.param(["-j", "start"], "prints no JSON", id="JSON of what has none"),
        pytest.param(["dump-topology", "-o", "/nowhere/file"], "/nowhere/file: No such file", id="nowhere to write"),
        pytest.param(["-j", "config", "generate"], "prints no JSON", id="a configuration is no JSON"),
        pytest.param(["cfg", "gen", "-e", "99"], "want 99 got", id="not so many engines"),
        pytest.param(["cfg", "gen", "-t", "-e", "99"], "99 engines are wanted", id="not so many NUMA nodes"),
        pytest.param(["config", "generate", "-c", "token-ring"], "token-ring", id="no such class"),
        pytest.param(["config", "generate", "-f", "a,b"], "not a whole number", id="no ports"),
        pytest.param(
            ["network", "scan", "-o", "/nowhere.yml"], "/nowhere.yml", id="a configuration that is named counts"
        ),
    ],
)
def test_complaints(capsys, arguments, complaint):
    code, _, err = run(capsys, *arguments)
    assert code == 1
    assert err.startswith("ERROR: ")
    assert complaint in err
