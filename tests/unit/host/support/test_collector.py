"""Every step of collecting on a host: where its results go, and what never gets there."""

import gzip
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from daos_control.config.server import ServerConfig
from daos_control.host.support import steps
from daos_control.host.support.collector import REMARKS, Collector, Sources, StepFailed, Wishes, run_command
from daos_control.host.support.folder import UnsafeFolder
from daos_control.host.support.steps import Item, Step
from daos_control.host.support.window import Window

KEY = b"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
CONFIG = """
provider: ofi+tcp
fabric_auth_key: topsecret
control_log_file: {0}/control.log
helper_log_file: {0}/helper.log
support_config:
  file_transfer_exec: /usr/bin/env true
engines:
- targets: 1
  log_file: {0}/engine.0.log
  storage: [{{class: ram, scm_mount: {0}/scm}}]
- targets: 1
  log_file: {0}/engine.1.log
"""


def say(words: Iterable[str]) -> bytes:
    return f"output of {' '.join(words)}\ntoken=topsecret\n".encode()


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for name in ("control.log", "helper.log", "engine.0.log", "engine.0.log.old", "engine.1.log"):
        (tmp_path / name).write_bytes(b"2026/01/31 12:00:00.5 " + name.encode() + b" password=topsecret\n")
    (tmp_path / ".daos_server.active.yml").write_text(CONFIG.format(tmp_path))
    return tmp_path


@pytest.fixture
def sources(host: Path) -> Sources:
    path = host / ".daos_server.active.yml"
    return Sources.of_server(ServerConfig.load(path), path, host="node1")


def collected(target: Path) -> dict[str, bytes]:
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def do(sources: Sources, target: Path, *items: Item, **wishes: object) -> dict[str, bytes]:
    collector = Collector(sources, run=say)
    for item in items:
        collector.carry_out(item, replace(Wishes(target=target), **wishes))  # type: ignore[arg-type]
    return collected(target)


def test_all_that_a_server_is_asked_for(sources: Sources, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    found = do(sources, host / "out", *steps.server_items())
    assert sorted(found) == sorted(
        [
            "node1/DaosServerConfig/daos_server.active.yml",
            "node1/EngineLogs/engine.0.log",
            "node1/EngineLogs/engine.0.log.old",
            "node1/EngineLogs/engine.1.log",
            "node1/ControlLogs/control.log",
            "node1/AdminLogs/helper.log",
            "node1/DmgNodeLogs/daos_server_version",
            "node1/DmgNodeLogs/daos_metrics_S_0",
            "node1/DmgNodeLogs/daos_metrics_S_1",
            "node1/DmgNodeLogs/daos_server_dump-topology",
            "node1/GenSystemInfo/dmesg",
            "node1/GenSystemInfo/df_h",
            "node1/GenSystemInfo/mount",
            "node1/GenSystemInfo/ps_axf",
            "node1/GenSystemInfo/top_bcn1_w512",
            "node1/GenSystemInfo/lspci_D",
            "node1/GenSystemInfo/sysctl_a",
            "node1/GenSystemInfo/printenv",
            "node1/GenSystemInfo/rpm_qa_-qf_'(%{INSTALLTIME:date}):_%{NAME}-%{VERSION}\\n'",
        ]
    )
    assert not [name for name, text in found.items() if b"topsecret" in text]
    assert found["node1/DmgNodeLogs/daos_server_version"] == b"DAOS Control Server version 2.8.0\n"


def test_logs_of_some_types_alone(sources: Sources, host: Path) -> None:
    found = do(sources, host / "out", *steps.server_items(("admin", "control")))
    assert sorted(found) == ["node1/AdminLogs/helper.log", "node1/ControlLogs/control.log"]


def test_lines_of_some_days(sources: Sources, host: Path) -> None:
    (host / "control.log").write_text(
        "h INFO 2026/01/30 01:00:00 a\nh INFO 2026/01/31 01:00:00 b\nh INFO 2026/02/01 01:00:00 c\n"
    )
    window = Window.parse("2026-01-31", "2026-01-31")
    found = do(sources, host / "out", Item(Step.SERVER_LOG, "ControlLog"), window=window)
    assert found == {"node1/ControlLogs/control.log": b"h INFO 2026/01/31 01:00:00 b\n"}


def test_a_log_that_is_not_configured_is_remarked(sources: Sources, host: Path) -> None:
    found = do(replace(sources, helper_log=""), host / "out", Item(Step.SERVER_LOG, "HelperLog"))
    assert list(found) == [f"node1/{REMARKS}"]
    assert b"AdminLogs: helper_log_file is not set" in found[f"node1/{REMARKS}"]


def test_packages_of_the_other_kind(sources: Sources, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None if program == "rpm" else f"/usr/bin/{program}")
    found = do(sources, host / "out", Item(Step.SYSTEM_COMMAND, steps.RPM_PACKAGES))
    assert list(found) == ["node1/GenSystemInfo/dpkg-query_W"]


def test_a_helper_that_has_never_been_needed_has_no_log(sources: Sources, host: Path) -> None:
    (host / "helper.log").unlink()
    found = do(sources, host / "out", Item(Step.SERVER_LOG, "HelperLog"))
    assert b"the helper has had nothing to do" in found[f"node1/{REMARKS}"]


def test_a_log_that_should_be_there_is_a_failure(sources: Sources, host: Path) -> None:
    (host / "control.log").unlink()
    with pytest.raises(StepFailed, match=r"there is no .*/control\.log"):
        do(sources, host / "out", Item(Step.SERVER_LOG, "ControlLog"))


def test_a_folder_of_extra_logs_with_traps_in_it(sources: Sources, host: Path) -> None:
    extra = host / "extra"
    (extra / "sub").mkdir(parents=True)
    (extra / "notes").write_bytes(b"api_key: topsecret\n" + KEY + b"end\n")
    (extra / "sub" / "core").write_bytes(b"\0\1\2")
    (extra / "sub" / "old.gz").write_bytes(gzip.compress(b"token: topsecret\nrest\n"))
    (extra / "broken.gz").write_bytes(b"not packed")
    (extra / "server.key").write_bytes(b"whatever")
    (extra / "key.bin").write_bytes(b"\0" + KEY)
    (extra / "away").symlink_to("/etc/passwd")
    (extra / "folder").symlink_to("/etc")
    os.mkfifo(extra / "pipe")
    found = do(sources, extra / "out", Item(Step.EXTRA_LOGS), extra=extra)
    remarks = found.pop(f"node1/{REMARKS}").decode()
    assert gzip.decompress(found.pop("node1/ExtraLogs/sub/old.gz")) == b"token: <masked>\nrest\n"
    assert found == {
        "node1/ExtraLogs/notes": b"api_key: <masked>\n<private key removed>\nend\n",
        "node1/ExtraLogs/sub/core": b"\0\1\2",
    }
    for name in ("broken.gz", "server.key", "key.bin", "away", "pipe", "core"):
        assert f"{name}: " in remarks


def test_extra_logs_that_are_not_there(sources: Sources, host: Path) -> None:
    with pytest.raises(StepFailed, match="there is no folder /nowhere"):
        do(sources, host / "out", Item(Step.EXTRA_LOGS), extra=Path("/nowhere"))


@pytest.mark.parametrize(
    "item",
    [
        Item(Step.SYSTEM_COMMAND, "cat /etc/shadow"),
        Item(Step.SYSTEM_COMMAND, "dmesg; id"),
        Item(Step.SERVER_COMMAND, "dmesg"),
        Item(Step.SERVER_LOG, "/etc/shadow"),
        Item(Step.DMG_COMMAND, "dmg system query"),
    ],
    ids=str,
)
def test_only_what_is_on_the_list_is_run(item: Item, sources: Sources, host: Path) -> None:
    with pytest.raises(StepFailed, match="is not one"):
        do(sources, host / "out", item)


def test_storage_of_engines_is_not_collected_into(sources: Sources, host: Path) -> None:
    with pytest.raises(UnsafeFolder, match="is inside"):
        do(sources, host / "scm" / "out", Item(Step.SYSTEM_COMMAND, "mount"))


def test_metrics_where_daos_metrics_is_not_installed(
    sources: Sources, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    own = replace(sources, metrics=lambda index: b"engine_up 1\n" if index == 0 else b"")
    with pytest.raises(StepFailed, match="engine 1 has no metrics"):
        do(own, host / "out", Item(Step.SERVER_COMMAND, "daos_metrics"))
    assert collected(host / "out") == {"node1/DmgNodeLogs/daos_metrics_S_0": b"engine_up 1\n"}


def test_what_a_command_says_before_it_fails_is_kept(sources: Sources, host: Path) -> None:
    def failing(words: Iterable[str]) -> bytes:
        raise StepFailed("it failed", b"half of it\n")

    collector = Collector(sources, run=failing)
    with pytest.raises(StepFailed, match="it failed"):
        collector.carry_out(Item(Step.SYSTEM_COMMAND, "mount"), Wishes(target=host / "out"))
    assert collected(host / "out") == {"node1/GenSystemInfo/mount": b"half of it\n"}


def test_an_archive_of_all(sources: Sources, host: Path) -> None:
    do(sources, host / "out", Item(Step.SERVER_CONFIG), Item(Step.ARCHIVE))
    assert (host / "out.tar.gz").is_file()
    with pytest.raises(StepFailed, match="nothing to pack"):
        do(sources, host / "other", Item(Step.ARCHIVE))


def test_a_transfer_needs_a_program(sources: Sources, host: Path) -> None:
    do(sources, host / "out", Item(Step.TRANSFER), transfer_words="'two words'")
    with pytest.raises(StepFailed, match="set file_transfer_exec below support_config"):
        do(replace(sources, transfer_program=""), host / "out", Item(Step.TRANSFER))
    with pytest.raises(StepFailed, match="cannot be taken apart"):
        do(sources, host / "out", Item(Step.TRANSFER), transfer_words="'unfinished")


def test_running_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)  # a folder of somebody's that may not be looked into is another error
    assert run_command(["sh", "-c", "echo out; echo err >&2"]) == b"out\nerr\n"
    with pytest.raises(StepFailed, match=r"sh failed \(3\): last"):
        run_command(["sh", "-c", "echo first; echo last; exit 3"])
    with pytest.raises(StepFailed, match="no-such-program is not installed here"):
        run_command(["no-such-program"])
    with pytest.raises(StepFailed, match=r"sleep did not end in 0\.01 seconds"):
        run_command(["sleep", "60"], limit_s=0.01)


def test_a_key_is_left_where_it_is_by_what_is_in_it(host: Path, sources: Sources) -> None:
    extra = host / "extra"
    extra.mkdir()
    (extra / "small.bin").write_bytes(bytes.fromhex("30770201010420") + b"k" * 32)
    found = do(sources, host / "out", Item(Step.EXTRA_LOGS), extra=extra)
    assert set(found) == {f"node1/{REMARKS}"}
    assert b"small.bin: it holds a private key" in found[f"node1/{REMARKS}"]


def test_variables_of_several_lines(host: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "topsecret\ntopsecret")
    found = do(sources, host / "out", Item(Step.SYSTEM_COMMAND, "printenv"))
    assert b"SOME_SECRET=<masked>\n" in found["node1/GenSystemInfo/printenv"]
    assert b"topsecret" not in found["node1/GenSystemInfo/printenv"]


def test_titles_are_for_people() -> None:
    assert Item(Step.SYSTEM_COMMAND, steps.RPM_PACKAGES).title == "installed packages"
    assert Item(Step.SYSTEM_COMMAND, "df -h").title == "df -h"
    assert Item(Step.EXTRA_LOGS).title == "extra logs"
