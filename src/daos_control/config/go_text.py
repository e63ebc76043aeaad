"""Scalars in the notations of the Go programs whose files these are: durations and log levels."""

import re
from typing import Annotated

from daos_control.base.logs import Level
from daos_control.config.document import Scalar

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def parse_duration(text: str) -> float:
    """Return the seconds of ``1h30m``, ``250ms``, ``0``.

    >>> parse_duration("1h1m1.5s")
    3661.5
    """
    if text == "0":
        return 0.0
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text.lstrip("+-")
    parts = _PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise ValueError(f'a duration with its unit is wanted, such as 30s or 1m30s, not "{text}"')
    return sign * sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def format_duration(seconds: float) -> str:
    """Write seconds so that ``parse_duration`` reads them.

    >>> format_duration(90), format_duration(0), format_duration(3661.5)
    ('1m30s', '0s', '1h1m1.5s')
    """
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if rest or not text:
        text += f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    return f"-{text}" if seconds < 0 else text


Duration = Annotated[float, Scalar(parse_duration, format_duration)]
"""Seconds."""

LogLevel = Annotated[Level, Scalar(Level.parse, lambda level: level.name)]
