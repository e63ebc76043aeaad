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


Why = tuple[Cause, Hearing | None]
_why: ContextVar[Why] = ContextVar("why", default=(Cause(), None))


def current() -> Why:
    """Return why the running task does what it does."""
    return _why.get()


@contextmanager
def because(cause: Cause, hearing: Hearing | None = None) -> Iterator[None]:
    """Have what is decided inside written down as due to this cause."""
    token = _why.set((cause, hearing))
    try:
        yield
    finally:
        _why.reset(token)
