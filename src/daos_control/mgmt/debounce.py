"""The same news from many mouths: heard once, and forgotten an hour after it was heard last."""

from collections.abc import Hashable
from typing import Final

from daos_control.base.clock import Clock

FORGET_S: Final = 3600.0


class Debounce:
    """Remembers what was heard; what is heard again and again is never forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: dict[Hashable, float] = {}
        self._swept = clock.monotonic()

    def heard(self, key: Hashable) -> bool:
        """Whether this was heard within the last hour; if so, its hour begins anew."""
        last = self._heard.get(key)
        if last is None or self._clock.monotonic() - last > FORGET_S:
            return False
        self.hear(key)
        return True

    def hear(self, key: Hashable) -> None:
        """Remember that this was heard."""
        now = self._clock.monotonic()
        self._heard[key] = now
        if now - self._swept > FORGET_S:
            self._swept = now
            self._heard = {key: last for key, last in self._heard.items() if now - last <= FORGET_S}

    def forget(self, key: Hashable) -> None:
        """Take it back: nothing has come of it."""
        self._heard.pop(key, None)
