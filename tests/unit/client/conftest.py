"""A client whose hosts are a table of answers."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from daos_control.base.errors import DaosControlError
from daos_control.client.daos import DaosClient
from daos_control.wire.pb.mgmt.system_pb2 import SystemMember, SystemQueryResp

Answer = Message | DaosControlError | Callable[[Message], Message]


class Answers:
    """Answers by method name, or by ``host/method``; remembers every request."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None: ...

    async def call(self, address: str, method: Any, request: Message, *, timeout_s: float | None = None) -> Message:
        self.asked.append((address, method.name, request))
        answer = self.answers.get(f"{address.partition(':')[0]}_{method.name}", self.answers.get(method.name))
        assert answer is not None, f"nobody expected {method.name}"
        if isinstance(answer, DaosControlError):
            raise answer
        return answer if isinstance(answer, Message) else answer(request)

    async def aclose(self) -> None: ...

    def requests(self, method: str) -> list[Any]:
        return [request for _, name, request in self.asked if name == method]


@pytest.fixture
def make_answers() -> type[Answers]:
    return Answers


@pytest.fixture
def system_of_one() -> DaosClient:
    members = [SystemMember(rank=0, state="joined", addr="a:10001")]
    return DaosClient(Answers(SystemQuery=SystemQueryResp(members=members)), ["a"])
