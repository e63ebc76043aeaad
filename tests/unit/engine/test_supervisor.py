"""The life of an engine, with a real process that does nothing and a socket that answers for it."""

import asyncio
import signal

import pytest

from daos_control.base.errors import DaosControlError, Fault
from daos_control.engine import superblock
from daos_control.engine.harness import Harness
from daos_control.engine.ports import Admission, Candidate, RefusedError, Standing
from daos_control.engine.restarts import Reason, Restart, RestartPolicy, Stay
from daos_control.engine.state import EngineState
from daos_control.net.drpc.methods import Mgmt
from daos_control.testing.clock import ManualClock
from daos_control.testing.engine import StagedEngine, Town, stage
from daos_control.testing.logs import captured_logs
from daos_control.wire.pb.mgmt import svc_pb2


async def test_from_start_to_service(tmp_path):
    with captured_logs() as lines:
        async with stage(tmp_path) as play:
            it = play.engines[0]
            await play.make_ready()
            assert it.told == [("SET_RANK", svc_pb2.SetRankReq(rank=7, map_version=3)), ("SET_UP", None)]
            assert [change.state for change in it.changes] == [
                EngineState.CHECKING,
                EngineState.STARTING,
                EngineState.JOINING,
                EngineState.READY,
            ]
            kept = superblock.read(tmp_path / "e0" / "superblock")
            assert kept is not None
            assert (kept.joined_rank, kept.uri, kept.incarnation) == (7, "ofi+tcp://10.0.0.1:31416", 99)
            assert it.town.asked[0].rank == 0, "the first engine of the system claims rank 0"
    events = [line.event for line in lines]
    assert events.count("daos_engine:0 DAOS I/O Engine here") == 1
    assert not any("format required" in event for event in events)


async def test_an_engine_waits_for_its_format_and_says_so_once(tmp_path):
    with captured_logs() as lines:
        async with stage(tmp_path, formatted=False) as play:
            it = play.engines[0]
            await it.until(EngineState.AWAIT_FORMAT)
            it.supervisor.request_start()
            for _ in range(10):  # more turns than it needs to act on the request
                await asyncio.sleep(0)
            assert it.supervisor.state is EngineState.AWAIT_FORMAT, "a start does not replace a format"
            it.disk.formatted = True
            it.supervisor.grant_storage(replace=False)
            await play.make_ready()
    assert [line.event for line in lines].count("SCM format required on instance 0") == 1
    assert [change.format_kind for change in it.changes if change.format_kind] == ["SCM"]


async def test_a_missing_superblock_asks_for_a_metadata_format(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await play.make_ready()
        await it.supervisor.stop(signal.SIGKILL)
        await it.supervisor.forget_identity()
        it.supervisor.request_start()
        await it.until(EngineState.AWAIT_FORMAT)
        assert it.changes[-1].format_kind == "Metadata"
        it.supervisor.grant_storage(replace=True)
        await play.make_ready()
        assert (it.town.asked[-1].rank, it.town.asked[-1].replace) == (None, True)
        assert it.town.asked[-1].uuid != it.town.asked[0].uuid


async def test_what_takes_over_a_rank_is_not_forgotten_before_it_has_it(tmp_path):
    """The server may be killed between the format and the join: an engine that then joined as new could not go back."""
    async with stage(tmp_path, formatted=False) as play:
        it = play.engines[0]
        await it.until(EngineState.AWAIT_FORMAT)
        it.disk.formatted = True
        it.supervisor.grant_storage(replace=True)
        await it.until(EngineState.STARTING)
        before = superblock.read(tmp_path / "e0" / "superblock")
    async with stage(tmp_path, keep=True) as play:
        it = play.engines[0]
        await play.make_ready()
        assert [(asked.uuid, asked.rank, asked.replace) for asked in it.town.asked] == [(before.uuid, None, True)]
        assert "replace" not in (tmp_path / "e0" / "superblock").read_text()


async def test_who_was_refused_the_rank_may_ask_again_either_way(tmp_path):
    async with stage(tmp_path, formatted=False) as play:
        it = play.engines[0]
        await it.until(EngineState.AWAIT_FORMAT)
        it.disk.formatted = True
        welcome, it.town.answer = it.town.answer, refuse
        for number, takes_over in enumerate((True, True, False)):
            if number:
                assert it.supervisor.has_yet_to_join
                it.supervisor.request_start()
            it.supervisor.grant_storage(replace=takes_over)
            await it.until(EngineState.STARTING)
            play.call_back()
            await it.until(EngineState.STOPPED)
        assert [(asked.rank, asked.replace) for asked in it.town.asked] == [(None, True), (None, True), (0, False)]
        assert len({asked.uuid for asked in it.town.asked}) == 1
        it.town.answer = welcome
        it.supervisor.request_start()
        await play.make_ready()
        assert not it.supervisor.has_yet_to_join


def stays_down(it: StagedEngine, reason: Reason) -> bool:
    """Whether an engine has ended, and nobody but a person will start it again."""
    ended = it.supervisor.state is EngineState.STOPPED and not it.supervisor.about_to_start
    return ended and it.supervisor.restarts.decision == Stay(reason)


async def test_an_unwanted_end_is_told_with_its_cause_and_nothing_starts_again(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await play.make_ready()
        it.process.send(signal.SIGKILL)
        await it.until(EngineState.STOPPED)
        gone = it.changes[-1].exit
        assert (gone.text, gone.rank, gone.incarnation, gone.wanted) == (
            f"{tmp_path}/e0/daos_engine exited: signal: killed",
            7,
            99,
            False,
        )
        assert it.supervisor.link is None
        assert stays_down(it, Reason.DIED)


async def test_a_wanted_end_is_told_as_wanted(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await play.make_ready()
        await it.supervisor.stop(signal.SIGINT)
        assert it.supervisor.state is EngineState.STOPPED
        assert it.changes[-1].exit.wanted


async def test_a_start_asked_for_while_it_runs_is_remembered(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await play.make_ready()
        it.supervisor.request_start()
        await it.supervisor.stop(signal.SIGKILL)
        await play.make_ready()
        assert len(it.exits) == 1


async def test_a_refused_engine_is_killed_and_the_refusal_is_its_end(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        it.town.answer = refuse
        await it.until(EngineState.STARTING)
        play.call_back()
        await it.until(EngineState.STOPPED)
        assert it.exits == ["administratively excluded"]


async def test_an_engine_that_does_not_take_its_rank_is_killed(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        it.answers[Mgmt.SET_RANK] = lambda _: svc_pb2.DaosResp(status=-1003)
        await it.until(EngineState.STARTING)
        play.call_back()
        await it.until(EngineState.STOPPED)
        assert it.exits == ["DER_INVAL(-1003): Invalid parameters"]


async def test_a_system_in_checker_mode_gets_the_engine_in_that_mode(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        it.town.answer = lambda _: Admission(rank=7, map_version=3, standing=Standing.CHECK)
        await it.until(EngineState.STARTING)
        play.call_back()
        async with asyncio.timeout(10):
            await it.supervisor.until(lambda now: now is EngineState.STARTING and bool(it.exits))
        await play.make_ready()
        assert it.supervisor.check_mode
        assert [candidate.check_mode for candidate in it.town.asked] == [False, True]


async def test_the_mode_of_an_engine_is_the_one_that_its_process_is_in(tmp_path):
    """``system start`` may come while an engine that was started normally waits for the system's answer."""
    async with stage(tmp_path) as play:
        it = play.engines[0]

        def answer(_: Candidate) -> Admission:
            it.supervisor.check_mode = True  # for its next start
            return Admission(rank=7, map_version=3, standing=Standing.CHECK)

        it.town.answer = answer
        await it.until(EngineState.STARTING)
        play.call_back()
        async with asyncio.timeout(10):
            await it.supervisor.until(lambda now: now is EngineState.READY or bool(it.exits))
        assert it.supervisor.state is not EngineState.READY, "it runs normally in a system that is in checker mode"
        await play.make_ready()
        assert "-C" in it.arguments
        assert [candidate.check_mode for candidate in it.town.asked] == [False, True]


async def test_who_starts_an_engine_waits_for_it_to_come_back_in_the_right_mode(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        it.town.answer = lambda _: Admission(rank=7, map_version=3, standing=Standing.CHECK)
        await it.until(EngineState.STARTING)
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(it.supervisor.start())
            await asyncio.sleep(0)
            play.call_back()
            async with asyncio.timeout(10):
                await it.supervisor.until(lambda now: now is EngineState.STARTING and bool(it.exits))
            await play.make_ready()
        assert starting.result() is EngineState.READY


async def test_an_engine_left_over_from_checker_mode_starts_again_normally(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await it.until(EngineState.STARTING)
        play.call_back(check_mode=True)
        async with asyncio.timeout(10):
            await it.supervisor.until(lambda now: now is EngineState.STARTING and bool(it.exits))
        await play.make_ready()
        assert not it.supervisor.check_mode
        assert [candidate.check_mode for candidate in it.town.asked] == [True, False]


async def test_the_service_may_have_set_it_up_already(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        it.town.answer = lambda _: Admission(rank=0, map_version=1, set_up_already=True)
        await play.make_ready()
        assert it.told == []


async def test_one_that_ended_itself_comes_back_but_not_too_soon(tmp_path):
    clock = ManualClock()
    async with stage(tmp_path, restarts=RestartPolicy(min_delay_s=0.01), clock=clock) as play:
        it = play.engines[0]
        await play.make_ready()
        await end_itself(play)
        await play.make_ready()
        clock.advance(0.004)
        await end_itself(play)
        assert it.supervisor.restarts.decision == Restart(clock.monotonic() + 0.006)
        await asyncio.sleep(0.05)
        assert it.supervisor.state is EngineState.STOPPED, "by its clock it is too soon"
        clock.advance(0.006)
        await play.make_ready()
        assert len(it.exits) == 2


async def end_itself(play, *, late: bool = False) -> None:
    """Have the engine say that it ends itself, and end."""
    it = play.engines[0]
    if not late:
        it.supervisor.self_terminated()
    exits = len(it.exits)
    it.process.send(signal.SIGKILL)
    async with asyncio.timeout(10):
        await it.supervisor.until(lambda _: len(it.exits) > exits)
    if late:
        it.supervisor.self_terminated()


async def test_restarts_in_vain_come_to_an_end_that_is_told_and_a_start_begins_anew(tmp_path):
    clock = ManualClock()
    with captured_logs() as lines:
        async with stage(tmp_path, restarts=RestartPolicy(min_delay_s=0.1, limit=2), clock=clock) as play:
            it = play.engines[0]
            for _ in range(3):
                await play.make_ready()
                await end_itself(play)
                clock.advance(0.1)
            assert it.supervisor.restarts.decision == Stay(Reason.GIVEN_UP)
            assert it.supervisor.restarts.total == 2
            assert [change.left_down for change in it.changes if change.left_down] == [
                "rank 7 stays down after 2 restarts in vain; see why it is excluded, then: dmg system start --ranks 7"
            ]
            assert len(it.town.asked) == 3
            it.supervisor.forget_restarts()
            it.supervisor.request_start()
            await play.make_ready()
            await end_itself(play)
            await play.make_ready()
    assert [line.event for line in lines if line.event.startswith("rank 7 stays down")] == [
        change.left_down for change in it.changes if change.left_down
    ]


async def test_a_good_run_makes_up_for_all_restarts_before(tmp_path):
    async with stage(tmp_path, restarts=RestartPolicy(min_delay_s=0.0, limit=1)) as play:
        for _ in range(5):
            await play.make_ready()
            await end_itself(play)
        await play.make_ready()
        assert play.engines[0].supervisor.restarts.total == 5


async def test_news_of_why_it_ended_may_come_after_the_end(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        await end_itself(play, late=True)
        await play.make_ready()
        assert play.engines[0].supervisor.restarts.total == 1


async def test_news_of_an_earlier_life_do_not_count_against_this_one(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await play.make_ready()
        it.supervisor.self_terminated(98)
        it.process.send(signal.SIGKILL)
        await it.until(EngineState.STOPPED)
        it.supervisor.self_terminated(98)
        assert it.supervisor.restarts.decision == Stay(Reason.DIED)
        it.supervisor.self_terminated(99)
        assert isinstance(it.supervisor.restarts.decision, Restart)
        await play.make_ready()


async def test_a_deferred_restart_gives_way_to_a_start_and_is_not_made_up_for(tmp_path):
    async with stage(tmp_path, restarts=RestartPolicy(min_delay_s=1000.0)) as play:
        it = play.engines[0]
        for _ in range(2):
            await play.make_ready()
            await end_itself(play)
        assert isinstance(it.supervisor.restarts.decision, Restart)
        async with asyncio.TaskGroup() as group:
            start = group.create_task(it.supervisor.start())
            await play.make_ready()
        assert start.result() is EngineState.READY
        it.process.send(signal.SIGSEGV)
        await it.until(EngineState.STOPPED)
        assert it.supervisor.restarts.decision == Stay(Reason.DIED)
        last = it.supervisor.restarts.last
        assert last is not None
        assert (last.signal, last.code, last.self_terminated) == (signal.SIGSEGV, None, False)


@pytest.mark.parametrize("trouble", [OSError("input/output error"), ZeroDivisionError("a mistake")], ids=str)
@pytest.mark.parametrize("where", ["storage", "join"])
async def test_whatever_goes_wrong_with_one_engine_is_not_the_others_business(tmp_path, trouble, where):
    async def fails() -> bool:
        raise trouble

    def refuses(candidate: Candidate) -> Admission:
        if candidate.index == 0:
            raise trouble
        return Admission(rank=8, map_version=3)

    with captured_logs() as lines:
        async with stage(tmp_path, engines=2) as play:
            first, second = play.engines
            if where == "storage":
                first.disk.needs_format = fails
            else:
                first.town.answer = refuses
                await first.until(EngineState.STARTING)
                play.call_back(0)
            await first.until(EngineState.STOPPED)
            await play.make_ready(1)
            assert str(trouble) in first.exits[0]
            assert second.supervisor.state is EngineState.READY
            first.disk.needs_format = second.disk.needs_format
            first.town.answer = lambda candidate: Admission(rank=7 + candidate.index, map_version=3)
            first.supervisor.request_start()
            await play.make_ready(0)
    mistakes = [line for line in lines if "mistake of daos_server" in line.event]
    assert len(mistakes) == isinstance(trouble, ZeroDivisionError), "a mistake of ours is told as one"


async def test_one_that_ended_itself_stays_down_if_so_configured(tmp_path):
    async with stage(tmp_path, restarts=RestartPolicy(enabled=False)) as play:
        it = play.engines[0]
        await play.make_ready()
        it.supervisor.self_terminated()
        it.process.send(signal.SIGKILL)
        await it.until(EngineState.STOPPED)
        assert stays_down(it, Reason.DISABLED)


async def test_whoever_takes_charge_cancels_a_restart_that_is_due(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await play.make_ready()
        it.supervisor.self_terminated()
        it.supervisor.forget_restarts()
        it.process.send(signal.SIGKILL)
        await it.until(EngineState.STOPPED)
        assert stays_down(it, Reason.DIED)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"instanceIdx": 1}, id="an engine there is not"),
        pytest.param({"drpcListenerSock": ""}, id="no socket"),
        pytest.param({"drpcListenerSock": "/nowhere"}, id="a socket that is not there"),
        pytest.param({"drpcListenerSock": "/dev/null"}, id="what is no socket"),
    ],
)
async def test_a_call_back_that_makes_no_sense_is_refused_and_the_right_one_still_counts(tmp_path, fields):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await it.until(EngineState.STARTING)
        with pytest.raises(RefusedError):
            play.call_back(**fields)
        await play.make_ready()


async def test_a_second_call_back_is_refused(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        with pytest.raises(RefusedError, match="is ready: it was not expected to call back"):
            play.call_back()


async def test_a_vanished_disk_is_named(tmp_path):
    with captured_logs() as lines:
        async with stage(tmp_path) as play:
            it = play.engines[0]
            await play.make_ready()
            it.disk.formatted = False
            it.supervisor.request_start()
            await it.supervisor.stop(signal.SIGKILL)
            await it.until(EngineState.AWAIT_FORMAT)
    assert any("unmounted or emptied?" in line.event for line in lines)


async def test_a_damaged_superblock_is_an_end_with_its_cause(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await play.make_ready()
        await it.supervisor.stop(signal.SIGKILL)
        (tmp_path / "e0" / "superblock").write_text("version: 1\n")
        it.supervisor.request_start()
        await it.until(EngineState.CHECKING)
        await it.until(EngineState.STOPPED)
        assert "is damaged" in it.exits[-1]
        assert it.changes[-1].exit.pid == 0


async def test_calls_go_to_an_engine_that_serves(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await it.until(EngineState.STARTING)
        with pytest.raises(Fault) as nobody:
            await play.harness.call(Mgmt.SET_UP, None)
        assert nobody.value.code == 611
        async with asyncio.TaskGroup() as group:
            usable = group.create_task(play.harness.usable())
            await play.make_ready()
            await usable
        assert (await play.harness.call(Mgmt.SET_UP, None)).status == 0


async def test_a_host_has_settled_when_nothing_is_about_to_start(tmp_path):
    async with stage(tmp_path, engines=2) as play:
        play.engines[1].disk.formatted = False
        (play.engines[0].folder / "superblock").write_text("damaged")
        async with asyncio.timeout(10):
            await play.harness.settled()
        assert [it.supervisor.state for it in play.engines] == [EngineState.STOPPED, EngineState.AWAIT_FORMAT]
        play.engines[0].mark_formatted()
        play.engines[0].supervisor.request_start()
        async with asyncio.timeout(10):
            await play.harness.settled()
        assert play.engines[0].supervisor.state is EngineState.STARTING


async def test_before_it_runs_the_harness_says_so(tmp_path):
    with pytest.raises(Fault) as early:
        await Harness([StagedEngine(tmp_path, Town()).supervisor]).call(Mgmt.SET_UP, None)
    assert early.value.code == 610


def refuse(_: Candidate) -> Admission:
    raise DaosControlError("administratively excluded")
