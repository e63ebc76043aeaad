"""A GET: the body, or what went wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from daos_control.net.http1 import HttpError, HttpTimeoutError, Page, get, serve

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@asynccontextmanager
async def answering(*pieces: bytes, heard: Callable[[bytes], None] = lambda _: None) -> AsyncIterator[int]:
    """Serve the same bytes to everybody, whatever they ask."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard(await reader.readuntil(b"\r\n\r\n"))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_body_of_an_answer() -> None:
    asked: list[bytes] = []
    async with answering(OK, b"Content-Length: 2\r\n\r\nup", heard=asked.append) as port:
        assert await get("127.0.0.1", port, "/metrics", timeout_s=5) == b"up"
    assert asked == [f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()]


async def test_a_body_in_chunks() -> None:
    async with answering(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nup\r\n", b"1\r\n!\r\n0\r\n\r\n") as port:
        assert await get("127.0.0.1", port, "/", timeout_s=5) == b"up!"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 Not Found"),
        (OK + b"Content-Length: 100\r\n\r\nup", "not to the end"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nup", "not to the end"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not answer as HTTP"),
        (b"", "not answer as HTTP"),
    ],
    ids=["another status", "cut off", "cut off inside a chunk", "another protocol", "nothing"],
)
async def test_what_is_no_answer_of_success(answer: bytes, problem: str) -> None:
    async with answering(answer) as port:
        with pytest.raises(HttpError, match=problem):
            await get("127.0.0.1", port, "/metrics", timeout_s=5)


async def test_nobody_there() -> None:
    async with answering() as port:
        pass
    with pytest.raises(HttpError, match=rf"http://127.0.0.1:{port}/metrics cannot be reached: connection refused"):
        await get("127.0.0.1", port, "/metrics", timeout_s=5)


async def test_somebody_who_does_not_answer() -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def mute(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(HttpTimeoutError, match=r"did not answer in 0\.05 seconds"):
            await get("127.0.0.1", port, "/metrics", timeout_s=0.05)
        async with asyncio.timeout(5):
            await asked.wait()  # it may hear of the question after that, on a busy machine
        over.set()


async def told() -> str:
    return "up 1\n"


PAGES = {"/metrics": Page(kind="text/plain", text=told)}


async def ask(port: int, question: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(question)
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_page_is_served() -> None:
    async with serve("127.0.0.1", 0, PAGES) as port:
        assert await get("127.0.0.1", port, "/metrics?format=text", timeout_s=5) == b"up 1\n"
        head = await ask(port, b"HEAD /metrics HTTP/1.1\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Content-Length: 5\r\n" in head
        assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("question", "status"),
    [
        (b"GET /other HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"hello\r\n\r\n", b"400"),
    ],
)
async def test_other_questions_are_answered_with_their_status(question: bytes, status: bytes) -> None:
    async with serve("127.0.0.1", 0, PAGES) as port:
        assert (await ask(port, question)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("question", [b"GET /" + b"x" * 100_000, b""], ids=["endless", "none"])
async def test_guests_who_ask_nothing_sensible_are_dropped(question: bytes) -> None:
    async with serve("127.0.0.1", 0, PAGES) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(question)
        writer.write_eof()
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        assert await get("127.0.0.1", port, "/metrics", timeout_s=5) == b"up 1\n", "others are served still"
