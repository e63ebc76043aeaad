"""Calls between engines, over loopback."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import msgspec
import pytest

from daos_control.apps.emulator import fabric
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

NEVER = 99
"""What is never answered."""


class Number(msgspec.Struct):
    value: int


class Double(Number):
    pass


class Treble(Number):
    pass


async def double(request: Number) -> Number:
    if request.value < 0:
        raise DaosError(Der.NOSPACE)
    if request.value == 13:
        raise RuntimeError("a bug")
    if request.value == NEVER:
        await asyncio.Event().wait()
    return Number(2 * request.value)


SERVICES = {"Double": fabric.Service(Double, double)}


@contextmanager
def network() -> Iterator[fabric.Network]:
    made = fabric.Network()
    try:
        yield made
    finally:
        made.close()


async def ask(port: int, value: int, request: type[Number] = Double) -> int:
    with network() as fresh:
        return await ask_over(fresh, port, value, request)


async def ask_over(used: fabric.Network, port: int, value: int, request: type[Number] = Double) -> int:
    # Who is answered is so at once, but a busy machine may take its time.
    timeout_s = 0.5 if value == NEVER else 10.0
    return (await used.call(f"x://127.0.0.1:{port}", request(value), Number, timeout_s=timeout_s)).value


async def test_an_answer() -> None:
    async with fabric.listen("127.0.0.1", 0, lambda _: SERVICES) as port:
        assert await asyncio.gather(ask(port, 1), ask(port, 21)) == [2, 42]


@pytest.mark.parametrize(
    ("value", "request_type", "status"),
    [
        (-1, Double, Der.NOSPACE),
        (13, Double, Der.MISC),
        (NEVER, Double, Der.TIMEDOUT),
        (1, Treble, Der.UNREG),
    ],
)
async def test_failures(value: int, request_type: type[Number], status: Der) -> None:
    async with fabric.listen("127.0.0.1", 0, lambda _: SERVICES) as port:
        with pytest.raises(DaosError) as error:
            await ask(port, value, request_type)
        assert error.value.status == status


async def test_nobody_there() -> None:
    async with fabric.listen("127.0.0.1", 0, lambda _: SERVICES) as port:
        pass
    with pytest.raises(DaosError) as error:
        await ask(port, 1)
    assert error.value.status == Der.UNREACH


@pytest.mark.parametrize("noise", [b"", b"\xff\xff\xff\xff", b"\0\0\0\1\xc1", b"GET / HTTP/1.0\r\n\r\n"])
async def test_noise_hurts_nobody(noise: bytes) -> None:
    async with fabric.listen("127.0.0.1", 0, lambda _: SERVICES) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(noise)
        writer.write_eof()
        await writer.drain()
        assert await ask(port, 3) == 6
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """Answer as engines do, and keep those who have connected."""
    connected: list[asyncio.StreamWriter] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        with suppress(EOFError, OSError):
            while True:
                length = int.from_bytes(await reader.readexactly(4), "big")
                request = msgspec.msgpack.decode(await reader.readexactly(length))
                answer = msgspec.msgpack.encode(
                    {"number": request["number"], "status": 0, "body": {"value": 2 * request["body"]["value"]}}
                )
                writer.write(len(answer).to_bytes(4, "big") + answer)
        writer.close()

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], connected
        for writer in connected:
            writer.close()
            await writer.wait_closed()


async def test_all_calls_to_a_peer_take_one_connection() -> None:
    async with counting() as (port, connected):
        with network() as used:
            answers = await asyncio.gather(*(ask_over(used, port, value) for value in range(50)))
            assert answers == [2 * value for value in range(50)]
            assert await ask_over(used, port, 21) == 42
    assert len(connected) == 1


async def test_a_call_that_is_late_holds_up_no_other() -> None:
    async with fabric.listen("127.0.0.1", 0, lambda _: SERVICES) as port:
        with network() as used:
            late, *others = await asyncio.gather(
                *(ask_over(used, port, value) for value in (NEVER, 1, 2)), return_exceptions=True
            )
            assert others == [2, 4]
            assert isinstance(late, DaosError)
            assert late.status == Der.TIMEDOUT
            assert await ask_over(used, port, 3) == 6


async def test_a_peer_that_goes_away_is_not_waited_for_and_found_again_when_it_is_back() -> None:
    with network() as used:
        async with fabric.listen("127.0.0.1", 0, lambda _: SERVICES) as port:
            assert await ask_over(used, port, 1) == 2
            waiting = asyncio.gather(ask_over(used, port, NEVER), return_exceptions=True)
            await asyncio.sleep(0)
        [error] = await waiting
        assert isinstance(error, DaosError)
        assert error.status == Der.UNREACH
        with pytest.raises(DaosError) as refused:
            await ask_over(used, port, 1)
        assert refused.value.status == Der.UNREACH
        async with fabric.listen("127.0.0.1", port, lambda _: SERVICES):
            assert await ask_over(used, port, 2) == 4


async def test_of_many_peers_those_not_called_for_longest_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fabric, "MOST_LINKS", 2)
    async with counting() as (first, called_first), counting() as (second, _), counting() as (third, _):
        with network() as used:
            for port in (first, second, third, second, third, first):
                assert await ask_over(used, port, 1) == 2
    assert len(called_first) == 2
