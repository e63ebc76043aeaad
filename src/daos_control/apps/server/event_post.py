"""Brings events of this host to a leader elsewhere: ours or one of DAOS's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from daos_control.base.errors import DaosControlError, Redirect, ServiceUnavailable
from daos_control.client.errors import ManagementServiceUnreachable, is_connection_error
from daos_control.client.invoke import ManagementClient
from daos_control.client.outcomes import is_timeout, is_unavailable
from daos_control.mgmt.events import KeepsNoHistory, LeaderAway
from daos_control.model.event import Event
from daos_control.net.rpc.methods import MGMT, SYSTEM
from daos_control.net.rpc.status import Code, StatusError
from daos_control.wire.convert.events import event_to_pb
from daos_control.wire.pb.control import system_pb2
from daos_control.wire.pb.shared import event_pb2

DEADLINE_S: Final = 60.0


class EventPost:
    """The way to the leader; ``here`` is this server's address, by which the leader knows who reports."""

    def __init__(self, client: ManagementClient, here: str) -> None:
        self._client = client
        self._here = here

    async def forward(self, sequence: int, event: Event) -> None:
        """Have the leader act on an event, as DAOS 2.8 does."""
        request = event_pb2.ClusterEventReq(sequence=sequence, event=event_to_pb(event))
        with _translated():
            await self._client.call(MGMT["ClusterEvent"], request, deadline_s=DEADLINE_S, repeatable=True)

    async def report(self, events: Sequence[Event]) -> None:
        """Tell the leader of events for its history.

        Not by ``ClusterEvent``: a leader of DAOS's own would take an engine that ended itself for one of its host's.
        """
        request = system_pb2.ReportEventsReq(reporter=self._here, events=map(event_to_pb, events))
        with _translated():
            await self._client.call(SYSTEM["ReportEvents"], request, deadline_s=DEADLINE_S, repeatable=True)


@contextmanager
def _translated() -> Iterator[None]:
    """Tell errors that pass by themselves from others."""
    try:
        yield
    except StatusError as error:
        if error.code == Code.UNIMPLEMENTED:
            raise KeepsNoHistory from error
        if error.code == Code.UNAVAILABLE:
            raise LeaderAway(str(error)) from error
        raise
    except DaosControlError as error:
        away = isinstance(error, Redirect | ServiceUnavailable | ManagementServiceUnreachable)
        if away or is_connection_error(error) or is_timeout(error) or is_unavailable(error):
            raise LeaderAway(str(error)) from error
        raise
