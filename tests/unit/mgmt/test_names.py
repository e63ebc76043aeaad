"""Names to addresses, with a name server that may not answer."""

import asyncio
import threading
from collections.abc import Mapping

from daos_control.mgmt.names import Names, look_up


def known(name: str) -> str:
    return {"storage1": "10.0.0.1", "storage2": "10.0.0.2"}[name]


async def test_names_and_addresses() -> None:
    def resolve(name: str) -> str:
        try:
            return known(name)
        except KeyError:
            raise OSError("no such name") from None

    found = await Names(resolve).addresses(["storage1", "storage2:7", "10.0.0.9", "10.0.0.9:0x", "nobody", "storage1:"])
    assert found == {
        "storage1": "10.0.0.1:10001",
        "storage2:7": "10.0.0.2:7",
        "10.0.0.9": "10.0.0.9:10001",
        "10.0.0.9:0x": None,
        "nobody": None,
        "storage1:": "10.0.0.1:10001",
    }


async def test_a_name_server_that_does_not_answer_keeps_nobody_waiting_for_long() -> None:
    stuck, answers = threading.Event(), threading.Event()

    def resolve(name: str) -> str:
        if name.startswith("stuck"):
            stuck.set()
            answers.wait(30)
        return "10.0.0.1"

    names = Names(resolve, limit_s=0.1, at_once=100)
    try:
        found = await until_found(names, "good", ["stuck1", "stuck2", "good"])
        assert found == {"stuck1": None, "stuck2": None, "good": "10.0.0.1:10001"}
        assert stuck.is_set()
        found = await until_found(names, "good", ["good", "10.0.0.8"])
        assert found == {"good": "10.0.0.1:10001", "10.0.0.8": "10.0.0.8:10001"}
    finally:
        answers.set()


async def until_found(names: Names, host: str, hosts: list[str]) -> Mapping[str, str | None]:
    """Look these hosts up until one is found: on a busy machine the time may be over before a thread has begun."""
    async with asyncio.timeout(10):
        while not (found := await names.addresses(hosts))[host]:
            pass
    return found


async def test_threads_are_not_spent_without_end() -> None:
    answers = threading.Event()
    running: list[str] = []

    def resolve(name: str) -> str:
        running.append(name)
        answers.wait(30)
        return "10.0.0.1"

    names = Names(resolve, limit_s=0.1, at_once=2)
    try:
        await names.addresses([f"stuck{number}" for number in range(50)])
        async with asyncio.timeout(10):
            while len(running) < 2:  # noqa: ASYNC110 - threads, which may be late to begin
                await asyncio.sleep(0.001)
        assert await names.addresses(["late", "10.0.0.8"]) == {"late": None, "10.0.0.8": "10.0.0.8:10001"}
        assert len(running) == 2
    finally:
        answers.set()


def test_the_library_is_asked_for_ipv4() -> None:
    assert look_up("localhost").startswith("127.")
