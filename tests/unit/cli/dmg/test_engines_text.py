"""How ``dmg system engines`` lays engines out."""

from dataclasses import replace
from datetime import UTC, datetime

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.cli.dmg.engines import engines_document, engines_text
from daos_control.client.engines import Engine, EnginesReport, LastExit, RestartLimits

LIMITS = RestartLimits(enabled=True, min_delay_s=300.0, limit=4, window_s=4800.0, settled_s=300.0)
THEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
READY = Engine(
    host="10.0.0.1:10001",
    hostname="storage1",
    index=0,
    rank=0,
    uuid="6f0c4a3e-0f8a-4f0e-8a48-5a1b6f9c2d11",
    state="ready",
    since=THEN,
    pid=4711,
    restarts_in_window=0,
    restarts_total=0,
    last_exit=None,
    restart_at=None,
    stays_down="",
    limits=LIMITS,
)
ENDED = LastExit(
    at=THEN,
    text="/usr/bin/daos_engine exited: signal: segmentation fault",
    pid=4711,
    code=None,
    signal=11,
    wanted=False,
    self_terminated=False,
    served_s=12.0,
)
DOWN = replace(READY, state="stopped", pid=None, last_exit=ENDED, stays_down="it did not end itself")


def report(*engines: Engine) -> EnginesReport:
    return EnginesReport(engines=engines, problems=(), absent_ranks=RankSet(), absent_hosts=HostSet())


def test_engines_that_fare_alike_are_folded():
    excluded = replace(ENDED, self_terminated=True)
    given_up = replace(
        DOWN,
        rank=7,
        last_exit=excluded,
        restarts_in_window=4,
        restarts_total=9,
        stays_down="it was restarted too often",
    )
    text = engines_text(
        report(
            *(replace(READY, rank=rank) for rank in (0, 1, 2, 5)),
            *(replace(DOWN, rank=rank) for rank in (3, 4)),
            given_up,
            replace(READY, rank=None, index=1, state="awaiting format"),
        ),
        verbose=False,
    )
    assert [line.rstrip() for line in text.splitlines()] == [
        "Rank                           State           Restarts         Last Exit                  Next",
        "----                           -----           --------         ---------                  ----",
        "[0-2,5]                        ready           0                -                          -",
        (
            "[3-4]                          stopped         0                signal: segmentation fault"
            " stays down: it did not end itself"
        ),
        (
            "7                              stopped         4 of 4, 9 in all ended itself: excluded    "
            " stays down: it was restarted too often"
        ),
        "none (10.0.0.1:10001 engine 1) awaiting format 0                -                          -",
        "",
    ]


def test_verbose_shows_each_engine_and_the_rule():
    text = engines_text(report(READY, replace(DOWN, rank=1)), verbose=True)
    assert "4711" in text
    assert text.count("10.0.0.1:10001") == 2
    assert text.endswith(
        "An engine that ends itself because it is excluded is restarted: at least 300 s after the last time, twice as "
        "long each time it did not help, 4 times in 4800 s.\n"
    )
    off = replace(READY, limits=replace(LIMITS, enabled=False))
    assert engines_text(report(off), verbose=True).endswith("disable_engine_auto_restart is set.\n")


def test_the_document_has_the_records_keys():
    (engine,) = engines_document(report(DOWN))["engines"]
    assert engine["rank"] == 0
    assert engine["since"] == "2026-03-04T05:06:07Z"
    assert engine["last_exit"]["signal"] == 11
    assert engine["limits"]["limit"] == 4
    assert engines_document(report()) == {"engines": [], "host_errors": {}, "absent_ranks": [], "absent_hosts": ""}
