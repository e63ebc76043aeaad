"""Who a client is, as the agent vouches for it."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from daos_control.apps.agent.credentials import Credentials
from daos_control.apps.agent.identity import Identity, UnknownGroup, UnknownUser, UserMap
from daos_control.net.drpc.server import Peer
from daos_control.testing.clock import ManualClock
from daos_control.wire.pb.security.auth_pb2 import GetCredResp, Sys, Token

ALICE = Identity(user="alice", group="research", groups=("alice", "research"))
MAPPED = Identity(user="mapped", group="maps")


class Database:
    """A user database that counts look-ups."""

    def __init__(self) -> None:
        self.look_ups = 0
        self.answers = threading.Event()
        self.answers.set()
        self.asked = threading.Event()

    def look_up(self, uid: int, gid: int) -> Identity:
        self.look_ups += 1
        self.asked.set()
        self.answers.wait(10)
        if uid != 1000:
            raise UnknownUser(f"uid {uid}")
        if gid != 100:
            raise UnknownGroup(f"gid {gid}")
        return ALICE


class Key:
    """Signs, and counts how often."""

    def __init__(self) -> None:
        self.signed = 0
        self.broken = False

    def sign(self, token: Token) -> bytes:
        self.signed += 1
        if self.broken:
            raise ValueError("key too small")
        return b"signed:" + token.data


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def key() -> Key:
    return Key()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def credentials(database: Database, key: Key, **given: object) -> Credentials:
    settings: dict[str, object] = {"clock": ManualClock(), "user_map": UserMap()} | given
    return Credentials(machine="node1", sign=key.sign, look_up=database.look_up, **settings)


def peer(uid: int = 1000, gid: int = 100, label: str = "") -> Peer:
    return Peer(pid=77, uid=uid, gid=gid, label=label)


async def issued(source: Credentials, to: Peer) -> GetCredResp:
    return GetCredResp.FromString(await source.issue(to))


async def test_a_known_user_is_named_as_the_database_says(database: Database, key: Key):
    reply = await issued(credentials(database, key), peer(label="unconfined_t"))

    token = reply.cred.token
    assert Sys.FromString(token.data) == Sys(
        machinename="node1", user="alice@", group="research@", groups=["alice@", "research@"], secctx="unconfined_t"
    )
    assert reply.cred.verifier.data == b"signed:" + token.data
    assert (reply.status, token.flavor, reply.cred.verifier.flavor, reply.cred.origin) == (0, 1, 1, "agent")


@pytest.mark.parametrize(
    ("asks", "user_map", "name"),
    [
        pytest.param(peer(uid=4242), UserMap(by_uid={4242: MAPPED}), "mapped@", id="by uid"),
        pytest.param(peer(uid=1), UserMap(default=MAPPED), "mapped@", id="by default"),
        pytest.param(peer(), UserMap(by_uid={1000: MAPPED}, default=MAPPED), "alice@", id="known users are not mapped"),
    ],
)
async def test_the_map_stands_in_for_unknown_users(
    database: Database, key: Key, asks: Peer, user_map: UserMap, name: str
):
    reply = await issued(credentials(database, key, user_map=user_map), asks)

    assert Sys.FromString(reply.cred.token.data).user == name


@pytest.mark.parametrize(
    "asks", [pytest.param(peer(uid=1), id="unknown user"), pytest.param(peer(gid=1), id="known user, unknown group")]
)
async def test_whom_nobody_knows_gets_no_credential(database: Database, key: Key, asks: Peer):
    user_map = UserMap(by_uid={1000: MAPPED})

    assert await issued(credentials(database, key, user_map=user_map), asks) == GetCredResp(status=-1025)


async def test_a_key_that_does_not_sign(database: Database, key: Key):
    key.broken = True

    assert await issued(credentials(database, key), peer()) == GetCredResp(status=-1025)


async def test_a_name_that_is_no_text_is_refused(key: Key):
    class Odd(Database):
        def look_up(self, uid: int, gid: int) -> Identity:
            return Identity(user="\udcff", group="g")

    assert await issued(credentials(Odd(), key), peer()) == GetCredResp(status=-1025)


async def test_equal_tokens_are_signed_once_though_names_are_looked_up_each_time(database: Database, key: Key):
    source = credentials(database, key)

    first, second = await source.issue(peer()), await source.issue(peer())

    assert first == second
    assert (database.look_ups, key.signed) == (2, 1)


async def test_credentials_are_kept_as_long_as_configured(database: Database, key: Key):
    clock = ManualClock()
    source = credentials(database, key, clock=clock, lifetime_s=60)

    await source.issue(peer())
    clock.advance(59)
    await source.issue(peer())
    assert database.look_ups == 1
    clock.advance(1)
    await source.issue(peer())
    assert database.look_ups == 2


async def test_kept_credentials_are_never_given_to_another_identity(database: Database, key: Key):
    source = credentials(database, key, lifetime_s=60, user_map=UserMap(default=MAPPED))
    await source.issue(peer())

    assert Sys.FromString((await issued(source, peer(uid=7))).cred.token.data).user == "mapped@"
    assert (await issued(source, peer(gid=7))).status == -1025
    assert Sys.FromString((await issued(source, peer(label="x"))).cred.token.data).secctx == "x"


async def test_a_refusal_is_not_kept(database: Database, key: Key):
    source = credentials(database, key, lifetime_s=60)
    await source.issue(peer(uid=1))
    await source.issue(peer(uid=1))

    assert database.look_ups == 2


async def test_clients_of_one_identity_share_a_slow_look_up(database: Database, key: Key, threads: ThreadPoolExecutor):
    source = credentials(database, key, threads=threads)
    database.answers.clear()

    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(source.issue(peer())) for _ in range(8)]
        await asyncio.to_thread(database.asked.wait, 10)
        impatient = group.create_task(source.issue(peer()))
        await asyncio.sleep(0)
        impatient.cancel()
        database.answers.set()

    assert database.look_ups == 1
    assert len({call.result() for call in calls}) == 1


async def test_a_slow_look_up_of_an_unknown_user_ends_in_the_map(
    database: Database, key: Key, threads: ThreadPoolExecutor
):
    source = credentials(database, key, threads=threads, user_map=UserMap(default=MAPPED))

    assert (await issued(source, peer(uid=7))).status == 0
