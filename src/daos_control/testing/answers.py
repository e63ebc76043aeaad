"""Hosts that are a table of answers: a transport for tests of what a client asks, and of what it makes of replies."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from daos_control.base.errors import DaosControlError
from daos_control.net.rpc.methods import Method

Answer = Message | DaosControlError | Callable[[Message], Message]


class Answers:
    """A transport that answers by the method's name, or by host and method; remembers every request.

    ::

        answers = Answers(SystemQuery=reply, b_SystemQuery=NotReplica(["a:10001"]))
        state = await DaosClient(answers, ["a", "b"]).system.query()
        [request] = answers.requests("SystemQuery")

    An error among the answers is raised; a function is called with the request. What nobody expected is a failure.
    """

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []
        """Address, method and request, in the order of asking."""

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None:
        """Be there."""

    async def call(self, address: str, method: Method, request: Message, *, timeout_s: float | None = None) -> Any:
        """Answer a request."""
        self.asked.append((address, method.name, request))
        host = address.partition(":")[0]
        answer = self.answers.get(f"{host}_{method.name}", self.answers.get(method.name))
        if answer is None:
            raise AssertionError(f"nobody expected {method.name}")
        if isinstance(answer, DaosControlError):
            raise answer
        return answer if isinstance(answer, Message) else answer(request)

    async def aclose(self) -> None:
        """Have nothing to close."""

    @property
    def sent(self) -> list[Any]:
        """All requests."""
        return [request for _, _, request in self.asked]

    def requests(self, method: str) -> list[Any]:
        """Return the requests of one method."""
        return [request for _, name, request in self.asked if name == method]
