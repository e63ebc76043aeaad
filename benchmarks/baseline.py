"""What DAOS 2.8's own programs took, measured once: facts in ``baseline.json``, with where they are from."""

import json
from pathlib import Path
from typing import Any

_FACTS: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text())

SOURCE: str = _FACTS["source"]
SOURCE_OF_SCANS: str = _FACTS["source_of_scans"]


def cpu_ms(load: str) -> float | None:
    """CPU time per call, if it was measured."""
    return _optional(_FACTS["cpu_ms_per_call"].get(load))


def latency_ms(load: str) -> float | None:
    """Median time until the answer, if it was measured."""
    return _optional(_FACTS["latency_ms"].get(load))


def start_ms(program: str, what: str) -> float | None:
    """``wall_ms`` or ``cpu_ms`` until a program has ended, or listens, if it was measured."""
    return _optional(_FACTS["start"].get(program, {}).get(what))


def scan_s(hosts: int, *, in_trouble: bool) -> float | None:
    """Wall time of dmg asking so many hosts, one in a hundred of which may swallow packets, if it was measured."""
    return _optional(_FACTS["scan_s"].get(f"{hosts}{', 1 % in trouble' if in_trouble else ''}"))


def _optional(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
