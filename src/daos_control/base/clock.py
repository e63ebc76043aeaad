"""Time as a collaborator: whoever needs the time is given a clock, so that tests can turn its hands."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What tells the time; ``daos_control.testing`` has one that only moves when told to."""

    def now(self) -> datetime:
        """The wall clock, aware and in UTC: for what people and other hosts read. It may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow: for durations and deadlines."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the seconds of the monotonic clock."""
        return time.monotonic()
