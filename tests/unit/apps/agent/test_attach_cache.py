"""One call to the management service serves everybody who asks meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from daos_control.apps.agent.attach_cache import AttachInfoCache
from daos_control.apps.agent.attach_info import AttachInfo
from daos_control.base.errors import RaftUnavailable
from daos_control.testing.clock import ManualClock
from daos_control.wire.pb.mgmt.svc_pb2 import ClientNetHint


def info(version: int) -> AttachInfo:
    return AttachInfo(provider="ofi+tcp", dev_class=1, srv_srx_set=0, common=b"%d" % version, hint=ClientNetHint())


class ManagementService:
    """Answers with a new version each time, once it is let; fails on demand."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = False
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = asyncio.Event()

    async def fetch(self) -> AttachInfo:
        self.calls += 1
        version = self.calls
        self.asked.set()
        await asyncio.sleep(0)
        await self.answers.wait()
        if self.fails:
            raise RaftUnavailable
        return info(version)


async def gathered(count: int, call: Callable[[], Awaitable[AttachInfo]]) -> list[AttachInfo | Exception]:
    results: list[AttachInfo | Exception] = []

    async def one() -> None:
        try:
            results.append(await call())
        except RaftUnavailable as error:
            results.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())
    return results


async def test_clients_that_ask_together_share_one_call():
    ms = ManagementService()
    cache = AttachInfoCache(ms.fetch, clock=ManualClock())

    results = await gathered(20, cache.get)

    assert ms.calls == 1
    assert results == [info(1)] * 20


async def test_clients_that_wait_for_a_failing_call_share_its_failure_and_the_next_one_tries_again():
    ms = ManagementService()
    ms.fails = True
    cache = AttachInfoCache(ms.fetch, clock=ManualClock())

    results = await gathered(20, cache.get)

    assert ms.calls == 1
    assert all(isinstance(result, RaftUnavailable) for result in results)
    ms.fails = False
    assert await cache.get() == info(2)


async def test_a_client_that_gives_up_leaves_the_call_to_the_next_in_line():
    ms = ManagementService()
    ms.answers.clear()
    cache = AttachInfoCache(ms.fetch, clock=ManualClock())
    async with asyncio.TaskGroup() as group:
        first = group.create_task(cache.get())
        await ms.asked.wait()
        second = group.create_task(cache.get())
        first.cancel()
        ms.answers.set()
        assert await second == info(2)


async def test_an_entry_is_kept_for_ever_unless_told_otherwise():
    clock, ms = ManualClock(), ManagementService()
    cache = AttachInfoCache(ms.fetch, clock=clock)
    await cache.get()

    clock.advance(10**9)

    assert await cache.get() == info(1)


async def test_an_entry_that_has_aged_is_fetched_again():
    clock, ms = ManualClock(), ManagementService()
    cache = AttachInfoCache(ms.fetch, clock=clock, max_age_s=60)
    await cache.get()

    clock.advance(60)
    assert await cache.get() == info(1)
    clock.advance(1)
    assert await cache.get() == info(2)


async def test_refresh_fetches_what_was_fetched_before_and_nothing_else():
    ms = ManagementService()
    cache = AttachInfoCache(ms.fetch, clock=ManualClock())

    await cache.refresh()
    assert ms.calls == 0
    await cache.get()
    await cache.refresh()
    assert await cache.get() == info(2)


async def test_a_refresh_that_fails_keeps_the_old_entry():
    ms = ManagementService()
    cache = AttachInfoCache(ms.fetch, clock=ManualClock())
    await cache.get()
    ms.fails = True

    with pytest.raises(RaftUnavailable):
        await cache.refresh()

    assert await cache.get() == info(1)


async def test_without_caching_every_client_gets_a_call_of_its_own():
    ms = ManagementService()
    cache = AttachInfoCache(ms.fetch, clock=ManualClock(), enabled=False)

    assert [await cache.get(), await cache.get()] == [info(1), info(2)]
