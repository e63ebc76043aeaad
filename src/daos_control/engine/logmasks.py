"""Engine log masks: what ``D_LOG_MASK`` and ``DD_SUBSYS`` mean together.

An engine takes one string, a base level and exceptions to it (``ERR,MGMT=DBUG``). A list of subsystems to be loud
about is folded into that string before the engine sees it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class LogMaskError(ValueError):
    """A log mask that no engine would take; the text says which part."""


class Level(IntEnum):
    """An engine's log levels, chattiest first; names are the four-letter forms engines print."""

    DBUG = 1
    INFO = 2
    NOTE = 3
    WARN = 4
    ERR = 5
    CRIT = 6
    ALRT = 7
    EMRG = 8
    EMIT = 9


_LEVELS = {**Level.__members__, "DEBUG": Level.DBUG, "ERROR": Level.ERR, "FATAL": Level.EMRG}


@dataclass(frozen=True, slots=True)
class Masks:
    """A base level and the subsystems that differ from it, in the order they were written."""

    base: Level
    exceptions: tuple[tuple[str, Level], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Masks":
        """Read ``LEVEL,SUB=LEVEL,...``; a text that begins with an exception has ERR as its base.

        >>> str(Masks.parse("debug,mgmt=error"))
        'DBUG,mgmt=ERR'
        """
        first, *rest = text.split(",")
        base = Level.ERR
        if "=" in first:
            rest = [first, *rest]
        else:
            base = _level(first)
        return cls(base, tuple(_exception(token) for token in rest))

    def __str__(self) -> str:
        return ",".join([self.base.name, *(f"{name}={level.name}" for name, level in self.exceptions)])

    def only(self, subsystems: Iterable[str]) -> "Masks":
        """Keep chatter (below ERR) for these subsystems alone; what is ERR or worse is always kept.

        >>> str(Masks.parse("INFO,RPC=DEBUG,MEM=CRIT").only(["MGMT"]))
        'ERR,MEM=CRIT,MGMT=INFO'
        """
        wanted = tuple(subsystems)
        kept = [(name, level) for name, level in self.exceptions if level >= Level.ERR or name in wanted]
        if self.base < Level.ERR:
            named = {name for name, _ in kept}
            kept += [(name, self.base) for name in wanted if name not in named]
        base = max(self.base, Level.ERR)
        return Masks(base, tuple((name, level) for name, level in kept if level != base))


def merge_subsystems(masks: str, subsystems: str) -> str:
    """Fold a ``DD_SUBSYS`` list into a ``D_LOG_MASK`` string; empty masks stay empty.

    >>> merge_subsystems("DEBUG", "MGMT,POOL"), merge_subsystems("debug", "ALL")
    ('ERR,MGMT=DBUG,POOL=DBUG', 'DBUG')
    """
    if not masks:
        return ""
    wanted = [name for name in subsystems.split(",") if name and name.upper() != "ALL"]
    parsed = Masks.parse(masks)
    return str(parsed.only(wanted) if wanted else parsed)


def _level(word: str) -> Level:
    try:
        return _LEVELS[word.upper()]
    except KeyError:
        raise LogMaskError(f"unknown log level {word!r}: use one of {', '.join(_LEVELS)}") from None


def _exception(token: str) -> tuple[str, Level]:
    name, assigned, level = token.partition("=")
    if not assigned or not name or "=" in level:
        raise LogMaskError(f"log mask part {token!r} should read SUBSYSTEM=LEVEL")
    return name, _level(level)
