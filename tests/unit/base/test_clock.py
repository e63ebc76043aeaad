import ast
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest

import daos_control
from daos_control.base.clock import Clock, SystemClock
from daos_control.testing.clock import ManualClock


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()], ids=lambda clock: type(clock).__name__)
def test_clocks_are_aware_and_never_run_backwards(clock: Clock):
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_moves_when_told():
    clock = ManualClock()
    wall, steady = clock.now(), clock.monotonic()
    clock.advance(5)
    assert (clock.now() - wall, clock.monotonic() - steady) == (timedelta(seconds=5), 5)
    clock.jump(-3600)
    assert (clock.now() - wall, clock.monotonic() - steady) == (timedelta(seconds=5 - 3600), 5)
    with pytest.raises(ValueError, match="jump"):
        clock.advance(-1)


WALL_CLOCKS = {"time", "time_ns", "now", "utcnow", "today", "gmtime", "localtime", "clock_gettime"}
TELL_THE_TIME = {
    "base/clock.py": "everybody else's clock",
    "base/logs.py": "the date on a line of a log",
    "base/syslog.py": "the date on a line of the system's log",
    "cli/shared_verbs/collect_log.py": "the date in a folder's name",
    "cli/dmg/telemetry.py": "the date in the name of a configuration that is kept",
    "cli/dmg/values.py": "how long ago '2h' is",
    "apps/doctor/view.py": "how soon a certificate is over",
    "apps/server/upkeep.py": "the date in the name of a database that is kept",
    "security/authority.py": "the life of a certificate",
    "security/certificates.py": "whether it is over",
    "apps/emulator/hlc.py": "incarnations, which grow also when the clock is set back",
    "apps/emulator/ras.py": "the date on an event",
    "apps/emulator/checker.py": "the dates in a report",
    "apps/emulator/main.py": "the date on a dump",
}
"""All that asks the machine what time it is. No duration is measured by it: clocks jump."""


def readings_of_the_wall_clock(module: ast.AST) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time" | "datetime" | "date"), attr=name)):
                if name in WALL_CLOCKS:
                    yield name
            case ast.ImportFrom(module="time", names=names):
                yield from (alias.name for alias in names if alias.name in WALL_CLOCKS)


def test_nothing_measures_durations_with_a_clock_that_jumps():
    root = Path(daos_control.__file__).parent
    reading = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if any(readings_of_the_wall_clock(ast.parse(path.read_text())))
    }
    assert reading == TELL_THE_TIME.keys()
