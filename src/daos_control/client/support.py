"""Collecting for support: each host carries out one step at a time, and keeps what it finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from daos_control.client.connection import Connection
from daos_control.client.reports import HostProblem, group_problems
from daos_control.host.support.steps import Item
from daos_control.wire.pb.ctl import support_pb2

STEP_S: Final = 1800.0
"""Logs may be large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What is the same for all steps."""

    target: str
    """The folder, on every host."""
    extra: str = ""
    """Another folder of logs, on every host."""
    start_date: str = ""
    """Of logs, only what is not older; as the other three, in the form that hosts take."""
    end_date: str = ""
    start_time: str = ""
    end_time: str = ""
    stop_on_error: bool = False
    transfer_args: str = ""
    admin_node: str = ""


class Support:
    """What hosts do for support; part of a ``DaosClient``. Without ``hosts``, all configured ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def collect(
        self, item: Item, collection: Collection, *, hosts: Sequence[str] = ()
    ) -> tuple[HostProblem, ...]:
        """Have every host carry out a step; return where it failed, and why."""
        request = support_pb2.CollectLogReq(
            TargetFolder=collection.target,
            ExtraLogsDir=collection.extra,
            AdminNode=collection.admin_node,
            LogFunction=int(item.step),
            LogCmd=item.what,
            LogStartDate=collection.start_date,
            LogEndDate=collection.end_date,
            LogStartTime=collection.start_time,
            LogEndTime=collection.end_time,
            StopOnError=collection.stop_on_error,
            FileTransferExecArgs=collection.transfer_args,
        )
        answers = await self._connection.each("CollectLog", request, hosts, deadline_s=STEP_S)
        return group_problems(answers.errors.items())
