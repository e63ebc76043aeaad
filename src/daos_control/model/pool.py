"""Pools as the management service records them: who serves them, and how they were made."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self


class PoolState(StrEnum):
    """Where a pool is in its life; the value is the text on the wire."""

    CREATING = "Creating"
    READY = "Ready"
    DESTROYING = "Destroying"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolService:
    """A pool's record. What was asked for at creation (``ranks``, ``tier_bytes``, ``mem_ratio``) never changes."""

    uuid: str
    label: str
    state: PoolState = PoolState.CREATING
    replicas: tuple[int, ...] = ()
    """The ranks of the pool service's replicas."""
    ranks: tuple[int, ...] = ()
    tier_bytes: tuple[int, ...] = ()
    """Bytes per rank, for each tier."""
    mem_ratio: float = 0.0
    last_update: datetime

    @property
    def ready(self) -> bool:
        """Whether requests may reach the pool service."""
        return self.state is PoolState.READY

    def changed(
        self,
        *,
        now: datetime,
        state: PoolState | None = None,
        replicas: tuple[int, ...] | None = None,
        label: str | None = None,
    ) -> Self:
        """Return the record with what is given replaced."""
        return replace(
            self,
            state=self.state if state is None else state,
            replicas=self.replicas if replicas is None else replicas,
            label=self.label if label is None else label,
            last_update=now,
        )
