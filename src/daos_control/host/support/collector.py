"""Carries out the steps of collecting on this host, each by itself; what a step finds is written below the target.

Commands are run from a fixed list, never through a shell: whoever may ask for a step may not ask for a program.
Whatever is written has been searched for secrets. What was left out, and why, is told in ``not-collected.txt``.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.base.version import DAOS_VERSION
from daos_control.config.agent import AgentConfig
from daos_control.config.server import ServerConfig
from daos_control.host.support import folder as folders
from daos_control.host.support import steps
from daos_control.host.support.copying import LeftOut, copy_file, write_masked
from daos_control.host.support.folder import Folder
from daos_control.host.support.steps import Item, Place, ServerLog, Step
from daos_control.host.support.window import Window
from daos_control.host.topology import read_topology
from daos_control.host.topology_text import topology_text
from daos_control.security.redaction import redacted_environment

log = logs.get(__name__)

REMARKS: Final = "not-collected.txt"
COMMAND_S: Final = 120.0
TRANSFER_S: Final = 3600.0

Run: TypeAlias = Callable[[Iterable[str]], bytes]
"""Runs a program with its arguments and returns what it says. Raises StepFailed, perhaps with what it said."""


class StepFailed(DaosControlError):
    """A step was not carried out, or not wholly; the text says why."""

    def __init__(self, text: str, output: bytes = b"") -> None:
        super().__init__(text)
        self.output = output


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where things are on this host. Paths of logs are those of the configuration: rotated files begin with them."""

    host: str
    """The name of the folder for this host's results."""
    config: Path
    """The file with the configuration."""
    forbidden: tuple[Path, ...] = ()
    """Places that are never collected into."""
    engine_logs: tuple[str, ...] = ()
    engines: int = 0
    control_log: str = ""
    helper_log: str = ""
    agent_log: str = ""
    client_log: str = ""
    transfer_program: str = ""
    metrics: Callable[[int], bytes] | None = None
    """Tells the metrics of an engine, by its index."""
    reports: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """What a command would say, by command: those that this program answers itself."""

    @classmethod
    def of_server(cls, config: ServerConfig, path: Path, *, host: str) -> "Sources":
        """Return those of a storage host; ``path`` is the file to give away, with the configuration in it."""
        return cls(
            host=host,
            config=path,
            forbidden=tuple(Path(tier.scm_mount) for engine in config.engines for tier in engine.scm_tiers),
            engine_logs=tuple(engine.log_file for engine in config.engines if engine.log_file),
            engines=len(config.engines),
            control_log=config.control_log_file,
            helper_log=config.helper_log_file,
            transfer_program=config.support_config.file_transfer_exec,
            reports={
                steps.SERVER_VERSION: f"DAOS Control Server version {DAOS_VERSION}\n".encode,
                steps.TOPOLOGY: lambda: topology_text(read_topology()).encode(),
                steps.ENVIRONMENT: _environment,
            },
        )

    @classmethod
    def of_agent(cls, config: AgentConfig, path: Path, *, host: str) -> "Sources":
        """Return those of a client node, whose applications log as the environment of this process says."""
        client_log = os.environ.get("D_LOG_FILE", "")
        reports = {steps.ENVIRONMENT: _environment}
        return cls(host=host, config=path, agent_log=config.log_file, client_log=client_log, reports=reports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever asks wants, beside the step."""

    target: Path
    window: Window | None = None
    extra: Path | None = None
    transfer_words: str = ""


class Collector:
    """Carries out steps on this host."""

    def __init__(self, sources: Sources, *, run: Run | None = None) -> None:
        self._sources = sources
        self._host = sources.host
        self._run = run or run_command
        self._actions: Mapping[Step, Callable[[Item, Wishes, Path], None]] = {
            Step.SERVER_CONFIG: self._config,
            Step.AGENT_CONFIG: self._config,
            Step.SYSTEM_COMMAND: self._command,
            Step.SERVER_COMMAND: self._command,
            Step.AGENT_COMMAND: self._command,
            Step.SERVER_LOG: self._server_log,
            Step.AGENT_LOG: self._agent_log,
            Step.CLIENT_LOG: self._client_log,
            Step.EXTRA_LOGS: self._extra,
            Step.TRANSFER: self._transfer,
            Step.ARCHIVE: self._archive,
        }

    def carry_out(self, item: Item, wishes: Wishes) -> None:
        """Carry out one step. Raises StepFailed, UnsafeFolder or OSError."""
        action = self._actions.get(item.step)
        if action is None:
            raise StepFailed(f"step {int(item.step)} ({item.title}) is not one for this host")
        target = folders.check_target(wishes.target, forbidden=self._sources.forbidden)
        log.info("collecting for support", step=item.title, target=str(target))
        action(item, wishes, target)

    def _config(self, item: Item, wishes: Wishes, target: Path) -> None:
        place = Place.SERVER_CONFIG if item.step is Step.SERVER_CONFIG else Place.AGENT_CONFIG
        with Folder.open_target(target) as top, top.sub(self._host, place) as below:
            text = self._sources.config.read_bytes()
            write_masked(text, below, self._sources.config.name.lstrip("."))

    def _command(self, item: Item, wishes: Wishes, target: Path) -> None:
        place, allowed = _COMMANDS[item.step]
        if item.what not in allowed:
            raise StepFailed(f"{item.what!r} is not one of the commands that are collected")
        with Folder.open_target(target) as top, top.sub(self._host, place) as below:
            if item.what == steps.METRICS:
                self._metrics(below)
            elif item.what == steps.RPM_PACKAGES and not shutil.which("rpm") and shutil.which("dpkg-query"):
                self._save(below, steps.DEB_PACKAGES)
            else:
                self._save(below, item.what)

    def _metrics(self, below: Folder) -> None:
        """Have DAOS's own program tell the metrics of engines; where it is not installed, whoever has made us does."""
        if not self._sources.engines:
            raise StepFailed("there are no engines in the configuration")
        failures = []
        for index in range(self._sources.engines):
            command = f"{steps.METRICS} -S {index}"
            try:
                if self._sources.metrics is None or shutil.which(steps.METRICS):
                    self._save(below, command)
                elif text := self._sources.metrics(index):
                    write_masked(text, below, steps.file_name(command))
                else:
                    raise StepFailed(f"engine {index} has no metrics")
            except StepFailed as failure:
                failures.append(str(failure))
        if failures:
            raise StepFailed("; ".join(dict.fromkeys(failures)))

    def _save(self, below: Folder, command: str) -> None:
        name = steps.file_name(_FILE_NAMES.get(command, command))
        report = self._sources.reports.get(command)
        try:
            write_masked(report() if report else self._run(steps.words(command)), below, name)
        except StepFailed as failure:
            if failure.output:
                write_masked(failure.output, below, name)
            raise

    def _server_log(self, item: Item, wishes: Wishes, target: Path) -> None:
        kinds = {
            ServerLog.ENGINE: (Place.ENGINE_LOGS, self._sources.engine_logs, "log_file of engines"),
            ServerLog.CONTROL: (Place.CONTROL_LOGS, (self._sources.control_log,), "control_log_file"),
            ServerLog.HELPER: (Place.HELPER_LOGS, (self._sources.helper_log,), "helper_log_file"),
        }
        if item.what not in kinds:
            raise StepFailed(f"{item.what!r} is not one of the logs that a server has ({', '.join(kinds)})")
        place, paths, key = kinds[ServerLog(item.what)]
        self._logs(place, paths, key, wishes, target, stamp_first=item.what == ServerLog.ENGINE)

    def _agent_log(self, item: Item, wishes: Wishes, target: Path) -> None:
        self._logs(Place.AGENT_LOGS, (self._sources.agent_log,), "log_file", wishes, target)

    def _client_log(self, item: Item, wishes: Wishes, target: Path) -> None:
        paths = (self._sources.client_log,)
        self._logs(Place.CLIENT_LOGS, paths, "D_LOG_FILE in the environment", wishes, target, stamp_first=True)

    def _logs(
        self, place: Place, paths: Iterable[str], key: str, wishes: Wishes, target: Path, *, stamp_first: bool = False
    ) -> None:
        """Copy logs, and what became of them when they were rotated."""
        with Folder.open_target(target) as top, top.sub(self._host) as mine, mine.sub(place) as below:
            named = [Path(path) for path in paths if path]
            if not named:
                _remark(mine, place, f"{key} is not set: what would be there is in the journal, if anywhere")
            for path in named:
                found = sorted(path.parent.glob(f"{_literal(path.name)}*"))
                if not found and place is Place.HELPER_LOGS:
                    _remark(mine, place, f"there is no {path}: the helper has had nothing to do")
                elif not found:
                    raise StepFailed(f"there is no {path}")
                for file in found:
                    self._copy(file, mine, below, wishes.window, stamp_first=stamp_first)

    def _extra(self, item: Item, wishes: Wishes, target: Path) -> None:
        if wishes.extra is None:
            raise StepFailed("no folder of extra logs was named")
        if not wishes.extra.is_dir():
            raise StepFailed(f"there is no folder {wishes.extra}")
        with Folder.open_target(target) as top, top.sub(self._host) as mine:
            for folder, names, files in os.walk(wishes.extra):
                names[:] = sorted(name for name in names if (Path(folder) / name).resolve() != target)
                below_names = Path(folder).relative_to(wishes.extra).parts
                with mine.sub(Place.EXTRA, *below_names) as below:
                    for name in sorted(files):
                        self._copy(Path(folder) / name, mine, below, None)

    def _copy(
        self, file: Path, mine: Folder, below: Folder, window: Window | None, *, stamp_first: bool = False
    ) -> None:
        try:
            remark = copy_file(file, below, window=window, stamp_first=stamp_first)
        except LeftOut as reason:
            remark = str(reason)
        except OSError as error:
            if not file.is_symlink():
                raise
            remark = f"it is a link: {error.strerror}"
        if remark:
            _remark(mine, str(file), remark)

    def _transfer(self, item: Item, wishes: Wishes, target: Path) -> None:
        program = self._sources.transfer_program
        if not program:
            raise StepFailed(
                "there is no program to transfer with: set file_transfer_exec below support_config "
                f"in {self._sources.config}"
            )
        try:
            run_command([*steps.words(program), str(target), *steps.words(wishes.transfer_words)], limit_s=TRANSFER_S)
        except ValueError as error:
            raise StepFailed(f"the arguments for the transfer cannot be taken apart: {error}") from error

    def _archive(self, item: Item, wishes: Wishes, target: Path) -> None:
        if not target.is_dir():
            raise StepFailed(f"there is nothing to pack: {target} is not there")
        folders.archive(target)


_COMMANDS: Final = {
    Step.SYSTEM_COMMAND: (Place.HOST, steps.SYSTEM_COMMANDS),
    Step.SERVER_COMMAND: (Place.NODE, steps.SERVER_COMMANDS),
    Step.AGENT_COMMAND: (Place.AGENT_COMMANDS, steps.AGENT_COMMANDS),
}
_FILE_NAMES: Final = {steps.TOPOLOGY: "daos_server_dump-topology"}


def run_command(words: Iterable[str], *, limit_s: float = COMMAND_S) -> bytes:
    """Run a program, and return what it says on either stream. Raises StepFailed if it fails or takes too long."""
    program, *arguments = words
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
        )
    except FileNotFoundError:
        raise StepFailed(f"{program} is not installed here") from None
    except OSError as error:
        raise StepFailed(f"{program} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{program} did not end in {limit_s:g} seconds", error.output or b"") from error
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip().rpartition("\n")[2]
        raise StepFailed(f"{program} failed ({done.returncode}){': ' if said else ''}{said}", done.stdout)
    return done.stdout


def _environment() -> bytes:
    return redacted_environment(os.environb)


def _remark(mine: Folder, what: str, text: str) -> None:
    mine.append(REMARKS, f"{what}: {text}\n".encode(errors="surrogateescape"))


def _literal(name: str) -> str:
    """Write a name so that a pattern means just it."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
