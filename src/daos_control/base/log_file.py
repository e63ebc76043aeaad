"""A log file that may be moved or removed, and a disk that may be full: the lines go on as soon as they can."""

import logging
import os
import sys
from logging.handlers import WatchedFileHandler


class LogFile(WatchedFileHandler):
    """A log file that outlives rotation and full disks."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, mode="a", encoding="utf-8", errors="backslashreplace")
        self._path = path
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it as lost."""
        line = self.format(record)
        try:
            self.reopenIfNeeded()
            if self.stream is None:
                self.stream = self._open()
            if self._lost:
                line = f"({self._lost} lines before this one could not be written)\n{line}"
            self.stream.write(line + "\n")
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._drop(error)
        else:
            self._lost = 0

    def _drop(self, error: Exception) -> None:
        self._lost += 1
        if self._lost == 1:
            _complain(
                f"ERROR: cannot write log file {self._path}: {error}; lines are being lost until it can be written"
            )
        stream, self.stream = self.stream, None
        if stream is not None:
            try:
                stream.close()
            except (OSError, ValueError):
                return  # it holds the line that could not be written; that line is counted as lost


def _complain(text: str) -> None:
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # standard error is gone as well
