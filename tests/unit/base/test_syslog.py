"""Lines to a syslog daemon, played by a datagram socket."""

import logging
import os
import re
import socket
from pathlib import Path

import pytest

from daos_control.base.syslog import ERR, INFO, NOTICE, WARNING, LogHandler, Syslog
from daos_control.mgmt.events import Events
from daos_control.model.event import Event
from daos_control.testing.data_plane import CapturedPost


class Daemon:
    """Listens as ``/dev/log`` does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def lines(self) -> list[str]:
        heard = []
        while True:
            try:
                heard.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return heard

    def stop(self) -> None:
        self.socket.close()
        self.path.unlink()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.mark.parametrize(("severity", "priority"), [(ERR, 27), (WARNING, 28), (NOTICE, 29)])
def test_a_line_has_facility_and_priority_time_program_and_pid(path: Path, severity: int, priority: int) -> None:
    daemon = Daemon(path)
    syslog = Syslog([path], program="daos_server")
    assert syslog.write(severity, "id: [engine_died] msg: [gone, é]")
    (line,) = daemon.lines()
    assert re.fullmatch(
        rf"<{priority}>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d daos_server\[{os.getpid()}\]: "
        r"id: \[engine_died\] msg: \[gone, é\]\n",
        line,
    )
    syslog.close()
    daemon.stop()


@pytest.mark.parametrize(("severity", "priority"), [(1, 27), (2, 28), (3, 29), (0, 29), (99, 29)])
async def test_events_go_there_with_the_priority_of_their_severity(path: Path, severity: int, priority: int) -> None:
    daemon = Daemon(path)
    events = Events(CapturedPost(), system_log=(syslog := Syslog([path.with_name("nobody"), path])))
    event = Event(id=4, type=2, severity=severity, message="m", timestamp="t")
    events.record(event)
    events.record(Event(id=4, type=2, severity=severity, message="elsewhere", timestamp="t", forwarded=True))
    (line,) = daemon.lines()
    assert line.startswith(f"<{priority}>")
    assert "id: [engine_clock_drift] ts: [t] type: [INFO]" in line
    syslog.close()
    daemon.stop()


def test_without_a_daemon_nothing_is_taken(path: Path) -> None:
    assert not Syslog([path]).write(ERR, "lost")


def test_a_daemon_that_was_restarted_is_found_again(path: Path) -> None:
    first = Daemon(path)
    syslog = Syslog([path])
    assert syslog.write(ERR, "one")
    first.stop()
    assert not syslog.write(ERR, "lost")
    second = Daemon(path)
    assert syslog.write(ERR, "two")
    second.stop()
    third = Daemon(path)
    assert syslog.write(ERR, "three"), "it went away between two lines"
    assert len(third.lines()) == 1
    syslog.close()
    third.stop()


def test_a_daemon_that_reads_nothing_is_not_waited_for(path: Path) -> None:
    daemon = Daemon(path)
    syslog = Syslog([path])
    taken = [syslog.write(NOTICE, "x" * 1000) for _ in range(2000)]
    assert taken[0]
    assert not taken[-1]
    daemon.lines()
    assert syslog.write(NOTICE, "again")
    syslog.close()
    daemon.stop()


def test_lines_of_a_programs_log_without_those_for_developers(path):
    daemon = Daemon(path)
    handler = LogHandler("daos_server", [path])
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("test of the syslog handler")
    logger.setLevel(10)
    logger.propagate = False
    logger.addHandler(handler)
    for level, text in ((10, "steps"), (20, "up"), (25, "look at this"), (40, "down")):
        logger.log(level, text)
    logger.removeHandler(handler)
    handler.close()

    lines = daemon.lines()
    assert [int(re.match(r"<(\d+)>", line)[1]) & 7 for line in lines] == [INFO, NOTICE, ERR]
    assert lines[2].endswith(f" daos_server[{os.getpid()}]: ERROR down\n")
    daemon.stop()
