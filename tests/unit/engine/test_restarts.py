"""The restart policy as a table, and its promises over random lives."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.engine.restarts import (
    Exit,
    History,
    Reason,
    Restart,
    RestartPolicy,
    RestartRecord,
    Stay,
    decide,
)

POLICY = RestartPolicy()
NOW = 1_000_000.0
EXCLUDED = Exit(
    text="daos_engine exited: signal: killed",
    at=datetime(2026, 1, 2, tzinfo=UTC),
    pid=77,
    signal=9,
    rank=3,
    incarnation=5,
    served_s=1.0,
    self_terminated=True,
)


def history(*ago_s: float) -> History:
    return History(restarts=tuple(NOW - ago for ago in ago_s))


@pytest.mark.parametrize(
    ("known", "ended", "policy", "expected"),
    [
        pytest.param(history(), EXCLUDED, POLICY, Restart(NOW), id="the first time, at once"),
        pytest.param(history(10), EXCLUDED, POLICY, Restart(NOW + 290), id="then 300 s after the last restart"),
        pytest.param(history(310), EXCLUDED, POLICY, Restart(NOW), id="which may have passed"),
        pytest.param(history(310, 10), EXCLUDED, POLICY, Restart(NOW + 590), id="then twice as long"),
        pytest.param(history(900, 610, 10), EXCLUDED, POLICY, Restart(NOW + 1190), id="and twice that"),
        pytest.param(history(2100, 1800, 1210, 10), EXCLUDED, POLICY, Stay(Reason.GIVEN_UP), id="and then no more"),
        pytest.param(
            history(5000, 1800, 1210, 10), EXCLUDED, POLICY, Restart(NOW + 1190), id="what was long ago does not count"
        ),
        pytest.param(
            history(2100, 1800, 1210, 310),
            replace(EXCLUDED, served_s=300.0),
            POLICY,
            Restart(NOW),
            id="after a good run",
        ),
        pytest.param(
            history(2100, 1800, 1210, 310),
            replace(EXCLUDED, served_s=299.0),
            POLICY,
            Stay(Reason.GIVEN_UP),
            id="after one that was not quite good",
        ),
        pytest.param(
            history(2100, 1800, 1210, 3000),
            replace(EXCLUDED, served_s=None),
            POLICY,
            Stay(Reason.GIVEN_UP),
            id="a start that took long is no good run",
        ),
        pytest.param(
            history(), EXCLUDED, replace(POLICY, enabled=False), Stay(Reason.DISABLED), id="if so configured, not"
        ),
        pytest.param(history(), replace(EXCLUDED, wanted=True), POLICY, Stay(Reason.ORDERED), id="stopped meanwhile"),
        pytest.param(
            history(), replace(EXCLUDED, self_terminated=False), POLICY, Stay(Reason.DIED), id="killed by somebody else"
        ),
        pytest.param(
            history(),
            replace(EXCLUDED, self_terminated=False, signal=11),
            POLICY,
            Stay(Reason.DIED),
            id="segmentation fault",
        ),
        pytest.param(
            history(),
            replace(EXCLUDED, self_terminated=False, signal=None, code=0),
            POLICY,
            Stay(Reason.DIED),
            id="even an orderly end that nobody asked for",
        ),
        pytest.param(
            history(),
            replace(EXCLUDED, self_terminated=False, signal=None, pid=0, text="rank 3 excluded"),
            POLICY,
            Stay(Reason.DIED),
            id="a start that the system refused",
        ),
    ],
)
def test_what_follows_an_exit(known, ended, policy, expected):
    assert decide(known, ended, policy, NOW) == expected


def test_an_endless_loop_takes_35_minutes_with_the_defaults_and_then_is_left_alone():
    record, now, starts = RestartRecord(), 0.0, []
    while True:
        record = record.ended(EXCLUDED, POLICY, now)
        if not isinstance(record.decision, Restart):
            break
        now = record.decision.at
        record = record.restarted(POLICY, now)
        starts.append(now)
    assert starts == [0.0, 300.0, 900.0, 2100.0]
    assert record.decision == Stay(Reason.GIVEN_UP)
    assert record.total == 4


def test_news_of_why_it_ended_may_come_after_its_end():
    record = RestartRecord().ended(replace(EXCLUDED, self_terminated=False), POLICY, NOW)
    assert record.decision == Stay(Reason.DIED)
    late = record.explained(POLICY, NOW + 1)
    assert late.decision == Restart(NOW + 1)
    assert late.explained(POLICY, NOW + 2) is late, "the same news twice is one restart"


def test_late_news_of_an_engine_that_was_stopped_start_nothing():
    record = RestartRecord().ended(replace(EXCLUDED, self_terminated=False, wanted=True), POLICY, NOW)
    assert record.explained(POLICY, NOW + 1) is record


def test_late_news_of_an_engine_that_is_back_change_nothing():
    record = RestartRecord().ended(replace(EXCLUDED, self_terminated=False), POLICY, NOW).started()
    assert record.explained(POLICY, NOW + 1) is record


def test_whoever_takes_charge_resets_the_count_and_cancels_what_is_due():
    record = RestartRecord(history=history(2100, 1800, 1210, 10)).ended(EXCLUDED, POLICY, NOW)
    assert record.decision == Stay(Reason.GIVEN_UP)
    record = record.taken_over().started().ended(EXCLUDED, POLICY, NOW)
    assert record.decision == Restart(NOW)
    assert record.taken_over().decision == Stay(Reason.ORDERED)


# Lives: how long it takes to come up, how long it serves (or never does), and whether it ends itself.
LIVES = st.lists(
    st.tuples(
        st.floats(0, 4000), st.none() | st.floats(0, 2000), st.sampled_from(["excluded", "excluded", "crash", "stop"])
    ),
    max_size=60,
)
POLICIES = st.builds(RestartPolicy, enabled=st.booleans(), min_delay_s=st.floats(1, 1000), limit=st.integers(1, 6))


@given(lives=LIVES, policy=POLICIES)
def test_whatever_lives_an_engine_has_its_restarts_keep_their_distance_and_their_number(lives, policy):
    record, now = RestartRecord(), 0.0
    restarts: list[tuple[float, bool]] = []
    """Each restart, and whether the life before it was a success."""
    for up_s, served_s, kind in lives:
        now += up_s + (served_s or 0.0)
        ended = replace(EXCLUDED, served_s=served_s, self_terminated=kind == "excluded", wanted=kind == "stop")
        record = record.ended(ended, policy, now)
        match record.decision:
            case Restart(at):
                assert policy.enabled
                assert kind == "excluded"
                assert at >= now
                now = at
                record = record.restarted(policy, now)
                restarts.append((now, served_s is not None and served_s >= policy.settled_s))
            case _:
                record = record.taken_over().started()  # a person starts it
                restarts.clear()
    for (before, _), (after, _) in pairwise(restarts):
        assert after - before >= policy.min_delay_s * (1 - 1e-9)
    streak: list[float] = []
    for moment, well in restarts:
        streak = [moment] if well else [*streak, moment]
        assert len([one for one in streak if one > moment - policy.window_s]) <= policy.limit


@given(policy=POLICIES, known=st.lists(st.floats(0, 100_000), max_size=10).map(sorted), later=st.floats(0, 1000))
def test_more_time_never_makes_it_worse(policy, known, later):
    before = decide(History(restarts=tuple(known)), EXCLUDED, policy, 100_000)
    after = decide(History(restarts=tuple(known)), EXCLUDED, policy, 100_000 + later)
    if isinstance(before, Restart):
        assert isinstance(after, Restart)
        assert after.at - (100_000 + later) <= before.at - 100_000
