"""A program around its commands: shells that ask, help, complaints, and readers that go away."""

from __future__ import annotations

import errno
import os
import sys

from daos_control.cli import flags

_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of writing to standard output."""
_FATAL = ("strict", "surrogateescape")
"""How streams may treat what they cannot encode that ends in an error; the second is that of ``LC_ALL=C``."""
TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daos_control.cli.flags import Command, Parsed


def main(
    program: Command,
    argv: Sequence[str],
    *,
    check: Callable[[Parsed], None] = lambda _: None,
    documents: bool = False,
    named: bool = True,
) -> int:
    """Run one command line, for as long as somebody reads what it prints; the result is the exit code.

    ``check`` refuses, with UsageError, what the tables of commands allow. With ``documents``, a command line with
    ``--json`` has its one document even if it is wrong. Complaints begin with the program's name if it is ``named``.
    """
    name = f"{program.name}: " if named else ""
    _ready_streams()
    try:
        code = _run(program, argv, check, name, documents=documents)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in buffers has nobody to read it
        if error.errno != errno.EPIPE:  # which is how ... | head ends
            print(f"ERROR: {name}cannot write to standard output: {error.strerror}", file=sys.stderr)
        return 1
    return code


def _ready_streams() -> None:
    """Give streams that are closed somewhere to go, before a file takes their number; and let no character be fatal."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif number and getattr(stream, "errors", "") in _FATAL and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _run(program: Command, argv: Sequence[str], check: Callable[[Parsed], None], name: str, *, documents: bool) -> int:
    if os.environ.get("GO_FLAGS_COMPLETION") or os.environ.get("DAOS_CONTROL_COMPLETION"):
        from daos_control.cli.guidance.completion import answer

        sys.stdout.write(answer(program, argv))
        return 0
    try:
        parsed = flags.parse(program, argv)
        check(parsed)
    except flags.HelpWanted as wanted:
        from daos_control.cli.guidance.help import help_text

        shown = help_text(wanted.path)
        if documents and wanted.values.json:
            _print_failure(shown)
        print(shown)
        return 0
    except flags.UsageError as error:
        if documents and error.values.json:
            _print_failure(str(error))
        _complain(f"{name}{error}", error.path)
        return 1
    return execute(parsed)


def _complain(text: str, path: Sequence[Command]) -> None:
    """Say what is wrong with a command line, and to a person where it says how it should be."""
    if not sys.stderr.isatty():
        print(f"ERROR: {text}", file=sys.stderr)
        return
    from daos_control.cli.ui import terminal

    page = " ".join(command.name for command in path)
    print(f"{terminal.error_word()} {text}\nMore about it: {page} -h", file=sys.stderr)


def _print_failure(text: str) -> None:
    from daos_control.cli.ui.envelope import envelope

    print(envelope(None, Exception(text)))


def execute(parsed: Parsed) -> int:
    """Import and run the function of the chosen command; its result is the exit code."""
    let_garbage_wait()
    result = flags.load(parsed.command.run)(parsed.values)
    return int(result or 0)


def let_garbage_wait() -> None:
    """Look for garbage once in 100,000 new objects, not in 700.

    Importing makes a few ten thousand objects, of which none is garbage; looking through them dozens of times takes a
    tenth of the time until a program is ready.
    """
    import gc

    gc.set_threshold(100_000)
