"""Who a client is, vouched for by this node: AuthSys credentials for the storage system.

The kernel says which uid and gid are at the other end of the socket, and the node's user database what they are
called. Nothing that the client sends has any part in it.

Three things keep this cheap. A look-up that may have to ask another host runs in a thread, and clients of one
identity that ask meanwhile share it. A token carries neither time nor nonce, so a token equal to an earlier one is
sent with the earlier signature. And if the administrator allows it (``credential_config.cache_expiration``), whole
credentials are kept for a while, without a look-up.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeAlias, TypeVar

from daos_control.apps.agent.identity import Identity, UnknownGroup, UnknownUser, UserMap
from daos_control.base import logs
from daos_control.base.clock import Clock
from daos_control.base.der import Der
from daos_control.net.drpc.server import Peer
from daos_control.security.tokens import Sign
from daos_control.wire.pb.security.auth_pb2 import AUTH_SYS, Credential, GetCredResp, Sys, Token

log = logs.get(__name__)

ORIGIN = "agent"
"""Servers look for the certificate that verifies us under this name."""

_KEPT = 4096
"""How many signatures, and how many credentials, are kept: no crowd of users can fill the memory."""

LookUp: TypeAlias = Callable[[int, int], Identity]


class Credentials:
    """Issues credentials to local clients."""

    def __init__(
        self,
        *,
        machine: str,
        sign: Sign,
        look_up: LookUp,
        user_map: UserMap,
        clock: Clock,
        lifetime_s: float = 0,
        threads: Executor | None = None,
    ) -> None:
        """``machine`` is the short host name; without ``threads``, look-ups happen in the event loop."""
        self._machine = machine
        self._sign = sign
        self._look_up = look_up
        self._user_map = user_map
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._threads = threads
        self._asked: dict[tuple[int, int], asyncio.Future[Identity]] = {}
        self._verifiers: _Recent[bytes, bytes] = _Recent(_KEPT)
        self._issued: _Recent[tuple[int, int, str], tuple[float, bytes]] = _Recent(_KEPT)

    async def issue(self, peer: Peer) -> bytes:
        """Return the serialised ``GetCredResp`` for the process at the other end; a refusal is a status in it."""
        key = (peer.uid, peer.gid, peer.label)
        if self._lifetime_s and (kept := self._issued.get(key)) and self._clock.monotonic() < kept[0]:
            return kept[1]
        try:
            identity = await self._identify(peer.uid, peer.gid)
            reply = self._vouch(identity, peer.label)
        except (UnknownUser, UnknownGroup, ValueError, OSError) as error:
            # ValueError: a name that is no text, a key that cannot sign. OSError: the user database itself failed.
            log.error(f"no credential: {error}", pid=peer.pid, uid=peer.uid, gid=peer.gid)
            return GetCredResp(status=Der.MISC).SerializeToString()
        if self._lifetime_s:
            self._issued.put(key, (self._clock.monotonic() + self._lifetime_s, reply))
        return reply

    async def _identify(self, uid: int, gid: int) -> Identity:
        try:
            if self._threads is None:
                return self._look_up(uid, gid)
            return await self._ask_in_thread(self._threads, uid, gid)
        except UnknownUser:
            mapped = self._user_map.find(uid)
            if mapped is None:
                raise
            return mapped

    async def _ask_in_thread(self, threads: Executor, uid: int, gid: int) -> Identity:
        asked = self._asked.get((uid, gid))
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(threads, self._look_up, uid, gid)
            self._asked[uid, gid] = asked
            asked.add_done_callback(lambda _: self._asked.pop((uid, gid)))
        return await asyncio.shield(asked)  # one client that gives up must not take the answer from the others

    def _vouch(self, identity: Identity, label: str) -> bytes:
        names = Sys(
            machinename=self._machine,
            user=f"{identity.user}@",
            group=f"{identity.group}@",
            groups=[f"{group}@" for group in identity.groups],
            secctx=label,
        )
        token = Token(flavor=AUTH_SYS, data=names.SerializeToString())
        verifier = self._verifiers.get(token.data)
        if verifier is None:
            verifier = self._sign(token)
            self._verifiers.put(token.data, verifier)
        credential = Credential(token=token, verifier=Token(flavor=AUTH_SYS, data=verifier), origin=ORIGIN)
        return GetCredResp(cred=credential).SerializeToString()


Key = TypeVar("Key")
Value = TypeVar("Value")


class _Recent(Generic[Key, Value]):
    """A dictionary of limited size that drops what was not used for longest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
