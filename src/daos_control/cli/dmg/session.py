"""One dmg command from its values to its exit code: configuration, client, event loop, output, errors.

A command is a coroutine from a ``Session`` and its values to an ``Output``; ``command`` makes it what ``flags`` runs.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial, wraps
from typing import Any, Final, NamedTuple, TextIO, TypeVar

from daos_control.base import logs
from daos_control.base.aio import background
from daos_control.base.errors import DaosControlError, DaosError, Fault
from daos_control.cli import proxies
from daos_control.cli.dmg import advice
from daos_control.cli.flags import Values
from daos_control.cli.interrupts import EXIT_CODE, Idle, ending
from daos_control.cli.ui import terminal
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.envelope import envelope
from daos_control.cli.ui.progress import Display, display_for, showing
from daos_control.cli.ui.steps import Step, steps_text
from daos_control.client.daos import DaosClient
from daos_control.client.errors import Interrupted, InvalidRequest, PartlyFailed

PROGRAM: Final = "dmg"
LOOK_EVERY_S: Final = 1.0
"""How often we look how far something is."""

log = logs.get(__name__)

Result = TypeVar("Result")


class Output(NamedTuple):
    """What a command has to say; ``problem`` says that not all went well, and makes it fail."""

    document: object = None
    text: str = ""
    error_text: str = ""
    """For standard error, in front of the problem."""
    problem: DaosControlError | None = None
    view: str = ""
    """The text as a person at a terminal sees it, if that is better than what scripts take apart."""
    next: Sequence[Step] = ()
    """What a person may want to do now; only said at a terminal."""


class Headway(NamedTuple):
    """How far something is."""

    done: int
    total: int
    unit: str
    missing: str
    """What is not done."""


class Session:
    """What a command works with."""

    def __init__(
        self,
        daos: DaosClient,
        *,
        json: bool,
        emit: Callable[[str], None] = print,
        display: Display | None = None,
    ) -> None:
        self.daos = daos
        self.json = json
        self.display = display
        """Tells what is being waited for, if somebody looks."""
        self.emit = emit
        """Write a line on standard output, and at once: for commands that go on and on."""

    def say(self, text: str) -> None:
        """Tell a person something before the result is there."""
        if not self.json:
            self._make_way()
            log.info(text)

    def notice(self, text: str) -> None:
        """Tell a person something to think about."""
        self._make_way()
        log.notice(text)

    def _make_way(self) -> None:
        if self.display is not None:
            self.display.clear()

    def unwatched(self) -> DaosClient:
        """Return a client for asking how far the command is, of which nobody is told."""
        return self.daos.unwatched()

    @contextlib.asynccontextmanager
    async def showing(self, look: Callable[[], Awaitable[Headway]]) -> AsyncIterator[None]:
        """Look again and again, during a block, how far its one request is, and show it at a terminal."""
        async with background() as beside:
            if self.display is not None and self.display.live:
                beside.start("headway", self._look_on(look))
            yield

    async def _look_on(self, look: Callable[[], Awaitable[Headway]]) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                headway = await look()
            except DaosControlError as error:
                log.debug("nobody knows how far it is", error=error)
                continue
            for wait in self.daos.waiting.waits[:1]:
                wait.done, wait.total, wait.unit = headway.done, headway.total, headway.unit
                wait.missing = headway.missing

    @property
    def interactive(self) -> bool:
        """Whether a person is there to be asked: at a terminal, and not for a document."""
        return not self.json and sys.stdin.isatty() and sys.stderr.isatty()

    def typed(self, warning: str, word: str) -> bool:
        """Show a person what is about to happen, and see whether they type a word to let it."""
        print(f"{warning}\nType {word} to go on, anything else to leave it: ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip() == word


Command = Callable[[Session, Values], Awaitable[Output]]


def command(
    failure: str = "", *, failed: object = None, bare: bool = False
) -> Callable[[Command], Callable[[Values], int]]:
    """Turn a coroutine into a command; ``failure`` begins the text of every error, ``failed`` is the reply then.

    With ``bare``, errors of documents do without that beginning, as they do in DAOS.
    """

    def decorate(function: Command) -> Callable[[Values], int]:
        @wraps(function)
        def run(args: Values) -> int:
            return _run(function, args, "" if bare and args.json else failure, Output(document=failed))

        return run

    return decorate


Stream = Callable[[Session, Values], Awaitable[None]]


def streaming(failure: str) -> Callable[[Stream], Callable[[Values], int]]:
    """Turn a coroutine that emits lines into a command, which ends when somebody has seen enough.

    There is no document around them: with ``--json`` every line is one.
    """

    def decorate(function: Stream) -> Callable[[Values], int]:
        @wraps(function)
        def run(args: Values) -> int:
            emit = _emit_to(sys.stdout)
            with contextlib.redirect_stdout(sys.stderr) if args.json else contextlib.nullcontext():
                try:
                    _configure_logs(args)
                    asyncio.run(_within(function, args, emit))
                except DaosControlError as error:
                    return _report(error, f"{failure}: ", "", json_logging=args.json_logging)
                except KeyboardInterrupt:
                    return EXIT_CODE
                except BrokenPipeError:
                    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in buffers has nobody to read it
            return 0

        return run

    return decorate


def _emit_to(out: TextIO) -> Callable[[str], None]:
    def emit(line: str) -> None:
        out.write(line + "\n")
        out.flush()

    return emit


def _run(function: Command, args: Values, failure: str, output: Output) -> int:
    error: DaosControlError | None = None
    real_stdout = sys.stdout
    with contextlib.redirect_stdout(sys.stderr) if args.json else contextlib.nullcontext():
        try:
            _configure_logs(args)
            output = asyncio.run(_within(function, args))
            error = output.problem
        except DaosControlError as raised:
            error = raised
            if isinstance(raised, InvalidRequest):  # nobody was asked, so there is no reply, not even an empty one
                output = Output()
        except KeyboardInterrupt as interrupt:
            error = Interrupted(changes=not isinstance(interrupt, Idle))
    prefix = f"{failure}: " if failure and error is not output.problem else ""
    if args.json:
        real_stdout.write(envelope(document(output.document), error, text=f"{prefix}{error}") + "\n")
        real_stdout.flush()
    elif output.text:
        text = output.view if output.view and terminal.is_seen(sys.stdout) else output.text
        _print(text, json_logging=args.json_logging)
    code = _report(error, prefix, "" if args.json else output.error_text, json_logging=args.json_logging)
    if isinstance(error, Interrupted):
        return EXIT_CODE
    steps = tuple(advice.for_error(error, args)) if error and error is not output.problem else output.next
    if steps and not args.json and terminal.is_seen(sys.stdout, sys.stderr):
        print(steps_text(steps), end="", file=sys.stderr)
    return code


async def _within(
    function: Callable[[Session, Values], Awaitable[Result]], args: Values, emit: Callable[[str], None] = print
) -> Result:
    """Run a command with a client, and tell people what is waited for if it takes long."""
    hosts = args.host_list if "host_list" in args else None
    daos = DaosClient.from_config(
        args.config_path,
        hosts=hosts,
        insecure=args.insecure,
        allow_proxy=proxies.allowed(args),
        timeout_s=args.time_limit,
    )
    display = display_for(daos.waiting, document=args.json, debug=args.debug)
    async with daos, showing(display):
        with ending(daos.waiting):
            try:
                result = await function(Session(daos, json=args.json, emit=emit, display=display), args)
            except DaosControlError as error:
                if daos.waiting.is_interrupted:
                    raise daos.waiting.interruption from error
                raise
    if daos.waiting.is_interrupted and isinstance(result, Output):
        return result._replace(problem=daos.waiting.interruption)  # with what is known so far
    return result


def _configure_logs(args: Values) -> None:
    configure = partial(
        logs.configure,
        program=PROGRAM,
        level=logs.Level.TRACE if args.debug else logs.Level.INFO,
        json=args.json_logging,
        command=True,
    )
    try:
        configure(file=args.log_file)
    except OSError as error:
        configure()
        raise InvalidRequest(f"cannot write the log file {args.log_file}: {error.strerror}") from error


def _print(text: str, *, json_logging: bool) -> None:
    if json_logging:
        log.info(text)
        return
    shown = terminal.for_stream(sys.stdout, text)
    print(shown, end="" if shown.endswith("\n") else "\n")
    log.shown(logs.Level.INFO, text)


def _report(error: DaosControlError | None, prefix: str, details: str, *, json_logging: bool) -> int:
    """Say on standard error what went wrong and what to do about it; the result is the exit code."""
    if error is None:
        return 0
    sys.stdout.flush()
    if details:
        _print_details(details, json_logging=json_logging)
    _print_error(f"{PROGRAM}: {prefix}{error}", json_logging=json_logging)
    root: Any = error
    while root.__cause__ is not None and not isinstance(root, Fault):
        root = root.__cause__
    if isinstance(root, Fault) and root.resolution:
        _print_error(f"{PROGRAM}: {root.resolution_line()}", json_logging=json_logging)
    _point_to_words(root)
    return 1


def _print_error(text: str, *, json_logging: bool) -> None:
    if json_logging:
        log.error(text)
        return
    shown = terminal.harmless(text) if terminal.is_seen(sys.stderr) else text
    print(f"{terminal.error_word()} {shown}", file=sys.stderr)
    log.shown(logs.Level.ERROR, text)


def _print_details(text: str, *, json_logging: bool) -> None:
    """Say what belongs to an error; where programs read, it is one of its own."""
    if json_logging:
        log.error(text)
        return
    heading = "" if terminal.is_seen(sys.stderr) else f"{terminal.error_word()} "
    print(heading + terminal.for_stream(sys.stderr, text).rstrip("\n"), file=sys.stderr)
    log.shown(logs.Level.ERROR, text)


def _point_to_words(error: BaseException) -> None:
    """Tell a person at a terminal where there is more about an error; programs that read errors are spared."""
    if not terminal.is_seen(sys.stderr):
        return
    causes = error.causes if isinstance(error, PartlyFailed) else (error,)
    words = [f"{PROGRAM} explain {code}" for code in map(_code, causes) if code]
    if words:
        print(f"More about it: {', '.join(dict.fromkeys(words))}", file=sys.stderr)


def _code(error: BaseException) -> str:
    """Return by what number an error can be explained, if it can."""
    if isinstance(error, Fault) and error.code:
        return f"{'' if error.code >= 100 else 'fault '}{error.code}"  # events have small numbers, too
    return str(int(error.status)) if isinstance(error, DaosError) else ""
