import asyncio
import socket
from collections.abc import Iterator

import pytest

from daos_control.net.grpc.wire import Wire

LARGE = bytes(range(256)) * (1 << 14)


class User:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.news = asyncio.Event()
        self.on_data = self.note

    def note(self, what: object) -> None:
        self.told.append(what)
        self.news.set()

    def data_received(self, data: bytes) -> None:
        self.on_data(data)

    def pause_writing(self) -> None:
        self.note("pause")

    def resume_writing(self) -> None:
        self.note("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.note(exc)

    async def until(self, *told: object) -> None:
        async with asyncio.timeout(5):
            while self.told != list(told):
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Ours and the peer's."""
    ours, peers = socket.socketpair()
    for one in (ours, peers):
        one.setblocking(False)
    with peers:
        yield ours, peers


async def received(peer: socket.socket, size: int) -> bytes:
    found = b""
    async with asyncio.timeout(5):
        while len(found) < size and (piece := await asyncio.get_running_loop().sock_recv(peer, 1 << 20)):
            found += piece
    return found


async def test_what_comes_is_passed_on_and_the_end_closes(sockets):
    ours, peer = sockets
    user = User()
    Wire(ours, user)
    peer.send(b"hello")
    await user.until(b"hello")
    peer.close()
    await user.until(b"hello", None)
    assert ours.fileno() == -1


async def test_more_than_the_kernel_takes_waits_in_order_and_the_user_is_asked_to_hold_back(sockets):
    ours, peer = sockets
    user = User()
    wire = Wire(ours, user)
    wire.write(LARGE)
    wire.write(b"the end")
    assert user.told == ["pause"]
    assert wire.unsent
    assert await received(peer, len(LARGE) + 7) == LARGE + b"the end"
    await user.until("pause", "resume")
    assert not wire.unsent
    wire.abort()
    await user.until("pause", "resume", None)


async def test_closing_waits_for_what_was_written(sockets):
    ours, peer = sockets
    user = User()
    wire = Wire(ours, user)
    wire.write(LARGE)
    wire.close()
    wire.write(b"too late")
    assert wire.is_closing
    assert await received(peer, len(LARGE) + 1) == LARGE
    await user.until("pause", None)


async def test_aborting_waits_for_nothing_and_the_user_hears_of_it_once_and_later(sockets):
    ours, peer = sockets
    user = User()
    wire = Wire(ours, user)
    wire.write(LARGE)
    wire.abort()
    wire.abort()
    wire.close()
    assert user.told == ["pause"]
    await user.until("pause", None)
    assert len(await received(peer, len(LARGE))) < len(LARGE)


async def test_an_error_of_the_socket_ends_it(sockets):
    ours, peer = sockets
    user = User()
    wire = Wire(ours, user)
    peer.close()
    wire.write(b"to nobody")
    assert wire.is_closing
    async with asyncio.timeout(5):
        await user.news.wait()
    [error] = user.told
    assert isinstance(error, BrokenPipeError)


async def test_a_bug_above_costs_its_connection_and_is_reported(sockets):
    ours, peer = sockets
    user = User()
    reported: list[dict[str, object]] = []

    def fail(data: bytes) -> None:
        raise ZeroDivisionError(data)

    user.on_data = fail
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context))
    Wire(ours, user)
    peer.send(b"hello")
    await user.until(None)
    assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]
    assert await received(peer, 1) == b""
