import asyncio
import os
import signal

import pytest

from daos_control.base import aio
from daos_control.base.logs import Level
from daos_control.testing.logs import captured_logs


async def forever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise LookupError("no rank 3")


async def test_a_guarded_task_that_fails_is_logged_at_once_and_still_rises():
    with captured_logs() as lines, pytest.raises(LookupError):
        await aio.guard("group map push", fail())
    assert [(line.level, line.event) for line in lines] == [(Level.ERROR, "group map push failed: no rank 3")]
    assert isinstance(lines[0].exception, LookupError)


async def test_a_guarded_task_that_ends_is_news():
    async def done() -> int:
        return 7

    with captured_logs() as lines:
        assert await aio.guard("group map push", done()) == 7
    assert lines[0].level is Level.NOTICE


async def test_a_task_scope_waits_for_its_tasks_and_does_not_wrap_the_error_of_one():
    done = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(1)

    async with aio.task_scope() as group:
        group.create_task(work())
    assert done == [1]
    with pytest.raises(LookupError, match="no rank 3"):
        async with aio.task_scope() as group:
            group.create_task(fail())


async def test_several_errors_of_a_task_scope_rise_together():
    with pytest.raises(ExceptionGroup) as errors:  # noqa: PT012  the second task has to be there when the first fails
        async with aio.task_scope() as group:
            group.create_task(fail())
            group.create_task(fail())
    assert [type(error) for error in errors.value.exceptions] == [LookupError, LookupError]


async def test_background_tasks_end_with_their_block():
    ended = asyncio.Event()

    async def watch() -> None:
        try:
            await forever()
        finally:
            ended.set()

    async with aio.background() as tasks:
        tasks.start("watch", watch())
        await asyncio.sleep(0)
        assert not ended.is_set()
    assert ended.is_set()


async def test_the_blocks_own_error_rises_as_itself():
    async def block() -> None:
        async with aio.background() as tasks:
            tasks.start("watch", forever())
            raise KeyError("k")

    with pytest.raises(KeyError):
        await block()


async def test_a_failing_background_task_ends_the_block_with_its_error():
    async def block() -> None:
        async with aio.background() as tasks:
            tasks.start("watch", fail())
            await forever()

    with captured_logs(), pytest.raises(LookupError):
        await block()


async def test_cancelling_a_block_with_background_tasks_cancels_them_too():
    async def block() -> None:
        async with aio.background() as tasks:
            tasks.start("watch", forever())
            await forever()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await block()


async def test_two_errors_rise_together():
    async def block() -> None:
        async with aio.background() as tasks:
            tasks.start("watch", fail())
            try:
                await forever()
            finally:
                raise KeyError("cleanup")

    with captured_logs(), pytest.raises(ExceptionGroup) as errors:
        await block()
    assert {type(error) for error in errors.value.exceptions} == {LookupError, KeyError}


async def test_map_bounded_keeps_order_and_limit():
    running = highest = 0

    async def double(number: int) -> int:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0)
        running -= 1
        return number * 2

    assert await aio.map_bounded(3, double, range(20)) == [number * 2 for number in range(20)]
    assert highest == 3


async def test_map_bounded_gives_up_at_the_first_failure():
    started: list[int] = []

    async def work(number: int) -> None:
        started.append(number)
        if number == 1:
            raise LookupError(number)
        await forever()

    with pytest.raises(LookupError):
        await aio.map_bounded(2, work, range(10))
    assert started == [0, 1]


async def test_map_bounded_of_nothing():
    assert await aio.map_bounded(4, lambda _: fail(), []) == []


async def test_signals_arrive_in_order_and_none_is_lost():
    with aio.signals(signal.SIGUSR1, signal.SIGUSR2) as received:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        async with asyncio.timeout(5):
            assert await received.get() is signal.SIGUSR1
            assert await received.get() is signal.SIGUSR2
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
