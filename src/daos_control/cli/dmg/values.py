"""Values on dmg's command line: text to what the client takes, or ValueError."""

import re
from datetime import datetime, timedelta

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.base.units import parse_percent, parse_ratios, parse_size
from daos_control.cli.flags import natural
from daos_control.model.event import Severity
from daos_control.model.member_state import MemberState

LONGEST_KEY = 511
"""Bytes in the name of an attribute or property."""


_TIME_LIMIT = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def duration(text: str) -> float:
    """Read ``30s``, ``2m``, ``1h30m``, ``500ms``, or a number of seconds.

    >>> duration("30s"), duration("1h30m"), duration("500ms"), duration("45")
    (30.0, 5400.0, 0.5, 45.0)
    """
    known = f"{text}s" if re.fullmatch(r"\d+(\.\d+)?", text) else text
    if not known or _TIME_LIMIT.sub("", known):
        raise ValueError(f"{text!r} is not a time such as 30s, 2m or 1h30m")
    total = sum(float(number) * _SECONDS[unit] for number, unit in _TIME_LIMIT.findall(known))
    if total <= 0:
        raise ValueError("a time limit must be more than nothing")
    return total


def ranks(text: str) -> RankSet:
    """Read ``0-3,7``."""
    return RankSet.parse(text)


def some_ranks(text: str) -> RankSet:
    """Read at least one rank."""
    chosen = ranks(text)
    if not chosen:
        raise ValueError("name at least one rank")
    return chosen


def hosts(text: str) -> tuple[str, ...]:
    """Read ``node[1-3],other:10002``."""
    if not HostSet.parse(text):
        raise ValueError("name at least one host")
    return (text,)


def host(text: str) -> str:
    """Read exactly one host."""
    if len(HostSet.parse(text)) != 1:
        raise ValueError("name exactly one host")
    return text


def size(text: str) -> int:
    """Read a number of bytes, with an SI or IEC unit or none."""
    return parse_size(text)


def pool_size(text: str) -> int | float:
    """Read bytes (an int), or a percentage of what there is (a fraction, as a float)."""
    return parse_percent(text) / 100 if text.strip().endswith("%") else parse_size(text)


def ratios(text: str) -> tuple[float, ...]:
    """Read percentages that make up a whole."""
    return parse_ratios(text)


def rank_hosts(text: str) -> tuple[str, ...]:
    """Read the hosts whose ranks are meant; an empty text means no choice, as it does for ranks."""
    return hosts(text) if text.strip() else ()


def states(text: str) -> tuple[MemberState, ...]:
    """Read names of member states; an empty text means no choice."""
    found = []
    for word in text.split(",") if text else ():
        state = MemberState.parse(word.strip())
        if state is MemberState.UNKNOWN:
            known = ", ".join(state.words for state in MemberState if state is not MemberState.UNKNOWN)
            raise ValueError(f"{word!r} is not a member state (there are: {known})")
        found.append(state)
    return tuple(found)


def settings(text: str) -> dict[str, str]:
    """Read ``key:value,key:value``; quotes and backslashes keep separators out of the way."""
    found: dict[str, str] = {}
    for item in _items(text):
        key, colon, value = _cut(item, ":")
        key, value = key.strip(), value.strip()
        if not colon or not key or not value:
            raise ValueError(f"{item!r} is not of the form key:value")
        if key in found:
            raise ValueError(f"{key!r}: same key was specified more than once")
        found[_short(key)] = value
    return found


def keys(text: str) -> tuple[str, ...]:
    """Read ``key,key``, each once."""
    found = [_short(key.strip()) for key in _items(text)]
    for key in found:
        if not key or _cut(key, ":")[1]:
            raise ValueError(f"{key!r} is not a key")
    return tuple(dict.fromkeys(found))


def targets(text: str) -> tuple[int, ...]:
    """Read target numbers, separated by commas."""
    return tuple(natural(part.strip()) for part in text.split(",") if part.strip())


def _items(text: str) -> list[str]:
    """Split at commas; a comma too many does no harm, but there must be something."""
    items = []
    rest, found = text, ","
    while found:
        item, found, rest = _cut(rest, ",")
        if item:
            items.append(item)
    if not items:
        raise ValueError("give at least one key")
    return items


def _short(key: str) -> str:
    if len(key.encode()) > LONGEST_KEY:
        raise ValueError(f"{key!r}: key too long, there may be {LONGEST_KEY} bytes")
    return key


def _cut(text: str, separator: str) -> tuple[str, str, str]:
    """Partition at the first separator that is neither quoted nor escaped."""
    quote, escaped = "", False
    for position, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in "'\"":
            quote = "" if quote == char else quote or char
        elif char == separator and not quote:
            return text[:position], separator, text[position + 1 :]
    return text, "", ""


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(?:\d+[smhdw])+", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?", re.ASCII)


def since(text: str) -> datetime:
    """Read a time in the past: how long ago, a time of day, or a date with or without one."""
    return moment(text, now=datetime.now().astimezone())


def moment(text: str, *, now: datetime) -> datetime:
    """Read a time in the past; without a zone it is in that of ``now``, and a time of day is the last such.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    >>> [moment(text, now=noon).isoformat(" ")[:16] for text in ("1h30m", "11:00", "14:30", "2026-01-02")]
    ['2026-01-31 10:30', '2026-01-31 11:00', '2026-01-30 14:30', '2026-01-02 00:00']
    """
    wanted = text.strip()
    if _DURATION.fullmatch(wanted):
        ago = timedelta()
        for number, unit in re.findall(r"(\d+)([smhdw])", wanted):
            ago += timedelta(**{_UNITS[unit]: int(number)})
        return now - ago
    if _CLOCK.fullmatch(wanted):
        hour, minute, *seconds = map(int, wanted.split(":"))
        today = now.replace(hour=hour, minute=minute, second=sum(seconds), microsecond=0)
        return today if today <= now else today - timedelta(days=1)
    try:
        found = datetime.fromisoformat(wanted)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time: say how long ago (10m, 2h, 3d), a time of day (14:30), "
            "or a date (2026-01-31, 2026-01-31T14:30)"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


def severity(text: str) -> Severity:
    """Read how bad an event must be."""
    known = {severity.name: severity for severity in Severity if severity is not Severity.UNKNOWN}
    try:
        return known[text.upper()]
    except KeyError:
        raise ValueError(f"{text!r} is not a severity (there are: {', '.join(known).lower()})") from None
