"""``support collect-log``: the folder, the times, our own programs, and the steps that are taken on this machine."""

import asyncio
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.cli.flags import Values
from daos_control.cli.interrupts import ending
from daos_control.cli.ui.errors import error_text
from daos_control.cli.ui.progress import display_for, showing
from daos_control.client.errors import Interrupted
from daos_control.client.waiting import Waiting
from daos_control.host.support import folder as folders
from daos_control.host.support.collector import Collector, Wishes, run_command
from daos_control.host.support.folder import UnsafeFolder, check_target
from daos_control.host.support.steps import Item, Step
from daos_control.host.support.window import Window

log = logs.get(__name__)

PROGRAMS: Final = {"dmg": "daos_control.cli.dmg", "daos_agent": "daos_control.cli.daos_agent"}


class NoSpaceLeft(DaosControlError):
    """What is collected does not fit where it should go."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            f"no space is left for {target}: what was collected until then is there; make room, or name another folder "
            "with --target-folder"
        )


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
    """Carry out steps on this machine, then pack what they found if that is wanted. Raises what stops it.

    Ctrl-C lets the step that is under way come to its end, and raises Interrupted then.
    """
    wishes = Wishes(
        target=target, window=window(values), extra=extra_folder(values), transfer_words=values.transfer_args
    )
    was_there = target.exists()
    items = [*items, *([Item(Step.ARCHIVE)] if values.archive else [])]
    failures = asyncio.run(_carry_out(collector, items, wishes, values))
    for failure in failures:
        print(f"not collected: {failure}")
    if values.archive and not was_there:  # what is more was not ours
        shutil.rmtree(target)
    print(f"Support logs are in {target}{folders.ARCHIVE_SUFFIX if values.archive else ''}")


async def _carry_out(collector: Collector, items: Sequence[Item], wishes: Wishes, values: Values) -> list[str]:
    """Carry out step by step, and let people see how far that is; return what failed."""
    waiting, failures = Waiting(), []
    display = display_for(waiting, document=False, debug=values.debug)
    async with showing(display):
        with ending(waiting), waiting.on("collect-log", total=len(items)) as wait:
            wait.unit = "steps"
            for item in items:
                wait.missing = " ".join(item.title.split())
                try:
                    await asyncio.to_thread(collector.carry_out, item, wishes)
                except (DaosControlError, OSError) as error:
                    if getattr(error, "errno", 0) == errno.ENOSPC:
                        raise NoSpaceLeft(wishes.target) from error
                    if values.stop_on_error or item.step is Step.ARCHIVE or isinstance(error, UnsafeFolder):
                        raise
                    failures.append(f"{wait.missing}: {error_text(error)}")
                wait.done += 1
                if waiting.is_interrupted:
                    raise Interrupted(str(waiting), changes=False)
    return failures
