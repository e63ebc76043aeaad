"""Calls between engines, over loopback."""

import asyncio

import msgspec
import pytest

from daos_control.apps.emulator import fabric
from daos_control.base.der import Der
from daos_control.base.errors import DaosError


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
    if request.value == 99:
        await asyncio.Event().wait()
    return Number(2 * request.value)


SERVICES = {"Double": fabric.Service(Double, double)}


async def ask(port: int, value: int, request: type[Number] = Double) -> int:
    return (await fabric.Network().call(f"x://127.0.0.1:{port}", request(value), Number, timeout_s=0.5)).value


async def test_an_answer() -> None:
    async with fabric.listen("127.0.0.1", 0, lambda _: SERVICES) as port:
        assert await asyncio.gather(ask(port, 1), ask(port, 21)) == [2, 42]


@pytest.mark.parametrize(
    ("value", "request_type", "status"),
    [
        (-1, Double, Der.NOSPACE),
        (13, Double, Der.MISC),
        (99, Double, Der.TIMEDOUT),
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
