"""What the doctor of a server makes of a host: facts in, findings out."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daos_control.apps.doctor.finding import Finding, Verdict
from daos_control.apps.doctor.view import View
from daos_control.apps.server.doctor.examine import examine
from daos_control.apps.server.doctor.facts import (
    Disk,
    Hardware,
    Programs,
    Resolution,
    ServerFacts,
)
from daos_control.apps.server.doctor.look import gather, helper_problem, is_script, serving
from daos_control.base.pci import PciAddress
from daos_control.config.document import ConfigError, Problem, parse
from daos_control.config.server import ServerConfig
from daos_control.engine.superblock import Superblock
from daos_control.host.clock import KernelClock
from daos_control.host.memory import Memory
from daos_control.host.network import ETHERNET, LOOPBACK, NetInterface, Readiness, fabric_interfaces
from daos_control.host.nvme import Drive
from daos_control.host.places import Place
from daos_control.host.processes import Process
from daos_control.host.shm import Segment
from daos_control.host.sockets import Listener

GIB_KIB = 1 << 20
ENGINE = """
- {targets: 8, fabric_iface: eth%d, fabric_iface_port: %d, storage: [{class: ram, scm_mount: /mnt/daos%d%s}]}
"""
OK, WARNING, PROBLEM, NOT_APPLICABLE, UNKNOWN = Verdict


def config(engines: int = 1, *, scm: str = "", more: str = "", replicas: str = "[node1]") -> ServerConfig:
    text = f"provider: ofi+tcp\nmgmt_svc_replicas: {replicas}\n{more}\nengines:\n"
    text += "".join(ENGINE % (index, 31416 + 1000 * index, index, scm) for index in range(engines))
    return parse(text, ServerConfig(), source="test").completed()


def many_targets() -> ServerConfig:
    return replace(config(), engines=(replace(config().engines[0], targets=4096),))


def absent(index: int = 0) -> Disk:
    return Disk(place=Place(path=Path(f"/mnt/daos{index}"), exists=False))


def formatted(system: str = "daos_server", rank: int | None = 3) -> Disk:
    identity = Superblock(uuid="u", system=system, rank=rank, validrank=rank is not None, hostfaultdomain="/node1")
    return replace(
        absent(),
        filesystem="tmpfs",
        size_bytes=16 << 30,
        superblock=identity,
        place=Place(path=Path("/mnt/daos0"), exists=True),
    )


INTERFACES = tuple(NetInterface(name=f"eth{index}", device_class=ETHERNET, numa_node=index) for index in range(2))
HARDWARE = Hardware(
    memory=Memory(total_kib=256 * GIB_KIB, available_kib=200 * GIB_KIB, hugepage_kib=2048),
    transparent_hugepages="never",
    interfaces=INTERFACES,
    readiness={"eth0": Readiness.READY, "eth1": Readiness.READY},
    fabric=fabric_interfaces(INTERFACES, {"eth0", "eth1"}),
)
RIGHT = KernelClock(is_synchronised=True, most_error_s=0.01)
VIEW = View(
    now=datetime(2026, 1, 31, tzinfo=UTC), user="daos_server", is_root=False, hostname="node1", pid=1, clock=RIGHT
)
PROGRAMS = Programs(engine=Path("/usr/bin/daos_engine"), engine_version="2.8.0", may_mount=True)
HERE = Resolution(replica="node1:10001", address="10.0.0.1", is_local=True, answers=None)


def server(settings: ServerConfig | None = None, **changes: object) -> ServerFacts:
    settings = settings or config()
    facts = ServerFacts(
        path=Path("/etc/daos/daos_server.yml"),
        config=settings,
        view=VIEW,
        hardware=HARDWARE,
        programs=PROGRAMS,
        resolutions=(HERE,),
        disks=tuple(absent(index) for index in range(len(settings.engines))),
        store=Place(path=Path("/mnt/daos0/control_raft/daos_system.sqlite"), exists=False),
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def found(facts: ServerFacts, topic: str, check: str) -> Finding:
    matching = [finding for finding in examine(facts) if (finding.topic, finding.check) == (topic, check)]
    assert len(matching) == 1, matching
    return matching[0]


def test_a_host_without_flaws():
    assert [finding for finding in examine(server()) if finding.verdict in {PROBLEM, UNKNOWN}] == []


# -- configuration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ConfigError("/nowhere.yml", ["there is no such file; create it"]), "/nowhere.yml: there is no such file"),
        (ConfigError("c.yml", [Problem(3, "unknown key"), Problem(0, "bad")]), "c.yml: line 3: unknown key; bad"),
    ],
)
def test_without_a_configuration_the_host_is_looked_at_all_the_same(problem, words):
    facts = ServerFacts(path=None, config=None, problem=problem, view=VIEW, hardware=HARDWARE, programs=PROGRAMS)
    findings = {finding.topic: finding for finding in examine(facts)}
    assert findings["configuration"].verdict is PROBLEM
    assert findings["configuration"].remedy.startswith(("create it; everything", "correct the file; everything"))
    assert words in findings["configuration"].found
    assert "clock" in findings


@pytest.mark.parametrize(
    ("settings", "check", "code", "words"),
    [
        (config(more="system_ram_reserved: -1"), "rules", 734, "system_ram_reserved"),
        (replace(config(), provider=""), "rules", 707, ""),
        (config(scm="}, {class: kdev, bdev_list: [/dev/sdb]"), "release", 0, "class kdev"),
        (config(more="fault_path: /a/b/c"), "fault domain", 724, ""),
        (config(more="fault_cb: /tmp/x.sh"), "fault domain", 719, ""),
    ],
    ids=["a rule", "no provider", "what comes later", "fault path", "fault program"],
)
def test_configurations_that_a_start_refuses(settings, check, code, words):
    finding = found(server(settings), "configuration", check)
    assert (finding.verdict, finding.code) == (PROBLEM, code)
    assert words in finding.found


def test_old_keys_are_worth_a_warning_and_one_replica_is_not():
    settings = parse("access_points: [node1]\nprovider: ofi+tcp", ServerConfig(), source="t").completed()
    assert found(server(settings), "configuration", "notice").verdict is WARNING
    assert not [one for one in examine(server()) if one.check == "notice"]


# -- memory ------------------------------------------------------------------------------------------------------------


def test_the_sum_is_shown():
    finding = found(server(config(2)), "memory", "RAM disks")
    assert finding.verdict is OK
    assert finding.found == ("of 256 GiB: system 64 GiB, engines 2.0 GiB, hugepages 256 MiB, RAM disks 94 GiB + 94 GiB")


@pytest.mark.parametrize(
    ("settings", "total_gib", "code", "remedy"),
    [
        (config(2), 64, 0, "set system_ram_reserved to 53 or less"),
        (config(2), 70, 214, "set system_ram_reserved to 59 or less"),
        (config(scm=", scm_size: 200"), 256, 731, "set scm_size to 190 or less"),
        (config(4), 16, 0, "too small for 4 engines; use fewer engines, or fewer targets"),
        (many_targets(), 16, 0, "too small for 1 engine; use fewer targets"),
    ],
    ids=["nothing left", "too little left", "more than there is", "hopeless", "hopeless for one"],
)
def test_sums_that_do_not_come_out_say_what_would(settings, total_gib, code, remedy):
    hardware = replace(HARDWARE, memory=replace(HARDWARE.memory, total_kib=total_gib * GIB_KIB))
    finding = found(server(settings, hardware=hardware), "memory", "RAM disks")
    assert (finding.verdict, finding.code) == (PROBLEM, code)
    assert remedy in finding.remedy


@pytest.mark.parametrize("gib", [53, 54])
def test_what_is_said_to_fit_does(gib):
    memory = replace(HARDWARE.memory, total_kib=64 * GIB_KIB, available_kib=64 * GIB_KIB)
    settings = config(2, more=f"system_ram_reserved: {gib}")
    finding = found(server(settings, hardware=replace(HARDWARE, memory=memory)), "memory", "RAM disks")
    assert (finding.verdict is OK) is (gib == 53)


def test_memory_that_somebody_else_has_now():
    hardware = replace(HARDWARE, memory=replace(HARDWARE.memory, available_kib=10 * GIB_KIB))
    finding = found(server(hardware=hardware), "memory", "available now")
    assert (finding.verdict, finding.code) == (PROBLEM, 214)
    assert found(server(hardware=hardware, disks=(formatted(),)), "memory", "available now").verdict is OK


def test_a_mounted_disk_that_is_too_large():
    finding = found(server(config(scm=", scm_size: 8"), disks=(formatted(),)), "memory", "mounted RAM disk")
    assert (finding.verdict, finding.code) == (PROBLEM, 215)
    assert "remount,size=8g" in finding.remedy


@pytest.mark.parametrize(
    ("mode", "is_root", "verdict"),
    [(0o4750, False, OK), (0o755, False, NOT_APPLICABLE), (0o4750, True, NOT_APPLICABLE)],
    ids=["a privileged helper", "one without rights", "root in a container"],
)
def test_plain_folders_take_no_memory(mode, is_root, verdict):
    helper = Place(path=Path("/h"), exists=True, mode=mode)
    programs = replace(PROGRAMS, may_mount=False, helper=helper)
    facts = server(config(scm=", scm_size: 8"), programs=programs, view=replace(VIEW, is_root=is_root))
    assert found(facts, "memory", "RAM disks").verdict is verdict


# -- huge pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "more", "verdict"),
    [
        ("never", "", OK),
        ("", "", OK),
        ("always", "", PROBLEM),
        ("madvise", "", PROBLEM),
        ("always", "allow_thp: true", NOT_APPLICABLE),
        ("always", "disable_hugepages: true", NOT_APPLICABLE),
    ],
)
def test_transparent_hugepages(mode, more, verdict):
    hardware = replace(HARDWARE, transparent_hugepages=mode)
    finding = found(server(config(more=more), hardware=hardware), "hugepages", "transparent")
    assert finding.verdict is verdict
    assert finding.code == (623 if verdict is PROBLEM else 0)


NVME = "}, {class: nvme, bdev_list: ['0000:81:00.0']"


@pytest.mark.parametrize(("free", "verdict"), [(4096, OK), (100, WARNING)])
def test_hugepages_that_are_needed(free, verdict):
    memory = replace(HARDWARE.memory, hugepages_total=4096, hugepages_free=free)
    facts = server(config(scm=NVME), hardware=replace(HARDWARE, memory=memory))
    finding = found(facts, "hugepages", "available")
    assert (finding.verdict, finding.found) == (verdict, f"4096 are needed, 4096 there, {free} free")


def test_files_that_keep_hugepages():
    hardware = replace(HARDWARE, abandoned_hugepages=(Path("/dev/hugepages/spdk_pid7map_0"),))
    assert found(server(hardware=hardware), "hugepages", "leftovers").remedy == "rm /dev/hugepages/spdk_pid7map_0"


# -- network -----------------------------------------------------------------------------------------------------------


def test_interfaces():
    assert "eth0 is up and speaks ofi+tcp" in found(server(), "network", "engine 0").found
    down = replace(HARDWARE, readiness={"eth0": Readiness.DOWN})
    assert "eth0 is down" in found(server(hardware=down), "network", "engine 0").found
    gone = replace(HARDWARE, interfaces=(), fabric=(), readiness={})
    assert "eth0 does not exist" in found(server(hardware=gone), "network", "engine 0").found
    mute = replace(HARDWARE, fabric=())
    assert "provider ofi+tcp is not on" in found(server(hardware=mute), "network", "engine 0").found
    coming = replace(HARDWARE, readiness={"eth0": Readiness.NOT_READY})
    assert found(server(hardware=coming), "network", "engine 0").verdict is WARNING


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"interfaces": (), "fabric": (), "readiness": {}}, "name another"),
        ({"readiness": {"eth0": Readiness.DOWN}}, "ip link set eth0 up"),
        ({"fabric": ()}, "give it an address"),
        ({"fabric": (replace(HARDWARE.fabric[0], provider="ofi+verbs"),)}, "set provider to one of these"),
    ],
    ids=["gone", "down", "no address", "another provider"],
)
def test_what_to_do_about_an_interface_depends_on_what_is_wrong_with_it(changes, remedy):
    finding = found(server(hardware=replace(HARDWARE, **changes)), "network", "engine 0")
    assert finding.remedy.startswith(remedy)
    assert finding.remedy not in finding.found


def test_loopback_reaches_nobody():
    lo = (NetInterface(name="eth0", device_class=LOOPBACK),)
    hardware = replace(HARDWARE, interfaces=lo, fabric=fabric_interfaces(lo, {"eth0"}))
    assert found(server(hardware=hardware), "network", "engine 0 reach").verdict is WARNING


def test_engines_on_unlike_interfaces():
    unlike = (INTERFACES[0], replace(INTERFACES[1], device_class=32))
    hardware = replace(HARDWARE, interfaces=unlike, fabric=fabric_interfaces(unlike, {"eth0", "eth1"}))
    assert found(server(config(2), hardware=hardware), "network", "kind of interface").code == 613


def test_an_engine_pinned_away_from_its_interface():
    settings = config()
    settings = replace(settings, engines=(replace(settings.engines[0], pinned_numa_node=1),))
    assert found(server(settings), "network", "engine 0 NUMA").verdict is WARNING


@pytest.mark.parametrize(
    ("resolutions", "replicas", "check", "verdict", "words"),
    [
        ((HERE,), "[node1]", "this host", OK, "is replica 10.0.0.1:10001, the only one"),
        ((replace(HERE, is_local=False, answers=""),), "[node1]", "this host", OK, "is no replica"),
        ((replace(HERE, is_local=False, answers=""),), "[node1]", "replica", OK, "takes connections"),
        ((replace(HERE, is_local=False, answers="refused"),), "[node1]", "replica", WARNING, "refused"),
        ((replace(HERE, address="", problem="unknown"),), "[node1]", "replica", PROBLEM, "cannot resolve node1"),
        ((replace(HERE, address="127.0.1.1"),), "[node1]", "reach", WARNING, "loopback"),
        (
            (HERE, replace(HERE, replica="n1:10001"), replace(HERE, replica="n2:10001", address="10.0.0.2")),
            "[node1, n1, n2]",
            "replica",
            PROBLEM,
            "counted 2 times",
        ),
    ],
    ids=["ours", "another's", "which answers", "which does not", "unknown", "loopback", "twice the same"],
)
def test_replicas(resolutions, replicas, check, verdict, words):
    finding = found(server(config(replicas=replicas), resolutions=resolutions), "names", check)
    assert finding.verdict is verdict
    assert words in finding.found


def test_this_release_keeps_the_system_on_one_replica():
    others = tuple(replace(HERE, replica=f"n{n}:10001", address=f"10.0.0.{n}", is_local=False) for n in (2, 3))
    finding = found(server(config(replicas="[node1, n2, n3]"), resolutions=(HERE, *others)), "names", "replicas")
    assert finding.verdict is PROBLEM
    assert "one of 3" in finding.found
    elsewhere = replace(HERE, is_local=False, answers="")
    report = server(config(replicas="[node1, n2, n3]"), resolutions=(elsewhere, *others))
    assert found(report, "names", "this host").verdict is OK, "they may be genuine servers, which can be several"


def test_ports_of_the_running_server_are_its_own():
    listener = Listener(address="0.0.0.0", port=10001, inode=5)
    daos = Process(pid=50, uid=0, words=("/usr/bin/daos_server", "start"))
    view = replace(VIEW, listeners=(listener,), holders={5: daos})
    assert found(server(view=view), "ports", "control").verdict is PROBLEM
    assert found(server(view=view, server_pid=50), "ports", "control").verdict is OK


# -- programs and devices ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("programs", "check", "verdict"),
    [
        (replace(PROGRAMS, engine=None, engine_problem="gone"), "engine", PROBLEM),
        (replace(PROGRAMS, engine_version="2.6.3"), "engine", PROBLEM),
        (replace(PROGRAMS, engine_version=""), "engine", UNKNOWN),
        (replace(PROGRAMS, missing_tools=("setpriv",)), "tools", PROBLEM),
        (PROGRAMS, "helper", NOT_APPLICABLE),
        (replace(PROGRAMS, may_mount=False), "helper", WARNING),
        (
            replace(PROGRAMS, may_mount=False, helper=Place(path=Path("/h"), exists=True, mode=0o755)),
            "helper",
            WARNING,
        ),
        (replace(PROGRAMS, may_mount=False, helper=Place(path=Path("/h"), exists=True, mode=0o4750)), "helper", OK),
    ],
)
def test_programs(programs, check, verdict):
    assert found(server(programs=programs), "programs", check).verdict is verdict


SETUID = Place(path=Path("/h"), exists=True, mode=0o4750)


@pytest.mark.parametrize(
    ("changes", "words", "remedy"),
    [
        ({"helper": SETUID, "helper_problem": "it is of another release"}, "another release", "daos_server_helper"),
        ({"helper": SETUID, "helper_is_script": True}, "is a script", "run daos_server as root"),
        ({"helper": replace(SETUID, mode=0o755), "helper_is_script": True}, "is a script", "run daos_server as root"),
        ({"helper": replace(SETUID, mode=0o755)}, "no rights of root", "chown root:daos_server /h && chmod 4750 /h"),
    ],
    ids=["does not work", "script with a bit", "script", "without rights"],
)
def test_a_helper_is_only_as_good_as_it_works(changes, words, remedy):
    facts = server(config(scm=", scm_size: 8"), programs=replace(PROGRAMS, may_mount=False, **changes))
    finding = found(facts, "programs", "helper")
    assert finding.verdict is WARNING
    assert words in finding.found
    assert remedy in finding.remedy
    assert found(facts, "memory", "RAM disks").verdict is NOT_APPLICABLE, "plain folders stand in"


async def test_a_helper_is_asked_whether_it_works(tmp_path: Path):
    program = tmp_path / "daos_server_helper"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o4750)
    helper = Place(path=program, exists=True, mode=0o4750)
    programs = replace(PROGRAMS, may_mount=False, helper=helper)
    assert "ended with 3" in await helper_problem(programs)
    assert await helper_problem(replace(programs, may_mount=True)) == "", "nobody would ask it"
    assert await helper_problem(replace(programs, helper=replace(helper, mode=0o755))) == "", "it is told otherwise"
    assert is_script(program)
    assert not is_script(Path("/bin/sh"))
    assert not is_script(tmp_path / "absent")


def test_devices():
    settings = config(scm=NVME)
    assert found(server(settings), "devices", "NVMe").code == 304
    assert found(server(settings), "devices", "IOMMU").code == 602
    ssd = Drive(address=PciAddress.parse("0000:81:00.0"), numa_node=0, driver="nvme")
    there = replace(HARDWARE, drives=(ssd,), has_iommu=True)
    facts = server(settings, hardware=replace(there, spdk_locks=("0000:81:00.0",)))
    assert "take it from the kernel" in found(facts, "devices", "NVMe").found
    assert found(facts, "devices", "IOMMU").verdict is OK
    assert found(facts, "devices", "locks").remedy.endswith("rm /var/tmp/spdk_pci_lock_0000:81:00.0")
    mounted = replace(there, drives=(replace(there.drives[0], in_use="nvme0n1 is mounted at /"),))
    finding = found(server(settings, hardware=mounted), "devices", "NVMe")
    assert (finding.verdict, "mounted at /" in finding.found) == (PROBLEM, True)
    unsafe = config(scm=NVME, more="disable_vfio: true")
    assert found(server(unsafe, hardware=there), "devices", "IOMMU").code == 614


# -- what earlier runs left --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disk", "verdict", "words"),
    [
        (absent(), OK, "not formatted"),
        (formatted(), OK, "belongs to rank 3 of system daos_server"),
        (formatted(rank=None), OK, "no rank yet"),
        (formatted(system="tank"), PROBLEM, "of system tank"),
        (replace(formatted(), superblock=None), WARNING, "without a superblock"),
        (replace(absent(), problem="superblock x is damaged"), PROBLEM, "damaged"),
        (replace(absent(), problem="cannot read superblock: Permission denied"), UNKNOWN, "denied"),
        (Disk(place=Place(path=Path("/mnt/daos0"), exists=True)), PROBLEM, "not a folder"),
    ],
)
def test_storage(disk, verdict, words):
    finding = found(server(disks=(disk,)), "storage", "engine 0")
    assert finding.verdict is verdict
    assert words in finding.found


def test_a_file_in_place_of_a_mount_point_is_not_taken_for_a_superblock():
    place = Place(path=Path("/mnt/daos0"), exists=True)
    finding = found(server(disks=(Disk(place=place, problem="cannot read superblock: x"),)), "storage", "engine 0")
    assert (finding.verdict, finding.found) == (PROBLEM, "/mnt/daos0 is not a folder")


def test_a_damaged_superblock_is_told_with_one_remedy():
    damaged = "superblock /s is damaged (no YAML); restore it from a copy"
    finding = found(server(disks=(replace(absent(), problem=damaged),)), "storage", "engine 0")
    assert (finding.found, finding.remedy) == ("superblock /s is damaged (no YAML)", "restore it from a copy")


def test_a_system_whose_database_is_gone():
    lost = server(disks=(formatted(),))
    finding = found(lost, "storage", "system database")
    assert (finding.verdict, "ms restore" in finding.remedy) == (PROBLEM, True)
    assert lost.store is not None
    assert found(replace(lost, store=replace(lost.store, exists=True)), "storage", "system database").verdict is OK
    assert found(server(), "storage", "system database").verdict is OK
    assert found(server(store=None), "storage", "system database").verdict is NOT_APPLICABLE


def test_engines_without_a_server():
    assert found(server(engine_pids=frozenset({8, 7})), "leftovers", "engines").remedy == "kill 7 8"
    assert found(server(engine_pids=frozenset({7}), server_pid=6), "leftovers", "engines").verdict is OK


def test_other_servers():
    other = replace(VIEW, running=(Process(pid=50, uid=0, words=("/usr/bin/daos_server", "start")),))
    assert found(server(view=other), "leftovers", "server").verdict is WARNING
    assert found(server(view=other, server_pid=50), "leftovers", "server").verdict is OK


def test_shared_memory_of_engines_that_have_ended():
    metrics = Segment(key=0x10242049, id=11, size_bytes=1, creator_pid=7, creator_uid=0, owner_uid=0, attached=0)
    hardware = replace(HARDWARE, segments=(metrics, replace(metrics, key=1, id=12)))
    assert "ipcrm -m 11;" in found(server(hardware=hardware), "leftovers", "shared memory").remedy
    in_use = replace(HARDWARE, segments=(replace(metrics, attached=1),))
    assert found(server(hardware=in_use), "leftovers", "shared memory").verdict is OK


def test_looking_at_this_very_machine(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "daos_engine_7.sock").touch()
    path = tmp_path / "c.yml"
    path.write_text(
        f"provider: ofi+tcp\nsocket_dir: {tmp_path / 'run'}\ntransport_config: {{allow_insecure: true}}\n"
        "disable_hugepages: true\nengines:\n"
        "- {targets: 1, fabric_iface: lo, fabric_iface_port: 31416, "
        f"storage: [{{class: ram, scm_size: 4, scm_mount: {tmp_path / 'daos0'}}}]}}\n"
    )
    before = sorted(tmp_path.rglob("*"))
    facts = asyncio.run(gather(str(path)))
    findings = list(examine(facts))
    assert [path.name for path in facts.stale_sockets] == ["daos_engine_7.sock"]
    assert {finding.topic for finding in findings} >= {"configuration", "memory", "network", "names", "ports", "clock"}
    assert sorted(tmp_path.rglob("*")) == before


async def test_looking_without_a_configuration(tmp_path: Path):
    facts = await gather(str(tmp_path / "absent.yml"))
    assert facts.config is None
    assert next(iter(examine(facts))).verdict is PROBLEM


def test_what_is_wrong_with_the_database():
    damaged = server(store_problem="/x is damaged: page 3", store=Place(path=Path("/x"), exists=True))
    finding = found(damaged, "storage", "system database")
    assert (finding.verdict, "ms recover" in finding.remedy) == (PROBLEM, True)


def test_a_host_that_one_machine_plays_beside_others():
    elsewhere = replace(HERE, address="127.0.0.1", is_local=True)
    facts = server(resolutions=(elsewhere,), control_address="127.0.0.2")
    assert "is no replica" in found(facts, "names", "this host").found
    other = replace(VIEW, listeners=(Listener(address="127.0.0.1", port=10001, inode=5),))
    assert found(replace(facts, view=other), "ports", "control").verdict is OK


def test_who_does_not_run_the_server_is_told_that_and_not_that_it_cannot_run():
    theirs = Process(pid=50, uid=0, words=("/usr/bin/daos_server", "start", "-o", "/etc/daos/daos_server.yml"))
    view = replace(VIEW, uid=1001, running=(theirs,))
    assert view.serving("daos_server", Path("/etc/daos/daos_server.yml")) == theirs
    assert view.serving("daos_server", Path("/etc/daos/other.yml")) is None
    assert (view.operator(theirs), view.operator(None), replace(view, is_root=True).operator(theirs)) == (
        "root",
        "",
        "",
    )
    taken = replace(view, listeners=(Listener(address="0.0.0.0", port=10001, inode=5),))
    finding = found(server(view=taken, operator="root"), "ports", "control")
    assert (finding.verdict, "runs as root here" in finding.remedy) == (UNKNOWN, True)


def test_a_server_is_found_however_its_configuration_was_named():
    theirs = Process(pid=50, uid=0, words=("/usr/bin/daos_server", "start", "-o", "daos_server.yml"))
    view = replace(VIEW, uid=1001, running=(theirs,))
    path = Path("/etc/daos/daos_server.yml")
    assert view.serving("daos_server", path) is None
    assert serving(view, path, holder=50) == theirs, "it has the lock of the socket folder"
    assert serving(view, path, holder=None) is None


def test_memory_is_not_judged_by_who_may_not_mount():
    stranger = server(programs=replace(PROGRAMS, may_mount=False), operator="root", server_pid=50)
    finding = found(stranger, "memory", "RAM disks")
    assert (finding.verdict, "runs as root here" in finding.remedy) == (UNKNOWN, True)


def test_a_size_that_cannot_be_derived_is_to_be_set():
    helper = replace(PROGRAMS, may_mount=False)
    finding = found(server(programs=helper), "memory", "RAM disks")
    assert finding.verdict is PROBLEM
    assert finding.remedy.startswith("set scm_size")


def test_engines_that_run_have_been_found():
    programs = replace(PROGRAMS, engine=None, engine_problem="gone")
    assert (
        found(server(programs=programs, engine_pids=frozenset({7}), server_pid=6), "programs", "engine").verdict is OK
    )
