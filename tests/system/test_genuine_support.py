"""Collecting for support with genuine programs and ours, each driving the other: the same files in the same folders."""

import socket
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

SECRET = "token=not-for-support"
OURS_ALONE = {"not-collected.txt", "dpkg-query_W"}
THEIRS_ALONE = {"dmg_system_query_i"}
"""A question that DAOS's dmg asks before it begins."""
UNRESOLVED = {"h1/DmgNodeLogs/dmg_storage_query_list-devices"}
"""DAOS's dmg asks for a host's devices by its name in the fault domain, which means nothing to the resolver here."""


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mixed", ["insecure"], indirect=True)
@pytest.mark.parametrize("server", ["ours", "genuine"])
def test_both_dmgs_collect_the_same_from_either_server(server, mixed):
    mixed.programs = {"ours": mixed.programs, "genuine": mixed.genuine}[server]
    host = mixed.bring_up(engines=1)
    extra = mixed.folder / "extra" / "deeper"
    extra.mkdir(parents=True)
    (extra / "notes").write_text(f"{SECRET}\nplain\n")
    found = {}
    for name, programs in (("genuine", mixed.genuine), ("ours", mixed.ours)):
        target = mixed.folder / f"collected-{name}"
        said = mixed.dmg("support", "collect-log", "-z", "-t", target, "-c", extra.parent, program=programs.dmg)
        assert "Summary :" in said
        assert target.with_name(f"{target.name}.tar.gz").is_file()
        found[name] = {path for path in files(target) if Path(path).name not in OURS_ALONE | THEIRS_ALONE}
    assert found["genuine"] <= found["ours"]
    assert found["ours"] - found["genuine"] <= UNRESOLVED

    name = socket.gethostname()
    assert {f"{name}/EngineLogs/engine0.log", f"{name}/ControlLogs/daos_server.log"} <= found["ours"]
    assert {f"{name}/GenSystemInfo/mount", f"{name}/DaosServerConfig/daos_server.active.yml"} <= found["ours"]
    assert {"DmgSystemLogs/dmg_system_query", f"{name}/ExtraLogs/deeper/notes"} <= found["ours"]
    notes = (mixed.folder / "collected-ours" / name / "ExtraLogs" / "deeper" / "notes").read_text()
    assert notes == {"ours": "token=<masked>\nplain\n", "genuine": f"{SECRET}\nplain\n"}[server]
    assert host.server.counts("panic") == 0
