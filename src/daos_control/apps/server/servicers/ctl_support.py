"""CollectLog: this host's part of what an administrator collects for support, one step a call."""

import asyncio
from pathlib import Path

from daos_control.base.errors import DaosControlError
from daos_control.host.support.collector import Collector, Sources, StepFailed, Wishes
from daos_control.host.support.steps import Item, Step
from daos_control.host.support.window import Window
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.net.rpc.status import Code, StatusError
from daos_control.wire.pb.ctl import support_pb2


class SupportService:
    """The support call of CtlSvc."""

    def __init__(self, sources: Sources) -> None:
        self._collector = Collector(sources)

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {CTL["CollectLog"].path: self.collect}

    async def collect(self, request: support_pb2.CollectLogReq, _: Caller) -> support_pb2.CollectLogResp:
        """Carry out a step; it goes on beside other calls, and whoever has asked hears when it is done."""
        try:
            item, wishes = item_of(request), wishes_of(request)
            await asyncio.to_thread(self._collector.carry_out, item, wishes)
        except OSError as error:
            raise StatusError(Code.UNKNOWN, f"{error.filename or request.TargetFolder}: {error.strerror}") from error
        except DaosControlError as error:
            raise StatusError(Code.UNKNOWN, str(error)) from error
        return support_pb2.CollectLogResp()


def item_of(request: support_pb2.CollectLogReq) -> Item:
    """Return the step that a request asks for. Raises StepFailed if there is none of that number."""
    try:
        return Item(Step(request.LogFunction), request.LogCmd)
    except ValueError:
        raise StepFailed(f"there is no step {request.LogFunction} of collecting") from None


def wishes_of(request: support_pb2.CollectLogReq) -> Wishes:
    """Return what else a request says. Raises BadWindow."""
    return Wishes(
        target=Path(request.TargetFolder),
        window=Window.parse(request.LogStartDate, request.LogEndDate, request.LogStartTime, request.LogEndTime),
        extra=Path(request.ExtraLogsDir) if request.ExtraLogsDir else None,
        transfer_words=request.FileTransferExecArgs,
    )
