"""What engines do, as events that the system hears."""

import asyncio
import os
from datetime import UTC, datetime

from daos_control.apps.server.engine_news import EngineNews, restart_after_self_termination
from daos_control.base import aio
from daos_control.base.rankset import NIL_RANK
from daos_control.engine.ports import Change
from daos_control.engine.restarts import Exit, Reason, Stay
from daos_control.engine.state import EngineState
from daos_control.mgmt.events import Events
from daos_control.model.event import EngineStateInfo, Event, EventId, EventType, Severity
from daos_control.testing.clock import ManualClock
from daos_control.testing.data_plane import CapturedPost
from daos_control.testing.engine import stage


async def published(*changes: Change) -> list[Event]:
    heard: asyncio.Queue[Event] = asyncio.Queue()
    events = Events(CapturedPost())
    events.listen(heard.put_nowait)
    news = EngineNews(hostname="storage1", clock=ManualClock())
    for change in (*changes, Change(index=9, state=EngineState.AWAIT_FORMAT, format_kind="SCM")):
        news.heard(change)
    found = []
    async with aio.background() as tasks:
        tasks.start("news", news.run(events))
        while (event := await heard.get()).message != "DAOS engine 9 requires a SCM format":
            found.append(event)
    return found


def gone(**facts):
    text = "/usr/bin/daos_engine exited: signal: killed"
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return Exit(**{"text": text, "at": at, "pid": 137, "rank": 1, "incarnation": 2975060964294000640, **facts})


async def test_a_dead_engine_as_genuine_servers_tell_it():
    (event,) = await published(Change(index=0, state=EngineState.STOPPED, exit=gone()))
    assert event == Event(
        id=EventId.ENGINE_DIED,
        type=EventType.STATE_CHANGE,
        severity=Severity.ERROR,
        message="DAOS engine 0 exited unexpectedly: /usr/bin/daos_engine exited: signal: killed",
        timestamp="2026-01-02T03:04:05.000+00:00",
        hostname="storage1",
        rank=1,
        incarnation=2975060964294000640,
        proc_id=137,
        info=EngineStateInfo(0, "/usr/bin/daos_engine exited: signal: killed"),
    )


async def test_a_wanted_end_is_no_news():
    assert await published(Change(index=0, state=EngineState.STOPPED, exit=gone(wanted=True))) == []


async def test_one_that_never_started_is_told_under_the_servers_pid():
    (event,) = await published(Change(index=0, state=EngineState.STOPPED, exit=gone(pid=0, rank=None)))
    assert (event.proc_id, event.rank, event.forwardable) == (os.getpid(), NIL_RANK, False)


async def test_an_engine_that_is_given_up_is_told_with_what_to_do():
    advice = "rank 1 stays down after 4 restarts in vain; see why it is excluded, then: dmg system start --ranks 1"
    (event,) = await published(Change(index=0, state=EngineState.STOPPED, left_down=advice, rank=1))
    assert (event.name, event.rank, event.severity) == ("engine_left_down", 1, Severity.ERROR)
    assert event.message == f"DAOS engine 0: {advice}"
    assert not event.forwardable, "genuine leaders would not know what to do with it"


async def test_long_reasons_are_cut_to_what_an_event_can_carry():
    (event,) = await published(Change(index=0, state=EngineState.STOPPED, exit=gone(text="x" * 500)))
    assert len(event.message) == 127
    assert event.message.endswith("$")


async def test_a_format_that_is_needed():
    (event,) = await published(Change(index=1, state=EngineState.AWAIT_FORMAT, format_kind="Metadata"))
    assert (event.id, event.type, event.severity, event.message) == (
        EventId.ENGINE_FORMAT_REQUIRED,
        EventType.INFO,
        Severity.NOTICE,
        "DAOS engine 1 requires a Metadata format",
    )


def self_terminated(rank, **facts):
    return Event(
        id=EventId.ENGINE_SELF_TERMINATED, type=EventType.INFO, severity=3, message="", timestamp="", rank=rank, **facts
    )


async def test_only_our_own_engines_are_restarted(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        restart_after_self_termination(play.harness, self_terminated(8))
        restart_after_self_termination(play.harness, self_terminated(7, forwarded=True))
        play.engines[0].process.send(9)
        await play.engines[0].until(EngineState.STOPPED)
        assert play.engines[0].supervisor.restarts.decision == Stay(Reason.DIED)
        restart_after_self_termination(play.harness, self_terminated(7))
        await play.make_ready()
