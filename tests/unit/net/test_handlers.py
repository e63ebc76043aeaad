"""What a caller leaves of its time for the work it asks for."""

import asyncio

import pytest

from daos_control.net.rpc.handlers import WAY_BACK_S, Caller
from daos_control.testing.virtual_time import StuckError, in_virtual_time


def left(deadline: float | None, *, now: float = 0.0) -> float:
    async def play() -> float:
        await asyncio.sleep(now)
        return Caller(component=None, address="", deadline=deadline).time_to_answer_s(at_most=600)

    return in_virtual_time(play())


def test_a_caller_without_a_deadline_waits_for_as_long_as_work_may_take() -> None:
    assert left(None) == 600


@pytest.mark.parametrize(
    ("deadline", "now", "work_s"),
    [(10_000.0, 0.0, 600.0), (300.0, 0.0, 300.0 - WAY_BACK_S), (300.0, 290.0, 9.0), (300.0, 300.0, 0.0), (1.0, 9.0, 0)],
)
def test_the_answer_gets_back_in_time(deadline: float, now: float, work_s: float) -> None:
    assert left(deadline, now=now) == work_s


def test_virtual_time_does_not_wait_for_what_never_comes() -> None:
    async def play() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError):
        in_virtual_time(play())


def test_an_hour_passes_at_once_and_in_order() -> None:
    async def play() -> list[float]:
        loop = asyncio.get_running_loop()
        heard: list[float] = []
        loop.call_later(3600, lambda: heard.append(loop.time()))
        loop.call_later(60, lambda: heard.append(loop.time()))
        await asyncio.sleep(3600)
        await asyncio.sleep(0)
        return heard

    assert in_virtual_time(play()) == [60, 3600]
