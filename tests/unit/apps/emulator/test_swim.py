"""The failure detector."""

from daos_control.apps.emulator.membership import Member
from daos_control.apps.emulator.swim import Detector, Health, Rumour


def group(*incarnations: int) -> dict[int, Member]:
    return {rank: Member(rank, f"x://h:{rank}", value) for rank, value in enumerate(incarnations)}


def detector(rank: int = 0, size: int = 4) -> Detector:
    made = Detector(rank, 10, suspect_s=3.0)
    made.set_members(group(*[10] * size))
    return made


def test_peers_take_turns() -> None:
    ring = detector(rank=2)
    assert [ring.next_peer() for _ in range(4)] == [3, 0, 1, 3]


def test_nobody_else_is_nobody_to_ping() -> None:
    assert detector(size=1).next_peer() is None


def test_silence_is_suspected_and_then_dead() -> None:
    swim = detector()
    swim.silent(1, now=100.0)
    assert swim.deaths(now=102.9) == []
    assert swim.deaths(now=103.0) == [Rumour(1, 10, Health.DEAD)]
    assert swim.dead == [1]
    assert swim.deaths(now=200.0) == [], "a death is told once"
    assert 1 not in {swim.next_peer() for _ in range(6)}


def test_an_answer_ends_the_suspicion() -> None:
    swim = detector()
    swim.silent(1, now=100.0)
    swim.answered(1)
    assert swim.deaths(now=200.0) == []


def test_suspicions_travel_and_are_answered_with_a_new_incarnation() -> None:
    suspecting, suspected = detector(0), detector(1)
    suspecting.silent(1, now=0.0)
    assert suspected.hear(suspecting.rumours(), now=0.1) == []
    assert suspected.incarnation > 10
    assert suspecting.hear(suspected.rumours(), now=0.2) == []
    assert suspecting.deaths(now=100.0) == []


def test_deaths_travel() -> None:
    witness, other = detector(0), detector(2)
    witness.silent(1, now=0.0)
    witness.deaths(now=3.0)
    assert other.hear(witness.rumours(), now=3.1) == [Rumour(1, 10, Health.DEAD)]
    assert other.hear(witness.rumours(), now=3.2) == [], "old news"


def test_the_dead_stay_dead_until_they_are_started_again() -> None:
    swim = detector()
    swim.silent(1, now=0.0)
    swim.deaths(now=5.0)
    swim.hear([Rumour(1, 99, Health.ALIVE)], now=6.0)
    assert swim.is_dead(1)
    swim.set_members(group(10, 10, 10, 10))
    assert swim.is_dead(1), "the same incarnation"
    swim.set_members(group(10, 11, 10, 10))
    assert not swim.is_dead(1)


def test_those_who_left_are_forgotten() -> None:
    swim = detector()
    swim.silent(3, now=0.0)
    swim.set_members(group(10, 10))
    assert swim.deaths(now=10.0) == []
    assert swim.rumours() == [Rumour(0, 10, Health.ALIVE)]
