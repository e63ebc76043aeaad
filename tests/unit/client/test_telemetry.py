"""Metrics over HTTP: who is asked again, and when it is over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from daos_control.client import telemetry
from daos_control.client.daos import DaosClient
from daos_control.net.http1 import HttpTimeoutError

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nup 1\n"
Guest = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def host(answer: Guest) -> AsyncIterator[int]:
    guests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal guests
        guests += 1
        await reader.readuntil(b"\r\n\r\n")
        await answer(guests, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_who_does_not_answer_in_time_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "PAUSE_S", 0.0)
    over = asyncio.Event()

    async def slow_at_first(guest: int, writer: asyncio.StreamWriter) -> None:
        if guest < 3:
            await over.wait()
        else:
            writer.write(PAGE)

    async with host(slow_at_first) as port, DaosClient.connect(["127.0.0.1"]) as daos:
        [one] = await daos.telemetry.metrics("127.0.0.1", port=port, timeout_s=0.5)
        assert one.name == "up"
        over.set()


@pytest.mark.parametrize("way", ["timeout", "interrupt"])
async def test_waiting_ends_when_somebody_has_had_enough(way: str) -> None:
    over = asyncio.Event()
    daos = DaosClient.connect(["127.0.0.1"], timeout_s=0.05 if way == "timeout" else None)

    async def mute(_: int, __: asyncio.StreamWriter) -> None:
        if way == "interrupt":
            daos.waiting.interrupt()
        await over.wait()

    async with host(mute) as port, daos:
        with pytest.raises(HttpTimeoutError, match="did not answer in time"):
            await daos.telemetry.metrics("127.0.0.1", port=port)
        over.set()
