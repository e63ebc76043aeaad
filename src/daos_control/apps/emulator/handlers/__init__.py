"""dRPC methods of an engine: one coroutine each, from the decoded request to the reply.

A handler raises DaosError for a DER status; where more than the status goes with it, the handler makes that reply
itself. ``table`` gives all of them as the dRPC server wants them.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from google.protobuf.message import Message

from daos_control.apps.emulator.engine import Engine
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.net.drpc.server import Handler, Peer

EngineHandler: TypeAlias = Callable[[Engine, Any], Awaitable[Message]]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def parse_uuid(text: str) -> str:
    """Return a UUID in lower case; raises DaosError INVAL for anything else, labels included."""
    if not _UUID.fullmatch(text):
        raise DaosError(Der.INVAL)
    return text.lower()


def bind(engine: Engine, handlers: Mapping[Method[Any, Any], EngineHandler]) -> dict[Method[Any, Any], Handler]:
    """Make handlers of one engine, with statuses in replies and faults on request."""
    return {method: _answering(engine, method, handler) for method, handler in handlers.items()}


def _answering(engine: Engine, method: Method[Any, Any], handler: EngineHandler) -> Handler:
    field = "req_status" if method == Mgmt.CHK_QUERY else "status"

    async def answer(request: Message, _peer: Peer) -> Message:
        try:
            await engine.script.before(method.name)
            return await handler(engine, request)
        except DaosError as error:
            reply: Message = method.reply(**{field: error.status})
            return reply

    return answer
