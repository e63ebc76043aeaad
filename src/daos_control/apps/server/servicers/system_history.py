"""``daos_control.SystemSvc``: the system's history, from its leader.

A list of events may wait for more: whoever follows them asks again and again with the number of the last one, is
answered at the moment something happens, and costs nothing in between.
"""

import asyncio
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from daos_control.apps.server.servicers.mgmt import Answer, Gate, Served, admit
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.rules import explain, pools
from daos_control.mgmt.service import Management
from daos_control.model.journal import Wanted
from daos_control.net.rpc.handlers import Caller, Handler, Handlers, Reply
from daos_control.net.rpc.methods import SYSTEM
from daos_control.wire.convert.events import event_from_pb
from daos_control.wire.convert.journal import entry_to_pb
from daos_control.wire.pb.control import system_pb2

MOST: Final = 2000
"""Entries in one reply."""
LONGEST_WAIT_S: Final = 60.0
MOST_REPORTED: Final = 4096


def system_handlers(management: Management) -> Handlers:
    """Return the handlers of the service, by full method path."""
    answers: dict[str, Answer] = {
        "ListEvents": _list_events,
        "ExplainRank": _explain_rank,
        "ReportEvents": _report_events,
    }
    return {SYSTEM[name].path: _of_leader(management, answer) for name, answer in answers.items()}


def _of_leader(management: Management, answer: Answer) -> Handler:
    served = Served(answer, Gate.LEADER, while_checking=True)

    async def handle(request: Any, caller: Caller) -> Reply:
        await admit(management, served, request)
        return await answer(management, request, caller)

    return handle


async def _list_events(management: Management, request: system_pb2.ListEventsReq, _: Caller) -> Reply:
    wanted = _wanted(management, request)
    until = asyncio.get_running_loop().time() + min(request.wait_ms / 1000, LONGEST_WAIT_S)
    while True:
        journal = management.journal
        found = [entry for entry in journal.after(request.after) if wanted.accepts(entry)]
        last = journal.last
        if found or not request.wait_ms or request.after > last:
            break
        try:
            async with asyncio.timeout_at(until):
                await journal.growth(last)
        except TimeoutError:
            break
        await management.check_leader()  # else it goes on elsewhere
    most = min(request.limit or MOST, MOST)
    shown = found[-most:] if request.newest else found[:most]
    more = len(shown) < len(found) and not request.newest
    return system_pb2.ListEventsResp(
        entries=map(entry_to_pb, shown),
        last=shown[-1].sequence if more else last,
        oldest=journal.oldest,
        more=more,
    )


def _wanted(management: Management, request: system_pb2.ListEventsReq) -> Wanted:
    return Wanted(
        since=_moment(request.since) if request.since else None,
        ranks=frozenset(request.ranks),
        pool=_pool(management, request.pool) if request.pool else "",
        severity=request.severity,
        ids=frozenset(request.ids),
        moves=request.moves,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not a time") from None
    if moment.tzinfo is None:
        raise Refused(f"{text!r} does not say in which time zone it is")
    return moment


def _pool(management: Management, pool_id: str) -> str:
    """Return a pool's uuid; one that is gone still has a history under its own."""
    try:
        return str(UUID(pool_id))
    except ValueError:
        return pools.find(management.system, pool_id).uuid


async def _explain_rank(management: Management, request: system_pb2.ExplainRankReq, _: Caller) -> Reply:
    entries = management.journal.after(0)
    told = explain.explain(management.system, entries, request.rank, limit=request.limit or explain.SHOWN)
    member = told.member
    return system_pb2.ExplainRankResp(
        rank=member.rank,
        uuid=member.uuid,
        addr=member.addr,
        state=member.state,
        since=member.last_update.isoformat(),
        incarnation=member.incarnation,
        info=member.info,
        story=told.story,
        remedies=[system_pb2.Remedy(text=remedy.text, command=remedy.command) for remedy in told.remedies],
        moves=map(entry_to_pb, told.moves),
        events=map(entry_to_pb, told.events),
    )


async def _report_events(management: Management, request: system_pb2.ReportEventsReq, caller: Caller) -> Reply:
    if len(request.events) > MOST_REPORTED:
        raise Refused(f"{len(request.events)} events are too many for one report")
    reporter = request.reporter or caller.address.rpartition(":")[0]
    events = [event_from_pb(event, forwarded=True) for event in request.events]
    await management.reactions.note(events, reporter)
    return system_pb2.ReportEventsResp()
