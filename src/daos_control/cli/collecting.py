"""Collecting for support, as dmg, daos_server and daos_agent share it: the folder, the bar, our own programs."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.cli.flags import Values
from daos_control.cli.ui.progress import WIPE, bar, is_live
from daos_control.cli.ui.terminal import width_of
from daos_control.host.support import folder as folders
from daos_control.host.support.collector import Collector, Wishes, run_command
from daos_control.host.support.folder import check_target
from daos_control.host.support.steps import Item, Step
from daos_control.host.support.window import Window

log = logs.get(__name__)

PROGRAMS: Final = {"dmg": "daos_control.cli.dmg", "daos_agent": "daos_control.cli.daos_agent"}


class Bar:
    """How far the work is, on standard error, if a person looks at it."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = is_live(sys.stderr)

    def doing(self, title: str) -> None:
        """Show what is done next."""
        if self._shown:
            shown = f"{bar(self._done / self._total)} {self._done} of {self._total} steps, {' '.join(title.split())}"
            print(f"{WIPE}{shown[: width_of(sys.stderr) - 1]}", end="", file=sys.stderr, flush=True)
        self._done += 1

    def close(self) -> None:
        """Take it away."""
        if self._shown:
            print(WIPE, end="", file=sys.stderr, flush=True)


def target_folder(values: Values, *, of: str) -> Path:
    """Return the folder to collect into: the one that was named, or a new one. Raises UnsafeFolder."""
    if values.target_folder:
        return check_target(Path(os.path.normpath(Path.cwd() / values.target_folder)))
    now = datetime.now().astimezone().isoformat(timespec="seconds").replace("+00:00", "Z")
    return check_target(Path(tempfile.gettempdir()) / f"daos_support_{of}_logs_{now}")


def window(values: Values) -> Window | None:
    """Return the days and times that logs are wanted of. Raises BadWindow."""
    wanted = Window.parse(values.start_date, values.end_date, values.log_start_time, values.log_end_time)
    if wanted is None and (values.log_start_time or values.log_end_time):
        log.notice("times of logs count together with --start-date and --end-date; all of the logs is collected")
    return wanted


def extra_folder(values: Values) -> Path | None:
    """Return the other folder to collect from."""
    return Path.cwd() / values.extra_logs_dir if values.extra_logs_dir else None


def run_ours(words: Iterable[str]) -> bytes:
    """Run a command; if it is one of ours, the one that belongs to this very program."""
    program, *arguments = words
    if program not in PROGRAMS:
        return run_command([program, *arguments])
    script = f"import sys; from {PROGRAMS[program]} import main; sys.exit(main())"
    return run_command([sys.executable, "-c", script, *arguments])


def collect_here(collector: Collector, items: Iterable[Item], values: Values, *, target: Path) -> None:
    """Carry out steps on this machine, then pack what they found if that is wanted. Raises what stops it."""
    wishes = Wishes(
        target=target, window=window(values), extra=extra_folder(values), transfer_words=values.transfer_args
    )
    was_there = target.exists()
    items = [*items, *([Item(Step.ARCHIVE)] if values.archive else [])]
    progress = Bar(len(items))
    failures: list[str] = []
    try:
        for item in items:
            progress.doing(item.title)
            try:
                collector.carry_out(item, wishes)
            except (DaosControlError, OSError) as error:
                if values.stop_on_error or item.step is Step.ARCHIVE:
                    raise
                failures.append(f"{' '.join(item.title.split())}: {failure_text(error)}")
    finally:
        progress.close()
    for failure in failures:
        print(f"not collected: {failure}")
    if values.archive and not was_there:  # what is more was not ours
        shutil.rmtree(target)
    print(f"Support logs are in {target}{folders.ARCHIVE_SUFFIX if values.archive else ''}")


def failure_text(error: Exception) -> str:
    """Word an error; those of the operating system as people write them."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
