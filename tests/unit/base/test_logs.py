import json
import logging
import re
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from daos_control.base import logs
from daos_control.testing.logs import LogLine, captured_logs

log = logs.get("daos_control.test")


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("daos_control")
    before = list(root.handlers), root.level, ours.level
    yield
    for handler in [h for h in root.handlers if h not in before[0]]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(before[1])
    ours.setLevel(before[2])


def test_the_console_shows_bare_events_with_their_fields(capsys):
    logs.configure(program="daos_server")
    log.info("SCM format required on instance 0")
    log.notice("only one replica", count=1)
    log.error("engine exited", rank=3, reason='no "space" left', empty="")
    log.debug("not shown")
    captured = capsys.readouterr()
    assert captured.out == "SCM format required on instance 0\n"
    assert (
        captured.err
        == 'NOTICE: only one replica count=1\nERROR: engine exited rank=3 reason="no \\"space\\" left" empty=""\n'
    )


def test_a_value_from_outside_cannot_forge_a_line(capsys):
    logs.configure(program="daos_server")
    log.info("bad caller\nERROR: all is lost", name="x\nNOTICE: y\x1b[2J")
    assert capsys.readouterr().out == 'bad caller\\nERROR: all is lost name="x\\nNOTICE: y\\u001b[2J"\n'


def test_percent_signs_and_braces_are_just_text(capsys):
    logs.configure(program="daos_server")
    log.info("100 %s {0} full")
    assert capsys.readouterr().out == "100 %s {0} full\n"


def test_debug_lines_say_where_they_come_from(capsys):
    logs.configure(program="daos_server", level=logs.Level.TRACE)
    log.trace("step", n=1)
    assert re.fullmatch(
        r"TRACE \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} test_logs\.py:\d+: step n=1\n", capsys.readouterr().err
    )


def test_the_file_carries_host_level_and_time(tmp_path, capsys):
    logs.configure(program="daos_server", file=tmp_path / "server.log")
    log.info("hello", rank=1)
    assert capsys.readouterr().out.splitlines()[0] == f"daos_server logging to file {tmp_path / 'server.log'}"
    lines = (tmp_path / "server.log").read_text().splitlines()
    assert re.fullmatch(r"\S+ INFO \d{4}/\d\d/\d\d \d\d:\d\d:\d\d hello rank=1", lines[-1])


def test_the_file_of_a_command_names_the_command_and_nobody_is_told_of_it(tmp_path, capsys):
    logs.configure(program="dmg", file=tmp_path / "dmg.log", command=True)
    log.notice("hello")
    assert capsys.readouterr() == ("", "NOTICE: hello\n")
    assert re.fullmatch(r"dmg NOTICE \d{4}/\d\d/\d\d \d\d:\d\d:\d\d hello\n", (tmp_path / "dmg.log").read_text())


def test_what_somebody_has_been_shown_goes_to_the_file_alone_and_as_it_was(tmp_path, capsys):
    logs.configure(program="dmg", file=tmp_path / "dmg.log", command=True)
    log.shown(logs.Level.INFO, "Rank State\n---- -----\n")
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "dmg.log").read_text().endswith(" Rank State\n---- -----\n\n")


def test_json_lines_keep_the_names_of_daos(tmp_path, capsys):
    logs.configure(program="daos_server", file=tmp_path / "server.log", json=True, level=logs.Level.DEBUG)
    log.info("hello", rank=1)
    log.debug("detail")
    info, debug = (json.loads(line) for line in (tmp_path / "server.log").read_text().splitlines()[-2:])
    assert list(info) == ["level", "time", "extra", "message", "fields"]
    assert (info["level"], info["message"], info["fields"]) == ("INFO", "hello", {"rank": 1})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d{4}|Z)", info["time"])
    assert debug["source"].startswith("test_logs.py:")
    assert "extra" not in json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_rotated_log_file_is_opened_anew_without_a_signal(tmp_path):
    path = tmp_path / "server.log"
    logs.configure(program="daos_server", file=path, console=False)
    log.info("one")
    path.rename(tmp_path / "server.log.1")
    log.info("two")
    assert (tmp_path / "server.log.1").read_text().splitlines()[-1].endswith(" one")
    assert path.read_text().splitlines()[-1].endswith(" two")


def test_a_log_file_that_cannot_be_opened_is_the_callers_to_report(tmp_path):
    with pytest.raises(FileNotFoundError):
        logs.configure(program="daos_server", file=tmp_path / "nowhere" / "server.log")


def test_lost_lines_are_reported_once_and_counted(tmp_path, capsys):
    folder = tmp_path / "log"
    folder.mkdir()
    path = folder / "server.log"
    logs.configure(program="daos_server", file=path, console=False)
    path.unlink()
    folder.rename(tmp_path / "gone")
    log.info("lost 1")
    log.info("lost 2")
    assert capsys.readouterr().err.count("cannot write log file") == 1
    folder.mkdir()
    log.info("back")
    first, second = path.read_text().splitlines()
    assert "2 lines" in first
    assert second.endswith(" back")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_not_a_traceback(capsys):
    logs.configure(program="daos_server", file="/dev/full", console=False)
    log.info("no room")
    err = capsys.readouterr().err
    assert "No space left on device" in err
    assert "Traceback" not in err


def test_a_closed_console_does_not_disturb(monkeypatch):
    closed = StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    logs.configure(program="daos_server")
    log.info("nobody listens")


def test_configuring_again_replaces_the_first(tmp_path, capsys):
    logs.configure(program="daos_server")
    logs.configure(program="daos_server")
    log.info("once")
    assert capsys.readouterr().out == "once\n"


def test_other_packages_show_their_warnings_only(capsys):
    logs.configure(program="daos_server")
    logging.getLogger("asyncio").info("quiet")
    logging.getLogger("asyncio").warning("loud %d", 1)
    assert capsys.readouterr() == ("", "NOTICE: loud 1\n")


def test_a_level_of_disabled_silences_everything(capsys):
    logs.configure(program="daos_server", level=logs.Level.DISABLED)
    log.error("shout")
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_shown_with_its_traceback(capsys):
    logs.configure(program="daos_server")
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as error:
        log.error("worker failed", exception=error)
    err = capsys.readouterr().err
    assert err.startswith("ERROR: worker failed\nTraceback")
    assert "ZeroDivisionError" in err


async def test_bound_fields_reach_every_line_inside():
    async def elsewhere() -> None:
        log.info("inside", rank=2)

    with captured_logs() as lines:
        with logs.bound(request="r1"), logs.bound(pool="p1"):
            await elsewhere()
        log.info("outside")
    assert lines == [
        LogLine(level=logs.Level.INFO, event="inside", fields={"request": "r1", "pool": "p1", "rank": 2}),
        LogLine(level=logs.Level.INFO, event="outside"),
    ]


@pytest.mark.parametrize(
    ("word", "level"), [("info", logs.Level.INFO), ("Notice", logs.Level.NOTICE), ("DISABLED", logs.Level.DISABLED)]
)
def test_level_words(word, level):
    assert logs.Level.parse(word) is level


def test_a_bad_level_word_lists_the_good_ones():
    with pytest.raises(ValueError, match=r"'loud': use one of TRACE, DEBUG, INFO, NOTICE, ERROR, DISABLED"):
        logs.Level.parse("loud")


def test_nowhere_is_nowhere(capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure(program="p", console=False)
    logs.get("x").error("nobody hears")
    assert capsys.readouterr() == ("", "")
