"""The line that lives at a terminal, and the lines that are written elsewhere; in virtual time."""

import asyncio
import io
from collections.abc import Callable

import pytest

from daos_control.cli.ui.progress import WIPE, Display, is_live, line
from daos_control.client.waiting import Wait, Waiting
from daos_control.testing.clock import ManualClock
from daos_control.testing.virtual_time import in_virtual_time


class LoopClock(ManualClock):
    """A clock that shows the loop's time."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def shown(*, live: bool, seconds: float, during: Callable[[Wait], object] = lambda _: None) -> str:
    """Return what is written while one request is out for so long."""
    out = io.StringIO()

    async def play() -> None:
        waiting = Waiting(LoopClock())
        display = Display(waiting, out, live=live, columns=lambda: 100)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(display.run())
            with waiting.on("StorageFormat", total=4) as wait, wait.asking("node7:10001"):
                during(wait)
                await asyncio.sleep(seconds)
            task.cancel()
        display.clear()

    in_virtual_time(play())
    return out.getvalue()


@pytest.mark.parametrize("live", [True, False])
def test_a_short_wait_is_not_worth_a_word(live: bool) -> None:
    assert shown(live=live, seconds=0.9) == ""


def test_a_terminal_has_one_line_that_is_wiped_in_the_end() -> None:
    def advance(wait: Wait) -> None:
        wait.done = 3

    text = shown(live=True, seconds=2.05, during=advance)
    assert text.endswith(WIPE)
    assert "\n" not in text
    drawn = [part for part in text.split(WIPE) if part]
    assert drawn[0].startswith("StorageFormat [##################      ] 3 of 4 hosts, 1 s, waiting for node7:10001")
    assert len(drawn) == 6


def test_elsewhere_it_is_lines_and_only_if_there_is_something_new() -> None:
    lines = shown(live=False, seconds=60).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("waiting for StorageFormat on node7:10001 (0 of 4 hosts are done) (since ")
    assert lines[0].endswith(", 2 s)")


def test_elsewhere_news_are_told_every_ten_seconds() -> None:
    def advance(wait: Wait) -> None:
        for number in range(1, 4):
            asyncio.get_running_loop().call_later(number, setattr, wait, "done", number)

    lines = shown(live=False, seconds=30, during=advance).splitlines()
    assert [line_.partition(" (")[2].partition(" of")[0] for line_ in lines] == ["2", "3"]


def test_a_line_is_cut_to_the_terminal() -> None:
    wait = Wait("PoolCreate of ranks 0-2047")
    wait.trouble = "not the leader"
    assert line(wait, 2, 200) == "PoolCreate of ranks 0-2047: 0 s, so far: not the leader, and 2 more requests"
    assert line(wait, 2, 20) == "PoolCreate of ran..."


def test_a_bar_makes_room_for_words() -> None:
    wait = Wait("StorageScan", total=3)
    wait.missing = "127.64.1.1:10001"
    wait.done = 2
    assert line(wait, 0, 80) == "StorageScan [############      ] 2 of 3 hosts, 0 s, waiting for 127.64.1.1:10001"
    assert line(wait, 0, 60).startswith("StorageScan [#####   ] 2 of 3 hosts, 0 s, waiting for ")


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    assert is_live(Terminal())
    assert not is_live(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_live(Terminal())
