"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """A ``base.clock.Clock`` for tests.

    >>> clock = ManualClock()
    >>> before = clock.now()
    >>> clock.advance(90)
    >>> clock.now() - before
    datetime.timedelta(seconds=90)
    """

    def __init__(self, start: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that grow with ``advance`` alone."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        if seconds < 0:
            raise ValueError(f"time passes forwards; to turn the wall clock back use jump({seconds})")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator or NTP does: no time passes."""
        self._now += timedelta(seconds=seconds)
