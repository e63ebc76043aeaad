"""``dmg support collect-log``: every host's part, and what dmg itself can tell of the system."""

import asyncio
import socket
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from daos_control.base.errors import DaosControlError
from daos_control.base.hostset import HostSet
from daos_control.cli.dmg.host_problems import error_cell, hosts_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.shared_verbs.collect_log import extra_folder, run_ours, target_folder, window
from daos_control.cli.ui.errors import error_text
from daos_control.cli.ui.tables import table
from daos_control.client.errors import HostError, InvalidRequest
from daos_control.client.support import Collection
from daos_control.client.waiting import Wait
from daos_control.host.support import folder as folders
from daos_control.host.support import steps
from daos_control.host.support.collector import StepFailed
from daos_control.host.support.copying import write_masked
from daos_control.host.support.folder import Folder
from daos_control.host.support.steps import Item, Place, Step

_TOLD: Final = 3
"""Of so many steps that fail alike, each is named."""


@command()
async def collect_log(session: Session, args: Values) -> Output:
    """Collect for support."""
    window(args)
    target = target_folder(args, of="server")
    session.say(f"Support logs will be copied to {target}")
    await _system_answers(session)
    run = _Run(session, args, target)
    await run.everything()
    return Output(text=run.summary())


async def _system_answers(session: Session) -> None:
    """Raise InvalidRequest unless there is a system to ask."""
    try:
        await session.daos.system.query()
    except DaosControlError as error:
        raise InvalidRequest(
            f"system query failed: {error}; where servers do not answer, "
            "collect on each host by itself with: daos_server support collect-log"
        ) from error


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that was not carried out somewhere."""

    hosts: str
    title: str
    error: DaosControlError


def summed_up(failures: Iterable[Failure]) -> list[tuple[str, str, str]]:
    """Return rows of hosts, steps and error; where the same went wrong with many steps, one row tells of them."""
    steps_by: dict[tuple[str, str], list[str]] = {}
    for one in failures:
        steps_by.setdefault((one.hosts, error_cell(one.error)), []).append(" ".join(one.title.split()))
    return [(hosts, _in_short(titles), error) for (hosts, error), titles in steps_by.items()]


def _in_short(titles: Sequence[str]) -> str:
    return ", ".join(titles) if len(titles) <= _TOLD else f"{titles[0]} and {len(titles) - 1} other steps"


@dataclass(slots=True)
class _Run:
    session: Session
    args: Values
    target: Path
    failures: list[Failure] = field(default_factory=list)

    async def everything(self) -> None:
        args, logs_only = self.args, bool(self.args.log_type)
        extra = extra_folder(args)
        servers = steps.server_items(args.log_type, extra=extra is not None)
        ours = () if logs_only else steps.DMG_COMMANDS
        total = len(servers) + len(ours) + (not logs_only) + bool(args.transfer_args) + 2 * args.archive
        with self.session.daos.waiting.on("collect-log", total=total) as wait:
            wait.unit = "steps"
            for item in servers:
                await self._step(wait, item.title, self._on_hosts(item))
            for text in ours:
                await self._step(wait, text, self._here(text, Place.SYSTEM))
            if not logs_only:
                await self._step(wait, "devices of the hosts", self._devices())
            if args.archive:
                await self._step(wait, "the archive on this machine", self._pack())
                await self._step(wait, "archives on hosts", self._on_hosts(Item(Step.ARCHIVE)))
            if args.transfer_args:
                await self._step(wait, "the transfer", self._on_hosts(Item(Step.TRANSFER)))

    async def _step(self, wait: Wait, title: str, work: Awaitable[None]) -> None:
        """Carry out a step, and let people see which."""
        wait.missing = " ".join(title.split())
        await work
        wait.done += 1

    def summary(self) -> str:
        """Say what could not be collected, and where the rest is."""
        where = f"{self.target}{folders.ARCHIVE_SUFFIX if self.args.archive else ''}"
        place = f"The results are in {where}: on this machine the system's, on every host its own.\n"
        if not self.failures:
            return f"Summary : All Commands Successfully Executed\n{place}"
        return f"Summary :\n{table(['Hosts', 'Command', 'Error'], summed_up(self.failures))}\n{place}"

    async def _on_hosts(self, item: Item) -> None:
        args, extra = self.args, extra_folder(self.args)
        collection = Collection(
            target=str(self.target),
            extra=str(extra) if extra else "",
            start_date=args.start_date,
            end_date=args.end_date,
            start_time=args.log_start_time,
            end_time=args.log_end_time,
            stop_on_error=args.stop_on_error,
            transfer_args=args.transfer_args,
            admin_node=socket.gethostname() if item.step is Step.ARCHIVE else "",
        )
        for problem in await self.session.daos.support.collect(item, collection):
            self._failed(Failure(hosts_text(problem.hosts), item.title, problem.error))

    async def _here(self, text: str, *places: str, options: Sequence[str] = ()) -> None:
        """Keep what a command of dmg says."""
        try:
            await asyncio.to_thread(self._save, text, places, options)
        except StepFailed as error:
            self._failed(Failure(socket.gethostname(), text, error))
        except OSError as error:
            self._failed(Failure(socket.gethostname(), text, HostError(error_text(error))))

    def _save(self, text: str, places: Sequence[str], options: Sequence[str]) -> None:
        name = steps.file_name(text)
        words = [*steps.words(text), *self._options(), *options]
        with Folder.open_target(self.target) as top, top.sub(*places) as below:
            try:
                write_masked(run_ours(words), below, name)
            except StepFailed as failure:
                if failure.output:
                    write_masked(failure.output, below, name)
                raise

    def _options(self) -> list[str]:
        """Return the options that make another dmg ask the same system."""
        args = self.args
        config = ["-o", str(args.config_path)] if args.config_path else []
        return [*config, *["-i"] * args.insecure, *["-j"] * args.json, *["--allow-proxy"] * args.allow_proxy]

    async def _devices(self) -> None:
        """Keep what is known of the devices of every host, and of the health of each."""
        for name, address in (await self._hosts()).items():
            places = (name, Place.NODE)
            await self._here(steps.LIST_DEVICES, *places, options=["-l", address])
            report = await self.session.daos.storage.list_devices(hosts=[address])
            for group in report.groups:
                for device in group.record.smd_info.devices if group.record.smd_info else ():
                    await self._here(
                        f"{steps.LIST_DEVICES} --health -u {device.uuid}", *places, options=["-l", address]
                    )

    async def _hosts(self) -> dict[str, str]:
        """Return the addresses of hosts by the names of their folders."""
        if "host_list" in self.args:
            chosen = HostSet.parse(",".join(self.args.host_list))
            return {host.partition(":")[0]: host for host in chosen}
        members = (await self.session.daos.system.query()).members
        return {member.fault_domain.rpartition("/")[2]: member.addr for member in members}

    async def _pack(self) -> None:
        try:
            await asyncio.to_thread(folders.archive, self.target)
        except OSError as error:
            text = error_text(error)
            self._failed(Failure(socket.gethostname(), "archive", HostError(text)))

    def _failed(self, failure: Failure) -> None:
        self.failures.append(failure)
        if self.args.stop_on_error:
            raise StepFailed(f"{failure.title} on {failure.hosts}: {failure.error}") from failure.error
