"""Reading what was logged: assert facts, not strings."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from daos_control.base.logs import Level, level_name


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that was logged."""

    level: Level
    event: str
    fields: dict[str, object] = field(default_factory=dict)
    exception: BaseException | None = None


@contextmanager
def captured_logs(level: Level = Level.TRACE) -> Iterator[list[LogLine]]:
    """Collect the lines logged inside, from this level on.

    >>> from daos_control.base import logs
    >>> with captured_logs() as lines:
    ...     logs.get("daos_control.engine").info("engine exited", rank=3)
    >>> lines[0].event, lines[0].fields
    ('engine exited', {'rank': 3})
    """
    lines: list[LogLine] = []
    logger = logging.getLogger("daos_control")
    handler = _Collector(lines)
    before, logger.level = logger.level, level
    logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Collector(logging.Handler):
    def __init__(self, lines: list[LogLine]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(
            LogLine(
                level=Level[level_name(record.levelno)],
                event=record.getMessage(),
                fields=getattr(record, "fields", {}),
                exception=record.exc_info[1] if record.exc_info else None,
            )
        )
