"""Programs that cannot start because of what they find: one clear error that says what to do, exit code 1, and soon."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from daos_control.security.authority import issue_certificates
from daos_control.testing.storage_host import reserved_ports

pytestmark = pytest.mark.system

PROGRAMS = Path(sys.executable).parent
PATIENCE_S = 60
WITHOUT_PRIVILEGE = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.geteuid() == 0 else []
"""Words to put before a command, so that permissions count for it even if this user is root."""

Document = dict[str, Any]


class Place:
    """A folder with configuration for each program, all of it in order."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.folder = folder
        self._certificates = certificates
        (folder / "run").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "daos_engine").symlink_to(PROGRAMS / "daos_engine_emulator")
        [port] = reserved_ports(self, 1)
        transport = {"allow_insecure": True}
        engine = {
            "targets": 1,
            "fabric_iface": "lo",
            "fabric_iface_port": 1,
            "storage": [{"class": "ram", "scm_size": 4, "scm_mount": str(folder / "daos0")}],
        }
        self.configs: dict[str, Document] = {
            "daos_server": {
                "mgmt_svc_replicas": [f"127.0.0.1:{port}"],
                "port": port,
                "provider": "ofi+tcp",
                "socket_dir": str(folder / "run"),
                "system_ram_reserved": 1,
                "disable_hugepages": True,
                "transport_config": transport,
                "engines": [engine],
            },
            "daos_agent": {
                "access_points": ["127.0.0.1:1"],
                "port": 1,
                "runtime_dir": str(folder / "run"),
                "transport_config": transport,
            },
            "dmg": {"hostlist": ["127.0.0.1"], "port": 1, "transport_config": transport},
        }

    def file(self, program: str) -> Path:
        return self.folder / f"{program}.yml"

    def secured(self, program: str) -> Document:
        """Have a program use certificates; return what its configuration says of them."""
        component = {"daos_server": "server", "daos_agent": "agent", "dmg": "admin"}[program]
        certs = self.folder / "certs"
        if not certs.exists():
            shutil.copytree(self._certificates, certs)
        transport = {
            "allow_insecure": False,
            "ca_cert": str(certs / "daosCA.crt"),
            "cert": str(certs / f"{component}.crt"),
            "key": str(certs / f"{component}.key"),
        }
        if program == "daos_server":
            transport["client_cert_dir"] = str(certs / "clients")
        self.configs[program]["transport_config"] = transport
        return transport

    def refused(self, program: str, *, written: bool = True) -> str:
        """Run a program that cannot do its work; return what it complains of."""
        if written:
            self.file(program).write_text(yaml.safe_dump(self.configs[program]))
        command = ["system", "query"] if program == "dmg" else ["start"]
        done = subprocess.run(
            [*WITHOUT_PRIVILEGE, PROGRAMS / program, *command, "-o", self.file(program)],
            env={**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert "Traceback" not in said
        complaints = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        assert 1 <= len(complaints) <= 2, said  # what is wrong, and what to do
        return "\n".join(complaints)


@pytest.fixture
def place(certificates: Path) -> Iterator[Place]:
    with TemporaryDirectory(prefix="hostile") as folder:  # pytest's own folders are too long for a socket's name
        yield Place(Path(folder), certificates)


EVERY_PROGRAM = pytest.mark.parametrize("program", ["daos_server", "daos_agent", "dmg"])


def a_folder(path: Path) -> None:
    path.mkdir()


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 16)


def unreadable(path: Path) -> None:
    path.write_text("{}")
    path.chmod(0)


def endless(path: Path) -> None:
    path.symlink_to(path)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "o such file"),
    "folder": (a_folder, "Is a directory"),
    "unreadable": (unreadable, "Permission denied"),
    "loop": (endless, "symbolic links"),
    "binary": (garbage, ""),
    "no YAML": (lambda path: path.write_text("port: [1"), ""),
    "list": (lambda path: path.write_text("- a\n- list\n"), ""),
    "recursive": (lambda path: path.write_text("&a [*a, *a]"), ""),
    "typo": (lambda path: path.write_text("prot: 10001\n"), "port"),
    "type": (lambda path: path.write_text("port: many\n"), "port"),
    "twice": (lambda path: path.write_text("port: 1\nport: 2\n"), "port"),
}


@pytest.mark.parametrize(
    ("program", "kind"),
    # One reader serves all programs: that each of them shows what it says, a few mistakes tell as well as all.
    [
        *(("daos_server", kind) for kind in BAD_FILES),
        *((program, kind) for program in ("daos_agent", "dmg") for kind in ("missing", "unreadable", "binary", "typo")),
    ],
)
def test_configuration(place: Place, program: str, kind: str) -> None:
    make, says = BAD_FILES[kind]
    make(place.file(program))
    said = place.refused(program, written=False)
    assert str(place.file(program)) in said
    assert says in said


def expire(transport: Document) -> None:
    certs = Path(transport["ca_cert"]).parent
    shutil.rmtree(certs)
    issue_certificates(certs, now=datetime.now(UTC) - timedelta(days=10), days=5)


def forge(transport: Document) -> None:
    other = Path(transport["ca_cert"]).parent.with_name("other")
    issue_certificates(other)
    transport["ca_cert"] = str(other / "daosCA.crt")


@EVERY_PROGRAM
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda transport: Path(transport["key"]).unlink(), "missing|does not exist|No such file"),
        (lambda transport: Path(transport["key"]).chmod(0o644), "permissions"),
        (lambda transport: transport.update(cert=transport["ca_cert"]), ""),
        (lambda transport: transport.update(key="/dev/null"), "/dev/null"),
        (expire, "renew it"),
        (forge, ""),
    ],
    ids=["missing", "mode", "mismatch", "device", "expired", "wrong authority"],
)
def test_certificates(place: Place, program: str, spoil: Callable[[Document], object], says: str) -> None:
    transport = place.secured(program)
    spoil(transport)
    said = place.refused(program)
    assert str(place.folder) in said or "/dev/null" in said, "no file is named"
    assert re.search(says, said)


def test_one_of_several_replicas(place: Place) -> None:
    replicas = place.configs["daos_server"]["mgmt_svc_replicas"]
    replicas += ["192.0.2.1", "192.0.2.2"]
    said = place.refused("daos_server")
    assert f"one of 3 replicas ({replicas[0]})" in said
    assert "list one replica in mgmt_svc_replicas" in said


@pytest.mark.parametrize(("program", "key"), [("daos_server", "socket_dir"), ("daos_agent", "runtime_dir")])
@pytest.mark.parametrize("hindrance", ["missing", "file", "unwritable", "too long"])
def test_the_folder_of_sockets(place: Place, program: str, key: str, hindrance: str) -> None:
    folder = place.folder / "sockets"
    match hindrance:
        case "file":
            folder.write_text("")
        case "unwritable":
            folder.mkdir(mode=0o555)
        case "too long":
            folder = place.folder / "-".join(["long"] * 30)
            folder.mkdir()
    place.configs[program][key] = str(folder)
    assert str(folder) in place.refused(program)


@pytest.mark.parametrize(("program", "key"), [("daos_server", "control_log_file"), ("daos_agent", "log_file")])
@pytest.mark.parametrize("hindrance", ["missing", "folder"])
def test_the_log_file(place: Place, program: str, key: str, hindrance: str) -> None:
    file = place.folder / "logs" / ("here" if hindrance == "folder" else "absent/log")
    file.parent.parent.mkdir(exist_ok=True)
    if hindrance == "folder":
        file.mkdir(parents=True)
    place.configs[program][key] = str(file)
    assert str(file) in place.refused(program)


@pytest.mark.parametrize("hindrance", ["not executable", "a folder", "a dangling link"])
def test_the_engine(place: Place, hindrance: str) -> None:
    engine = place.folder / "bin" / "daos_engine"
    engine.unlink()
    match hindrance:
        case "not executable":
            engine.write_text("#!/bin/sh\n")
        case "a folder":
            engine.mkdir()
        case _:
            engine.symlink_to("nowhere")
    assert "daos_engine" in place.refused("daos_server")


def test_nobody_to_ask(place: Place) -> None:
    said = place.refused("dmg")
    assert "127.0.0.1:1" in said
