"""Whatever happens to a system, our rules and a second opinion on them agree; and what is stored is what was decided.

``pytest --hypothesis-profile=deep`` looks for longer.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from daos_control.base.errors import DaosControlError, EmptyGroupMap, Fault
from daos_control.mgmt import records
from daos_control.mgmt.errors import JoinRefused
from daos_control.mgmt.rules import membership, provider
from daos_control.mgmt.rules.group_map import group_map
from daos_control.mgmt.rules.membership import JoinRequest
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event, EventId, EventType, Severity
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.store.api import Snapshot, Versioned
from daos_control.testing.membership_model import NIL, Asked, MembershipModel, Refusal

START = datetime(2026, 1, 1, tzinfo=UTC)

REASONS = {
    "invalid uuid": "bad uuid",
    "no fault domain in join request": "no domain",
    "no primary fabric URI": "bad uri",
    "unable to parse fabric provider": "bad uri",
    "fabric provider": "other provider",
    "has been administratively excluded": "admin-excluded",
    "uuid changed": "uuid changed",
    "control address changed": "address changed",
    "unexpected rank in replace-rank request": "unexpected rank",
    "empty system membership": "empty membership",
    "failed to add new member: member with uuid": "uuid exists",
    "unable to find member with rank": "no such rank",
    "reports an error but is": "senseless result",
    "cannot change system provider": "ranks are joined",
}
EVERYBODY_HEARS = {"admin-excluded", "uuid changed", "address changed", "other provider"}

HOSTS = st.integers(0, 3)
DOMAINS = st.sampled_from(["/h{}"] * 6 + ["/r{}/h{}", "/rack=r1/node=n{}", "/Row=R/h{}", "nonsense", "/"])
RANKS = st.one_of(st.integers(0, 5), st.integers(0, 9))
LIVES = st.sampled_from([-1, 0, 1])
"""The life of an engine that news are about: an earlier one, this one, one nobody has heard of."""


def reason_of(error: DaosControlError) -> str:
    if isinstance(error, Fault):
        return f"fault {error.code}"
    return next(reason for words, reason in REASONS.items() if words in str(error))


class Engine:
    """What an engine knows of itself, as in its superblock, and what else it says when it joins."""

    def __init__(self, number: int, host: int, slot: int, domain: str) -> None:
        self.uuid = f"00000000-0000-4000-8000-{number:012}"
        self.rank = NIL
        self.addr = f"10.0.0.{host}:10001"
        self.address_on_fabric = f"://10.0.0.{host}:{20000 + slot}"
        self.contexts = 3
        self.domain = domain.format(host, host)
        self.incarnation = 10 * number
        self.replaces = False

    def request(self, provider: str, **changes: Any) -> JoinRequest:
        said = JoinRequest(
            uuid=self.uuid,
            rank=self.rank,
            addr=self.addr,
            uri=provider + self.address_on_fabric,
            contexts=self.contexts,
            fault_domain=self.domain,
            incarnation=self.incarnation,
            replace=self.replaces,
        )
        return replace(said, **changes)


class MembershipHistory(RuleBasedStateMachine):
    """A system under our rules, and under the model's."""

    engines: Bundle[Engine] = Bundle("engines")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.made = 0
        self.owners: dict[int, list[str]] = {}
        self.stored: dict[str, bytes] = {}
        self._begin("ofi+tcp")

    def _begin(self, name: str) -> None:
        self.model = MembershipModel(provider=name)
        self.system = self.before = System()
        self._decide(lambda system: provider.settle(system, name, now=self.now, hostname="h0"))

    # -- doing the same to both ------------------------------------------------------------------------------------

    def _decide(self, rule_: Callable[[System], Change[Any]]) -> Any:
        """Decide and store; a refusal leaves everything as it was."""
        self.now += timedelta(seconds=1)
        change = rule_(self.system)
        for key, value in records.writes(self.system, change.system).items():
            if value is None:
                del self.stored[key]
            else:
                self.stored[key] = value
        self.before, self.system = self.system, change.system
        return change.outcome

    def _both(self, ours: Callable[[System], Change[Any]], theirs: Callable[[], Any]) -> tuple[Any, Any]:
        """Let both decide and check that they agree on whether to; returns the outcomes, if any."""
        version = self.model.map_version
        try:
            expected, refused = theirs(), ""
        except Refusal as refusal:
            expected, refused = None, refusal.why
        if not refused:
            return self._decide(ours), expected
        with pytest.raises(DaosControlError) as error:
            self._decide(ours)
        assert reason_of(error.value) == refused, error.value
        assert isinstance(error.value, JoinRefused) == (refused in EVERYBODY_HEARS)
        assert self.model.map_version == version
        return None, None

    # -- engines -----------------------------------------------------------------------------------------------------

    @rule(target=engines, host=HOSTS, slot=st.integers(0, 1), domain=DOMAINS)
    def appears(self, host: int, slot: int, domain: str) -> Engine:
        """A new engine somewhere, perhaps where another one is."""
        self.made += 1
        return Engine(self.made, host, slot, domain)

    @initialize(target=engines, count=st.integers(0, 4))
    def begins_with(self, count: int) -> Any:
        """Most histories happen to systems that are up already."""
        made = []
        for host in range(count):
            self.made += 1
            made.append(Engine(self.made, host, 0, "/h{}"))
            self._joins(made[-1], made[-1].request(self.model.provider))
        return multiple(*made)

    @rule(engine=engines, check_mode=st.booleans(), forgets_rank=st.booleans(), restarts=st.booleans())
    def joins(self, engine: Engine, check_mode: bool, forgets_rank: bool, restarts: bool) -> None:
        """An engine starts and asks in; a call may come twice, or again after an answer that was lost."""
        engine.incarnation += 10 * restarts
        rank = NIL if forgets_rank else engine.rank
        self._joins(engine, engine.request(self.model.provider, check_mode=check_mode, rank=rank))

    @rule(
        engine=engines,
        wrong=st.sampled_from(
            [
                {"uuid": "nonsense"},
                {"uri": "nonsense"},
                {"uri": "ofi+verbs://10.0.0.1:1"},
                {"fault_domain": "/"},
                {"fault_domain": "/a=b/c"},
                {"fault_domain": "/r/h/s"},
                {"rank": 3},
            ]
        ),
    )
    def joins_wrongly(self, engine: Engine, wrong: Mapping[str, Any]) -> None:
        self._joins(engine, engine.request(self.model.provider, **wrong))

    def _joins(self, engine: Engine, request: JoinRequest) -> None:
        asked = Asked(
            uuid=request.uuid,
            addr=request.addr,
            uri=request.uri,
            domain=request.fault_domain,
            rank=request.rank,
            contexts=request.contexts,
            incarnation=request.incarnation,
            check_mode=request.check_mode,
            replace=request.replace,
        )

        def ours(system: System) -> Change[membership.Joined]:
            replaced = membership.rank_to_replace(system, request, now=self.now)
            return membership.join(system, request, now=self.now, replaced=replaced)

        joined, rank = self._both(ours, lambda: self.model.join(asked))
        if joined is not None:
            assert joined.member.rank == rank
            assert self.before.map_version < joined.map_version < self.system.map_version
            if request.uuid == engine.uuid:
                engine.rank, engine.replaces = rank, False

    @rule(engine=consumes(engines), replaces=st.booleans(), target=engines)
    def loses_its_storage(self, engine: Engine, replaces: bool) -> Engine:
        """A format makes a new engine of it, which may ask for the old one's rank."""
        self.made += 1
        new = Engine(self.made, 0, 0, "/")
        new.addr, new.address_on_fabric, new.domain = engine.addr, engine.address_on_fabric, engine.domain
        new.contexts, new.replaces = engine.contexts, replaces
        return new

    @rule(engine=engines, host=HOSTS)
    def moves(self, engine: Engine, host: int) -> None:
        """A host gets another address."""
        engine.addr = f"10.0.0.{host}:10001"

    @rule(engine=engines, contexts=st.integers(3, 4), domain=DOMAINS)
    def is_configured_anew(self, engine: Engine, contexts: int, domain: str) -> None:
        engine.contexts = contexts
        engine.domain = domain.format(1, 2)

    # -- news ----------------------------------------------------------------------------------------------------------

    def _incarnation(self, rank: int, life: int) -> int:
        member = self.system.members.get(rank)
        return 7 if member is None else max(0, member.incarnation + 10 * life)

    @rule(rank=RANKS, life=LIVES)
    def engine_dies(self, rank: int, life: int) -> None:
        event = Event(
            id=EventId.ENGINE_DIED,
            type=EventType.STATE_CHANGE,
            severity=Severity.ERROR,
            message="killed",
            timestamp="",
            rank=rank,
            incarnation=self._incarnation(rank, life),
        )
        move, moved = self._both(
            lambda system: membership.engine_died(system, event, now=self.now),
            lambda: self.model.engine_died(rank, event.incarnation, "killed"),
        )
        assert (move is not None) == bool(moved)

    @rule(rank=RANKS, life=LIVES, unsaid=st.booleans())
    def rank_is_dead(self, rank: int, life: int, unsaid: bool) -> None:
        incarnation = 0 if unsaid else self._incarnation(rank, life)
        move, moved = self._both(
            lambda system: membership.rank_dead(system, rank, incarnation, now=self.now),
            lambda: self.model.rank_dead(rank, incarnation),
        )
        assert (move is not None) == bool(moved)

    @rule(
        reports=st.lists(
            st.tuples(RANKS, st.sampled_from(MemberState), st.booleans(), st.text(max_size=3)), max_size=4
        ),
        update_on_fail=st.booleans(),
    )
    def hosts_report(self, reports: list[tuple[int, MemberState, bool, str]], update_on_fail: bool) -> None:
        results = [
            RankResult(rank=rank, state=state, errored=errored, message=words)
            for rank, state, errored, words in reports
        ]
        moves, moved = self._both(
            lambda system: membership.record_results(system, results, now=self.now, update_on_fail=update_on_fail),
            lambda: self.model.results(reports, update_on_fail=update_on_fail),
        )
        assert moves is None or [move.member.rank for move in moves] == moved

    # -- administrators ------------------------------------------------------------------------------------------------

    @rule(ranks=st.sets(RANKS, max_size=3), clear=st.booleans())
    def is_excluded(self, ranks: set[int], clear: bool) -> None:
        known = ranks & set(self.system.members)
        self._both(
            lambda system: membership.exclude(system, known, clear=clear, now=self.now),
            lambda: self.model.exclude(known, clear=clear),
        )

    @rule(heals=st.booleans())
    def heals_or_not(self, heals: bool) -> None:
        value = "exclude;pool_exclude;pool_rebuild" if heals else "pool_exclude"
        self._decide(lambda system: Change(system=system.with_attributes({"prop.self_heal": value}), outcome=None))
        self.model.heals = heals

    @rule(name=st.sampled_from(["ofi+tcp", "ofi+verbs"]))
    def leads_with_provider(self, name: str) -> None:
        self._both(
            lambda system: provider.settle(system, name, now=self.now, hostname="h0"),
            lambda: self.model.set_provider(name),
        )

    @rule()
    def is_erased(self) -> None:
        """Everything is forgotten; ranks are handed out anew."""
        self._decide(lambda system: Change(system=System(), outcome=None))
        assert set(self.stored) <= {records.MAP}
        self.owners.clear()
        self._begin(self.model.provider)

    # -- what is always so ---------------------------------------------------------------------------------------------

    @invariant()
    def members_are_the_same(self) -> None:
        ours = {
            member.rank: (
                member.uuid,
                member.addr,
                str(member.state),
                member.fabric_uri,
                member.incarnation,
                member.info,
            )
            for member in self.system.members.values()
        }
        assert ours == {
            row.rank: (row.uuid, row.addr, row.state, row.uri, row.incarnation, row.info) for row in self.model.rows
        }
        assert self.system.next_rank == self.model.next_rank
        assert self.system.paused == self.model.paused

    @invariant()
    def engines_are_told_the_same(self) -> None:
        try:
            told = [(member.rank, member.fabric_uri, member.incarnation) for member in group_map(self.system).members]
        except EmptyGroupMap:
            told = []
        assert told == self.model.group()

    @invariant()
    def fault_domains_are_the_same(self) -> None:
        assert self.system.tree.words() == self.model.words()
        chosen = sorted(self.system.members)[::2]
        assert self.system.tree.words(chosen)[1:] == [] or chosen or not self.system.members

    @invariant()
    def the_map_has_a_new_version_if_it_is_new(self) -> None:
        assert self.system.map_version == self.model.map_version
        before, after = (
            [
                (member.rank, member.fabric_uri, member.incarnation)
                for member in system.members.values()
                if member.in_group
            ]
            for system in (self.before, self.system)
        )
        assert self.system.map_version >= self.before.map_version or not self.system.members
        assert before == after or self.system.map_version != self.before.map_version

    @invariant()
    def nobody_is_there_twice(self) -> None:
        uuids = {member.uuid: rank for rank, member in self.system.members.items()}
        assert len(uuids) == len(self.system.members)
        assert self.system.by_uuid == uuids
        assert set(self.system.tree.ranks) == set(self.system.members)
        numbers = [*self.system.tree.domains.values(), *(number for _, number in self.system.tree.ranks.values())]
        assert len(numbers) == len(set(numbers))

    @invariant()
    def an_engine_never_changes_its_rank(self) -> None:
        """And once a rank has another owner, the old one never has it back."""
        for rank, member in self.system.members.items():
            *former, last = self.owners.setdefault(rank, [member.uuid])
            assert member.uuid not in former
            if member.uuid != last:
                self.owners[rank].append(member.uuid)

    @invariant()
    def the_store_has_it_all(self) -> None:
        items = {key: Versioned(value, 1) for key, value in self.stored.items()}
        assert records.load(Snapshot(items, 1)) == self.system


TestMembershipHistory = MembershipHistory.TestCase
TestMembershipHistory.settings = settings(max_examples=settings.default.max_examples // 3)
