"""Checks that the doctors of server and agent share: facts in, findings out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daos_control.apps.doctor.checks import certificates, clock, limits, places, ports
from daos_control.apps.doctor.checks.certificates import CertificateFacts
from daos_control.apps.doctor.checks.places import LogFile, SocketFolder
from daos_control.apps.doctor.checks.ports import Wanted
from daos_control.apps.doctor.finding import Finding, Topic, Verdict, is_healthy
from daos_control.apps.doctor.view import View, look_around
from daos_control.base.fault_codes import FaultCode
from daos_control.host.clock import KernelClock
from daos_control.host.limits import UNLIMITED, Limits
from daos_control.host.places import Place, look_at
from daos_control.host.processes import Process
from daos_control.host.sockets import Listener
from daos_control.security.components import Component
from daos_control.security.inspection import Inspection, Life

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
VIEW = View(now=NOW, user="daos_server", is_root=False, hostname="node1", pid=1)


def one(findings) -> Finding:
    [finding] = findings
    return finding


def verdicts(findings) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in findings}


def test_a_fault_brings_its_number_and_its_remedy():
    finding = Topic("names").raised("x", FaultCode.SERVER_CONFIG_BAD_CONTROL_PORT.fault(port=0))
    assert (finding.verdict, finding.code) == (Verdict.PROBLEM, 703)
    assert finding.remedy
    assert not is_healthy([finding])
    assert is_healthy([replace(finding, verdict=verdict) for verdict in Verdict if verdict is not Verdict.PROBLEM])


# -- clock -------------------------------------------------------------------------------------------------------------

CHRONY = (Process(pid=9, uid=0, words=("/usr/sbin/chronyd",)),)


@pytest.mark.parametrize(
    ("kernel", "running", "verdict", "words"),
    [
        (
            KernelClock(is_synchronised=True, most_error_s=0.012),
            CHRONY,
            Verdict.OK,
            "off by 12 ms at most; kept by chronyd",
        ),
        (KernelClock(is_synchronised=True, most_error_s=7), (), Verdict.WARNING, "up to 7.0 s"),
        (KernelClock(is_synchronised=False, most_error_s=16), (), Verdict.WARNING, "none of chronyd"),
        (KernelClock(is_synchronised=False, most_error_s=16), CHRONY, Verdict.WARNING, "kept by chronyd"),
        (None, (), Verdict.UNKNOWN, "does not tell"),
    ],
    ids=["right", "vague", "nobody keeps it", "not yet", "no answer"],
)
def test_clock(kernel, running, verdict, words):
    finding = one(clock.check(replace(VIEW, clock=kernel, running=running)))
    assert finding.verdict is verdict
    assert words in finding.found


# -- certificates ------------------------------------------------------------------------------------------------------


def facts(
    *, days: float = 900, authority_days: float = 900, name: str = "server", begins: datetime = NOW, problems=()
) -> CertificateFacts:
    own = Life(path=Path("/c/server.crt"), name=name, begins=begins, ends=NOW + timedelta(days=days))
    ca = Life(path=Path("/c/daosCA.crt"), name="DAOS CA", begins=NOW, ends=NOW + timedelta(days=authority_days))
    inspection = Inspection(certificate=own, authorities=(ca,), problems=tuple(problems))
    return CertificateFacts(component=Component.SERVER, inspection=inspection, clients=Path("/c/clients"))


def test_good_certificates():
    assert set(verdicts(certificates.check(facts(), NOW)).values()) == {Verdict.OK}


@pytest.mark.parametrize(
    ("days", "verdict"), [(31, Verdict.OK), (29.5, Verdict.WARNING), (0.1, Verdict.WARNING), (-1, Verdict.PROBLEM)]
)
def test_expiry_is_told_in_time(days, verdict):
    assert verdicts(certificates.check(facts(days=days), NOW))["expiry"] is verdict
    assert verdicts(certificates.check(facts(authority_days=days), NOW))["authority"] is verdict


def test_one_that_is_not_valid_yet_points_at_the_clock():
    invalid = FaultCode.SECURITY_INVALID_CERT.fault(path="/c/server.crt", why="dates")
    early = facts(begins=NOW + timedelta(hours=2), problems=(invalid,))
    finding = one(f for f in certificates.check(early, NOW) if f.verdict is Verdict.PROBLEM)
    assert (finding.check, finding.code) == ("expiry", 903)
    assert finding.found == "server is not valid before 2026-01-31 14:00 UTC, and by this host's clock it is 12:00"
    assert "timedatectl" in finding.remedy


def test_an_expired_one_is_told_once_with_its_fault():
    invalid = FaultCode.SECURITY_INVALID_CERT.fault(path="/c/server.crt", why="dates")
    finding = one(f for f in certificates.check(facts(days=-1, problems=(invalid,)), NOW) if f.code)
    assert (finding.check, finding.code) == ("expiry", 903)
    kept = [f.check for f in certificates.check(facts(problems=(invalid,)), NOW) if f.code]
    assert kept == ["files"], "it is invalid for another reason than its dates"


def test_a_certificate_of_another_role():
    finding = next(f for f in certificates.check(facts(name="agent"), NOW) if f.check == "role")
    assert finding.verdict is Verdict.PROBLEM
    assert '"agent"' in finding.found


def test_files_that_are_all_missing_are_one_problem():
    missing = [FaultCode.SECURITY_MISSING_CERT_FILE.fault(path=path) for path in ("/c/ca", "/c/crt", "/c/key")]
    empty = Inspection(certificate=None, authorities=(), problems=tuple(missing))
    finding = one(certificates.check(replace(facts(), inspection=empty), NOW))
    assert (finding.code, "/c/ca" in finding.found, "2 more" in finding.found) == (901, True, True)


def test_no_agents_certificate_to_check_credentials_with():
    assert verdicts(certificates.check(replace(facts(), has_agent=False), NOW))["clients"] is Verdict.WARNING
    hidden = replace(facts(), has_agent=False, clients_are_listed=False)
    assert "clients" not in verdicts(certificates.check(hidden, NOW))


def test_doing_without_is_worth_a_warning():
    insecure = CertificateFacts(component=Component.AGENT, inspection=None)
    assert one(certificates.check(insecure, NOW)).verdict is Verdict.WARNING


# -- ports -------------------------------------------------------------------------------------------------------------

CONTROL = Wanted(what="control", key="port", address="0.0.0.0", port=10001)
TAKEN = replace(VIEW, listeners=(Listener(address="10.0.0.1", port=10001, inode=5),))
HELD = replace(TAKEN, holders={5: Process(pid=77, uid=0, words=("/usr/sbin/nginx",))})


@pytest.mark.parametrize(
    ("view", "ours", "verdict", "words"),
    [
        (VIEW, (), Verdict.OK, "port 10001 is free"),
        (TAKEN, (), Verdict.PROBLEM, "another user's process"),
        (HELD, (), Verdict.PROBLEM, "held by nginx (pid 77)"),
        (HELD, (77,), Verdict.OK, "served, by nginx (pid 77)"),
    ],
    ids=["free", "by somebody", "by whom", "by ourselves"],
)
def test_ports(view, ours, verdict, words):
    finding = one(ports.check(view, [CONTROL], ours))
    assert finding.verdict is verdict
    assert words in finding.found


def test_a_port_that_is_wanted_twice():
    engines = [replace(CONTROL, what=f"engine {number}", key="fabric_iface_port") for number in (0, 1)]
    control, *more = ports.check(VIEW, [CONTROL, *engines])
    assert control.verdict is Verdict.OK
    assert [finding.verdict for finding in more] == [Verdict.PROBLEM, Verdict.PROBLEM]
    assert more[0].found == "port 10001 is wanted by control, too (port)"
    assert "fabric_iface_port" in more[0].remedy
    alone = [replace(one, port=31416) for one in engines]
    assert set(verdicts(ports.check(VIEW, alone)).values()) == {Verdict.OK}, "they may be on different interfaces"


# -- places ------------------------------------------------------------------------------------------------------------


def folder(place: Place) -> SocketFolder:
    return SocketFolder(key="socket_dir", place=place, longest_name="daos_engine_4194304.sock")


@pytest.mark.parametrize(
    ("place", "verdict", "words"),
    [
        (Place(path=Path("/run/d"), exists=True, is_folder=True, is_writable=True), Verdict.OK, "writable"),
        (Place(path=Path("/run/d"), exists=False), Verdict.PROBLEM, "does not exist"),
        (Place(path=Path("/run/d"), exists=True, is_folder=True, mode=0o755), Verdict.PROBLEM, "may not write"),
        (Place(path=Path("/run/d"), exists=True), Verdict.PROBLEM, "not a folder"),
        (Place(path=Path("/run/d"), exists=True, hidden="Permission denied"), Verdict.PROBLEM, "denied"),
    ],
    ids=["fine", "absent", "forbidden", "a file", "hidden"],
)
def test_socket_folders(place, verdict, words):
    finding = one(places.check_socket_folder(VIEW, folder(place)))
    assert finding.verdict is verdict
    assert words in finding.found


def test_a_path_that_is_too_long_for_sockets():
    place = Place(path=Path("/run") / ("x" * 90), exists=True, is_folder=True, is_writable=True)
    first, second = places.check_socket_folder(VIEW, folder(place))
    assert (first.verdict, second.verdict) == (Verdict.PROBLEM, Verdict.OK)
    assert "120 bytes" in first.found


def test_logs(tmp_path):
    (tmp_path / "there.log").touch()
    found = places.check_logs(
        VIEW,
        [
            LogFile(key="there", place=look_at(tmp_path / "there.log")),
            LogFile(key="new", place=look_at(tmp_path / "new.log")),
            LogFile(key="no folder", place=look_at(tmp_path / "a" / "new.log")),
            LogFile(key="folder", place=look_at(tmp_path)),
            LogFile(key="closed", place=Place(path=Path("/v/l"), exists=False, parent=Path("/v"))),
            LogFile(key="hidden", place=Place(path=Path("/v/l"), exists=True, hidden="Permission denied")),
        ],
    )
    problem, ok = Verdict.PROBLEM, Verdict.OK
    assert list(verdicts(found).values()) == [ok, ok, problem, problem, problem, problem]
    assert one(places.check_logs(VIEW, ())).verdict is Verdict.NOT_APPLICABLE


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "verdict"), [(UNLIMITED, Verdict.OK), (65536, Verdict.OK), (1024, Verdict.WARNING)])
def test_open_files(most, verdict):
    view = replace(VIEW, limits=Limits(open_files=most, locked_bytes=UNLIMITED))
    assert one(limits.check_open_files(view, 65536)).verdict is verdict


@pytest.mark.parametrize(
    ("needed", "most", "verdict"),
    [
        (False, 0, Verdict.NOT_APPLICABLE),
        (True, UNLIMITED, Verdict.OK),
        (True, 8 << 20, Verdict.PROBLEM),
    ],
)
def test_locked_memory(needed, most, verdict):
    view = replace(VIEW, limits=Limits(open_files=UNLIMITED, locked_bytes=most))
    assert one(limits.check_locked_memory(view, needed=needed, why="NVMe")).verdict is verdict


def test_a_look_around_here():
    view = look_around()
    assert view.pid in {process.pid for process in view.running}
    assert view.hostname


def test_limits_of_a_program_that_runs_already(tmp_path):
    view = look_around()
    assert view.limited_as(None).limited == "processes started from here"
    assert view.limited_as(view.pid).limited == f"the running program (pid {view.pid})"
    assert view.limited_as(1, tmp_path) == view, "another user's cannot be seen"
