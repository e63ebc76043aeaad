"""On whose behalf something is decided: bound where a request or an event comes in, written down with what comes of it.

A cause is known at the edge and wanted at the writer; the rules between them have no use for it. So it travels like a
request id: in a context variable, which tasks started on behalf of a request inherit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from daos_control.model.journal import Cause, Heard


@dataclass(slots=True)
class Hearing:
    """An event that is being acted on; the first decision that comes of it is recorded together with it."""

    heard: Heard
    recorded: bool = False


_cause: ContextVar[Cause] = ContextVar("cause", default=Cause())  # noqa: B039  frozen
_hearing: ContextVar[Hearing | None] = ContextVar("hearing", default=None)


def current() -> tuple[Cause, Hearing | None]:
    """Return why the running task does what it does."""
    return _cause.get(), _hearing.get()


@contextmanager
def because(cause: Cause, hearing: Hearing | None = None) -> Iterator[None]:
    """Have what is decided inside written down as due to this cause."""
    tokens = _cause.set(cause), _hearing.set(hearing)
    try:
        yield
    finally:
        _cause.reset(tokens[0])
        _hearing.reset(tokens[1])
