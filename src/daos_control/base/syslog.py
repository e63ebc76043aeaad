"""The local syslog daemon, as DAOS's servers write to it: facility daemon, a short line, no waiting.

A line is a datagram ``<priority>Jan  2 15:04:05 program[pid]: text`` to the daemon's socket. A daemon that is not
there, has gone or is too slow costs nothing but the line: ``write`` says so, and its caller writes it elsewhere.
"""

import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

SOCKETS: Final = (Path("/dev/log"), Path("/var/run/syslog"), Path("/var/run/log"))
"""Where daemons listen."""
DAEMON: Final = 3 << 3
ERR, WARNING, NOTICE, INFO = 3, 4, 5, 6
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Syslog:
    """Writes to the first daemon that listens; connects when there is something to say, and again when need be."""

    def __init__(self, sockets: Sequence[Path] = SOCKETS, *, program: str | None = None) -> None:
        self._sockets = sockets
        self._program = program or Path(sys.argv[0]).name or "daos_server"
        self._connection: socket.socket | None = None

    def write(self, severity: int, text: str) -> bool:
        """Write a line, or return False: nobody took it."""
        now = time.localtime()
        stamp = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2} {now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}"
        line = f"<{DAEMON | severity}>{stamp} {self._program}[{os.getpid()}]: {text}\n".encode()
        return self._send(line) or self._send(line)  # the daemon may have been restarted since the last line

    def close(self) -> None:
        """Let go of the socket; the next line makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, line: bytes) -> bool:
        try:
            if self._connection is None:
                self._connection = self._connect()
            if self._connection is None:
                return False
            self._connection.send(line)
        except BlockingIOError:
            return False
        except OSError:
            self.close()
            return False
        return True

    def _connect(self) -> socket.socket | None:
        for path in self._sockets:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            connection.setblocking(False)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
                continue
            return connection
        return None


class LogHandler(logging.Handler):
    """Sends lines of a program's log there, from INFO on; a daemon that takes none is not waited for."""

    def __init__(self, program: str, sockets: Sequence[Path] = SOCKETS) -> None:
        super().__init__(logging.INFO)
        self._syslog = Syslog(sockets, program=program)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        self._syslog.write(_severity(record.levelno), self.format(record))

    def close(self) -> None:
        """Let go of the socket."""
        self._syslog.close()
        super().close()


def _severity(level: int) -> int:
    if level >= logging.ERROR:
        return ERR
    return NOTICE if level > logging.INFO else INFO
