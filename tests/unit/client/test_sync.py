"""The client without an event loop: it waits, can be interrupted, and leaves nothing behind."""

import asyncio
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from daos_control.base.errors import ClientClosed
from daos_control.client.daos import DaosClient
from daos_control.client.sync import SyncDaosClient
from daos_control.model.journal import Cause, Entry, Moved
from daos_control.model.member_state import MemberState
from daos_control.testing.answers import Answers
from daos_control.wire.convert.journal import entry_to_pb
from daos_control.wire.pb.control.system_pb2 import ListEventsResp

FORGETFUL = """
from daos_control.client import DaosClient, SyncDaosClient
from daos_control.testing.answers import Answers
from daos_control.wire.pb.mgmt.system_pb2 import SystemQueryResp

daos = SyncDaosClient(lambda: DaosClient(Answers(SystemQuery=SystemQueryResp(providers=["ofi+tcp"])), ["a"]))
print(daos.system.query().providers)
"""


class Silence:
    """Hosts that take requests and never answer."""

    def __init__(self) -> None:
        self.asked, self.given_up, self.closed = threading.Event(), threading.Event(), threading.Event()

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None: ...

    async def call(self, address: str, method: Any, request: Any, *, timeout_s: float | None = None) -> Any:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()

    async def aclose(self) -> None:
        self.closed.set()


@pytest.fixture
def history() -> DaosClient:
    """A system whose journal begins with entry 5 and ends with entry 7."""
    moved = Moved(
        rank=1,
        before=MemberState.UNKNOWN,
        after=MemberState.JOINED,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        addr="a:10001",
        map_version=2,
        cause=Cause(),
    )
    return DaosClient(
        Answers(ListEvents=ListEventsResp(entries=[entry_to_pb(Entry(7, moved))], last=7, oldest=5)), ["a"]
    )


def test_it_waits_for_answers_from_another_thread(system_of_one: DaosClient) -> None:
    with SyncDaosClient(lambda: system_of_one) as daos:
        assert [member.rank for member in daos.system.query().members] == [0]


def test_one_expression_is_enough(system_of_one: DaosClient) -> None:
    assert len(SyncDaosClient(lambda: system_of_one).system.query().members) == 1


def test_a_program_that_forgets_to_close_it_ends_all_the_same() -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", FORGETFUL],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "('ofi+tcp',)\n", "")


def test_an_interrupt_ends_the_call_and_not_only_the_wait_for_it() -> None:
    hosts = Silence()
    main = threading.main_thread().ident
    assert main is not None
    with SyncDaosClient(lambda: DaosClient(hosts, ["a"])) as daos, ThreadPoolExecutor(1) as beside:
        beside.submit(_interrupt, hosts, main)
        with pytest.raises(KeyboardInterrupt):
            daos.system.query()
        assert hosts.given_up.wait(30)
        assert not hosts.closed.is_set()


def _interrupt(hosts: Silence, thread: int) -> None:
    if hosts.asked.wait(30):
        signal.pthread_kill(thread, signal.SIGINT)


def test_closing_it_ends_calls_of_other_threads() -> None:
    hosts = Silence()
    daos = SyncDaosClient(lambda: DaosClient(hosts, ["a"]))
    with ThreadPoolExecutor(1) as beside:
        call = beside.submit(daos.system.query)
        assert hosts.asked.wait(30)
        daos.close()
        with pytest.raises(ClientClosed):
            call.result(30)
    assert hosts.closed.is_set()


def test_a_closed_one_says_so(system_of_one: DaosClient) -> None:
    before = threading.active_count()
    with SyncDaosClient(lambda: system_of_one) as daos:
        pass
    daos.close()
    with pytest.raises(ClientClosed, match="closed"):
        daos.system.query()
    assert threading.active_count() == before


def test_what_cannot_be_made_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(OSError, match="no such"):
        SyncDaosClient(_nothing)
    assert threading.active_count() == before


def _nothing() -> DaosClient:
    raise OSError("no such thing")


def test_it_waits_inside_an_event_loop_too(system_of_one: DaosClient) -> None:
    async def program() -> int:
        with SyncDaosClient(lambda: system_of_one) as daos:
            return len(daos.system.query().members)

    assert asyncio.run(program()) == 1


def test_a_callback_that_would_wait_for_itself_is_refused(history: DaosClient) -> None:
    refused: list[BaseException] = []

    def missed(_: int) -> None:
        try:
            daos.system.query()
        except RuntimeError as error:
            refused.append(error)

    with SyncDaosClient(lambda: history) as daos:
        stream = daos.events.follow(after=1, missed=missed)
        assert next(stream).sequence == 7
        stream.close()
    assert "callback" in str(refused[0])


def test_following_ends_with_the_client(history: DaosClient) -> None:
    with SyncDaosClient(lambda: history) as daos:
        stream = daos.events.follow(after=6)
        assert next(stream).sequence == 7
    stream.close()
    with pytest.raises(ClientClosed):
        next(daos.events.follow(after=6))
