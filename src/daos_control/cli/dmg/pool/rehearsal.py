"""``--dry-run``: a verb runs as ever, but what it would send is shown instead, with what would come of it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from daos_control.cli.dmg.session import Output, Session
from daos_control.cli.flags import Values
from daos_control.client.errors import InvalidRequest
from daos_control.client.pools import Foreseen
from daos_control.client.rehearsal import Rehearsal

Verb = Callable[[Session, Values], Awaitable[Output]]


def rehearsable(function: Verb) -> Verb:
    """Give a verb that changes something a ``--dry-run``."""

    @wraps(function)
    async def run(session: Session, args: Values) -> Output:
        if not args.dry_run:
            return await function(session, args)
        rehearsal = Rehearsal.of(session.daos.connection)
        await function(Session(session.daos.over(rehearsal), json=session.json, emit=session.emit), args)
        return rehearsed(await session.daos.pools.foresee(rehearsal.intended))

    return run


def rehearsed(steps: Sequence[Foreseen]) -> Output:
    """Show requests that were not sent; that one would fail is a failure of the rehearsal, too."""
    problems = [problem for step in steps for problem in step.problems]
    return Output(
        document={"dry_run": True, "requests": [step_document(step) for step in steps]},
        text="\n".join(["Nothing was changed.\n", *(step_text(step) for step in steps)]),
        problem=InvalidRequest(f"this would fail: {'; '.join(dict.fromkeys(problems))}") if problems else None,
    )


def step_document(step: Foreseen) -> dict[str, Any]:
    """Give a request that was not sent as a document."""
    return {
        "method": step.method,
        "request": message_document(step.request),
        "changes": list(step.changes),
        "problems": list(step.problems),
    }


def step_text(step: Foreseen) -> str:
    """Show a request that was not sent to a person."""
    lines = [f"{step.method} would be sent:"]
    for name, value in message_document(step.request).items():
        values = value if isinstance(value, list) else [value]
        if any(isinstance(item, dict) for item in values):
            lines += [f"  {name}: {' '.join(f'{key}={part}' for key, part in item.items())}" for item in values]
        else:
            lines.append(f"  {name}: {', '.join(map(str, values))}")
    for title, sentences in (("What would come of it:", step.changes), ("Why it would fail:", step.problems)):
        lines += [title, *(f"  {sentence}" for sentence in sentences)] if sentences else []
    return "\n".join(lines) + "\n"


def message_document(message: Message) -> dict[str, Any]:
    """Give the fields of a message that are set."""
    return {field.name: _value(field, value) for field, value in message.ListFields()}


def _value(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Message):
        return message_document(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return [_value(field, item) for item in value]
