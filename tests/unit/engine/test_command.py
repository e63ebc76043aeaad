"""An engine's arguments and environment."""

import dataclasses

import pytest

from daos_control.engine.command import EngineSettings, Fabric, Storage, engine_arguments, engine_environment

PLAIN = EngineSettings(
    index=0,
    system="daos_server",
    socket_dir="/var/run/daos_server",
    targets=42,
    helpers=1,
    numa_node=1,
    fabric=Fabric(provider="ofi+tcp", interface="eth0", port=31416),
    storage=Storage(scm_mount="/mnt/daos0"),
)


def test_the_example_of_the_sheet():
    assert " ".join(engine_arguments(PLAIN)) == (
        "-t 42 -x 1 -g daos_server -d /var/run/daos_server -T 1 -p 1 -I 0 -r 0 -H 0 -s /mnt/daos0"
    )


def test_every_option_in_its_place():
    full = dataclasses.replace(
        PLAIN,
        index=1,
        modules="vos,rdb",
        first_core=0,
        bypass_health_check=True,
        storage=Storage(
            scm_mount="/mnt/daos1",
            tiers=2,
            nvme_config="/mnt/daos1/daos_nvme.conf",
            bdev_class="AIO",
            memory_mib=2048,
            hugepage_mib=2,
        ),
    )
    assert " ".join(engine_arguments(full, check_mode=True)) == (
        "-m vos,rdb -t 42 -x 1 -f 0 -g daos_server -d /var/run/daos_server -T 2 -n /mnt/daos1/daos_nvme.conf -b -p 1 "
        "-I 1 -r 2048 -H 2 -C -s /mnt/daos1"
    )
    assert engine_environment(full, {})["VOS_BDEV_CLASS"] == "AIO"


def test_nothing_is_inherited_but_what_is_named():
    named = dataclasses.replace(PLAIN, env_pass_through=["LANG", "ABSENT"])
    assert engine_environment(named, {"LANG": "C", "HOME": "/root"}) == {
        "LANG": "C",
        "D_PROVIDER": "ofi+tcp",
        "D_INTERFACE": "eth0",
        "D_PORT": "31416",
        "CRT_TIMEOUT": "0",
        "FI_OFI_RXM_USE_SRX": "1",
    }


@pytest.mark.parametrize(
    ("configured", "name", "value"),
    [
        pytest.param(["LANG=de"], "LANG", "de", id="configured beats inherited"),
        pytest.param(["CRT_TIMEOUT=100"], "CRT_TIMEOUT", "0", id="derived beats configured"),
        pytest.param(["D_DOMAIN=mlx5_0"], "D_DOMAIN", "mlx5_0", id="what has no key is as configured"),
        pytest.param(["A=1", "A=2"], "A", "1", id="the first of two counts"),
        pytest.param(["A="], "A", None, id="no value, no variable"),
        pytest.param(["A=x=y"], "A", "x=y", id="a value may hold an equals sign"),
        pytest.param(["D_LOG_MASK=DEBUG", "DD_SUBSYS=MGMT"], "D_LOG_MASK", "ERR,MGMT=DBUG", id="subsystems are folded"),
        pytest.param(["D_LOG_MASK=DEBUG", "DD_SUBSYS=MGMT"], "DD_SUBSYS", None, id="and gone then"),
        pytest.param(["DD_SUBSYS=MGMT"], "DD_SUBSYS", "MGMT", id="without masks they stay"),
    ],
)
def test_who_wins(configured, name, value):
    settings = dataclasses.replace(PLAIN, env_vars=configured, env_pass_through=["LANG"])
    assert engine_environment(settings, {"LANG": "C"}).get(name) == value
