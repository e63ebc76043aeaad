"""Who leads the management service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Who leads the management service, and who could."""

    current_leader: str
    replicas: tuple[str, ...]
    down_replicas: tuple[str, ...]
    """Replicas that did not answer just now."""
