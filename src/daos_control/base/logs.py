"""Log lines for people and for tools: facts with fields, in the shapes that DAOS prints.

A module says ``log = logs.get(__name__)`` and then ``log.info("engine exited", rank=3, code=1)``. The event text comes
out verbatim (tools search logs for fixed texts) and the fields follow as ``key=value``. ``with logs.bound(request=id)``
adds fields to every line that is written inside, across ``await`` and into tasks started there.

A daemon calls ``configure`` once at start and again when its configuration is read. Its lines then go

- to the console, bare: INFO to standard output, ``NOTICE: ...`` and ``ERROR: ...`` to standard error;
- to the log file, if one is set, as ``<host> INFO 2026/01/31 12:00:00 ...``;
- or to both as one JSON object a line.

The log file may be moved or removed under us at any time: the next line goes to a new file at the old path, no signal
needed. If it cannot be written, standard error says so once, and again how many lines were lost when it can.

This is the standard library's logging underneath, so what other packages log comes out the same way.
"""

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import IntEnum
from functools import cache, lru_cache
from types import FrameType
from typing import Self, TextIO

from daos_control.base.quoting import one_line


class Level(IntEnum):
    """DAOS's log levels, lowest first; ``parse`` reads the words of ``control_log_mask``."""

    TRACE = 5
    DEBUG = 10
    INFO = 20
    NOTICE = 25
    ERROR = 40
    DISABLED = 100

    @classmethod
    def parse(cls, word: str) -> Self:
        """Return the level of this name, in any case.

        >>> Level.parse("notice")
        <Level.NOTICE: 25>
        """
        try:
            return cls[word.upper()]
        except KeyError:
            allowed = ", ".join(cls.__members__)
            raise ValueError(f"invalid log level {word!r}: use one of {allowed}") from None


_ROOT = "daos_control"
_STARTED = time.time()
_bound: ContextVar[Mapping[str, object]] = ContextVar("bound log fields", default={})  # noqa: B039  never mutated


class Logger:
    """Writes events with fields. Make one with ``get``."""

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def trace(self, event: str, **fields: object) -> None:
        """Report every step, for whoever is after a bug."""
        self._log(Level.TRACE, event, fields)

    def debug(self, event: str, **fields: object) -> None:
        """Report what a developer wants to know."""
        self._log(Level.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Report what happened, as it should."""
        self._log(Level.INFO, event, fields)

    def notice(self, event: str, **fields: object) -> None:
        """Report what an administrator should look at some day."""
        self._log(Level.NOTICE, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Report what may become a problem: DAOS knows no level between NOTICE and ERROR."""
        self._log(Level.NOTICE, event, fields)

    def error(self, event: str, *, exception: BaseException | None = None, **fields: object) -> None:
        """Report what failed. A given ``exception`` is shown with its traceback: it is a bug, not an answer."""
        self._log(Level.ERROR, event, fields, exception)

    def shown(self, level: Level, text: str) -> None:
        """Put into the log file, as it is, what somebody has been shown already."""
        if self._logger.isEnabledFor(level):
            record = _Record(self._logger.name, level, text, {}, caller=sys._getframe(1), bug=None)  # noqa: SLF001
            record.__dict__.update(text=text, is_shown=True)
            self._logger.handle(record)

    def enabled(self, level: Level) -> bool:
        """Whether lines of this level go anywhere; ask before computing costly fields."""
        return self._logger.isEnabledFor(level)

    def _log(
        self, level: Level, event: str, fields: Mapping[str, object], exception: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            caller = sys._getframe(2)  # noqa: SLF001  as the standard library finds who logs
            both = {**_bound.get(), **fields}
            self._logger.handle(_Record(self._logger.name, level, event, both, caller=caller, bug=exception))


class _Record(logging.LogRecord):
    """A line on its way, with all that a record of the standard library has.

    That library's own way of finding it out is, for a line of ours, most of the work.
    """

    def __init__(
        self, name: str, level: Level, event: str, fields: Mapping[str, object], *, caller: FrameType, bug: object
    ) -> None:
        now = time.time()
        pathname = caller.f_code.co_filename
        filename = pathname.rpartition("/")[2]
        self.__dict__.update(
            name=name,
            msg=event,
            args=(),
            levelno=int(level),
            levelname=level.name,
            fields=fields,
            exc_info=(type(bug), bug, bug.__traceback__) if isinstance(bug, BaseException) else None,
            exc_text=None,
            stack_info=None,
            pathname=pathname,
            filename=filename,
            module=filename.removesuffix(".py"),
            lineno=caller.f_lineno,
            funcName=caller.f_code.co_name,
            created=now,
            msecs=now % 1 * 1000,
            relativeCreated=(now - _STARTED) * 1000,
            thread=threading.get_ident(),
            threadName=threading.current_thread().name,
            process=os.getpid(),
            processName="MainProcess",
            taskName=None,
        )


def get(name: str) -> Logger:
    """Return the logger of a module; pass ``__name__``."""
    return Logger(name)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add fields to every line written inside."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def configure(
    *,
    program: str,
    level: Level = Level.INFO,
    file: str | os.PathLike[str] | None = None,
    json: bool = False,
    console: bool = True,
    syslog: bool = False,
    command: bool = False,
) -> None:
    """Send lines to the console and to ``file``; may be called again, and then replaces what it set up before.

    With ``syslog``, what is not for developers alone goes to the local syslog daemon as well. In the file of a
    ``command``, lines begin with its name instead of the host's, and nobody is told that there is one.

    Raises OSError if the file cannot be opened: a daemon that cannot log should say so and not start.
    """
    handlers: list[logging.Handler] = []
    prefix = program if command else socket.gethostname().partition(".")[0]
    if file is not None:
        from daos_control.base.log_file import LogFile  # noqa: PLC0415 - commands seldom have one

        handlers.append(LogFile(file))
        handlers[-1].setFormatter(_JsonLines(prefix) if json else _FileLines(prefix))
    if syslog:
        from daos_control.base.syslog import LogHandler  # noqa: PLC0415 - few ask for it

        handlers.append(LogHandler(program))
        handlers[-1].setFormatter(_PlainLines())
    if console:
        handlers.append(_Console())
        handlers[-1].setFormatter(_JsonLines("") if json else _ConsoleLines())
    if not handlers:
        handlers.append(logging.NullHandler())  # or logging would find a place of its own, standard error
    root = logging.getLogger()
    for former in [handler for handler in root.handlers if handler.name == _ROOT]:
        root.removeHandler(former)
        former.close()
    for handler in handlers:
        handler.name = _ROOT
        root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger(_ROOT).setLevel(level)
    if file is not None and not command:
        get(f"{_ROOT}.base.logs").info(f"{program} logging to file {file}")


class _Console(logging.Handler):
    """INFO to standard output, everything else to standard error, as DAOS's programs do.

    The streams are looked up at each line, so that redirecting ``sys.stdout`` works.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if record.__dict__.get("is_shown"):
            return
        stream: TextIO = sys.stdout if record.levelno == Level.INFO else sys.stderr
        line = self.format(record)
        try:
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads us any more (closed pipe, closed stream): there is nowhere left to complain.
            return


@cache
def level_name(levelno: int) -> str:
    """Return DAOS's word for a level number of the standard library.

    >>> level_name(logging.WARNING), level_name(logging.CRITICAL)
    ('NOTICE', 'ERROR')
    """
    reached = [level for level in Level if level is not Level.DISABLED and level <= levelno]
    return (reached[-1] if reached else Level.TRACE).name


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    fields: Mapping[str, object] = getattr(record, "fields", {})
    return fields


def _text(record: logging.LogRecord) -> str:
    """Return a line's text; it is put together for the first handler that wants it."""
    known: str | None = record.__dict__.get("text")
    if known is None:
        fields = "".join([f" {name}={_value(value)}" for name, value in _fields(record).items()])
        known = record.__dict__["text"] = one_line(record.getMessage()) + fields
    return known


@lru_cache(maxsize=2)
def _second(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s).strftime("%Y/%m/%d %H:%M:%S")  # noqa: DTZ006  local, as DAOS


def _value(value: object) -> str:
    """One field's value: quoted when a reader could not tell where it ends."""
    text = str(value)
    if text and text.isprintable() and " " not in text and '"' not in text and "=" not in text:
        return text
    import json  # noqa: PLC0415  few values need it, and few logs

    return json.dumps(text, ensure_ascii=False)


class _ConsoleLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        match level_name(record.levelno):
            case "INFO":
                line = _text(record)
            case "NOTICE" | "ERROR" as name:
                line = f"{name}: {_text(record)}"
            case name:
                line = _debug_line(name, record)
        return line + _traceback(self, record)


class _PlainLines(logging.Formatter):
    """For a place that stamps lines itself."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{level_name(record.levelno)} {_text(record)}" + _traceback(self, record)


class _FileLines(logging.Formatter):
    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        name = level_name(record.levelno)
        if record.levelno < Level.INFO:
            return _debug_line(name, record) + _traceback(self, record)
        return f"{self._prefix} {name} {_second(int(record.created))} {_text(record)}" + _traceback(self, record)


class _JsonLines(logging.Formatter):
    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        import json  # noqa: PLC0415  see _value

        debug = record.levelno < Level.INFO
        moment = datetime.fromtimestamp(record.created).astimezone()
        zone = moment.strftime("%z")
        document: dict[str, object] = {
            "level": level_name(record.levelno),
            "time": moment.strftime("%Y-%m-%dT%H:%M:%S.%f" if debug else "%Y-%m-%dT%H:%M:%S")
            + ("Z" if zone == "+0000" else zone),
        }
        if self._prefix:
            document["extra"] = self._prefix
        if debug:
            document["source"] = f"{record.filename}:{record.lineno}"
        document["message"] = record.getMessage() + _traceback(self, record)
        if fields := _fields(record):
            document["fields"] = fields
        return json.dumps(document, default=str, separators=(",", ":"))


def _debug_line(name: str, record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created).strftime("%Y/%m/%d %H:%M:%S.%f")  # noqa: DTZ006  local, as DAOS
    return f"{name} {moment} {record.filename}:{record.lineno}: {_text(record)}"


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    return "\n" + formatter.formatException(record.exc_info)
