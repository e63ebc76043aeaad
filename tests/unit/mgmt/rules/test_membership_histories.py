"""Whatever happens to a system, our rules and a second opinion on them agree; and what is stored is what was decided.

``pytest --hypothesis-profile=deep`` looks for longer.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

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

KINDS = (
    *["engine_joins"] * 7,
    *["engine_loses_its_storage"] * 3,
    *["engine_dies"] * 2,
    *["rank_is_dead"] * 2,
    *["hosts_report"] * 3,
    *["ranks_are_excluded"] * 2,
    "engine_appears",
    "engine_joins_wrongly",
    "engine_is_configured_anew",
    "host_gets_another_address",
    "provider_is_changed",
    "system_heals_or_not",
    "system_is_erased",
    "another_leads",
)
"""What happens, as often as it is here."""
DOMAINS = (*["/h{}"] * 8, "/r{}/h{}", "/rack=r1/node=n{}", "/Row=R/h{}", "nonsense")
FAILURES = {MemberState.ERRORED, MemberState.UNRESPONSIVE}
STATES = tuple(MemberState)
WRONG: tuple[dict[str, Any], ...] = (
    {"uuid": "nonsense"},
    {"uri": "nonsense"},
    {"uri": "ofi+sockets://10.0.0.1:1"},
    {"fault_domain": "/"},
    {"fault_domain": "/a=b/c"},
    {"fault_domain": "/r/h/s"},
    {"rank": 3},
)


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
    """A system under our rules, and under the model's.

    One rule does everything, by weight: rules of their own would be picked so unevenly that little would happen.
    ``pick`` says who it happens to and ``turn``, from 0 to 11, which turn it takes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.made = 0
        self.engines: list[Engine] = []
        self.owners: dict[int, list[str]] = {}
        self.stored: dict[str, bytes] = {}
        self._begin("ofi+tcp")
        for host in range(3):
            self.engine_appears(host, 0)
            self.engine_joins(host, 1)

    def _begin(self, name: str) -> None:
        self.model = MembershipModel(provider=name)
        self.system = self.before = System()
        self._decide(lambda system: provider.settle(system, name, now=self.now, hostname="h0"))

    @rule(kind=st.sampled_from(KINDS), pick=st.integers(0, 15), turn=st.integers(0, 11))
    def happens(self, kind: str, pick: int, turn: int) -> None:
        getattr(self, kind)(pick, turn)

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

    def _engine(self, pick: int) -> Engine:
        return self.engines[pick % len(self.engines)]

    def engine_appears(self, pick: int, turn: int) -> None:
        """A new engine somewhere, perhaps where another one is."""
        self.made += 1
        self.engines.append(Engine(self.made, pick % 4, turn % 2, DOMAINS[turn]))

    def engine_joins(self, pick: int, turn: int) -> None:
        """An engine starts and asks in; calls may be repeated, and engines may not know what they are."""
        engine = self._engine(pick)
        engine.incarnation += 10 * (turn % 2)
        before = engine.rank, engine.replaces
        rank = NIL if turn % 3 == 0 else engine.rank
        self._joins(engine, engine.request(self.model.provider, check_mode=turn == 11, rank=rank))
        if turn == 4:  # the answer is lost
            engine.rank, engine.replaces = before

    def engine_joins_wrongly(self, pick: int, turn: int) -> None:
        self._joins(self._engine(pick), self._engine(pick).request(self.model.provider, **WRONG[turn % len(WRONG)]))

    def engine_loses_its_storage(self, pick: int, turn: int) -> None:
        """A format makes a new engine of it, which may ask for the old one's rank; the old one may turn up again."""
        old = self._engine(pick)
        self.made += 1
        new = Engine(self.made, 0, 0, "/")
        new.addr, new.address_on_fabric, new.domain = old.addr, old.address_on_fabric, old.domain
        new.contexts, new.replaces = old.contexts + (turn == 7), turn % 3 > 0
        if turn % 4:
            self.engines.remove(old)
        self.engines.append(new)
        if turn % 2:
            self._joins(new, new.request(self.model.provider))

    def host_gets_another_address(self, pick: int, turn: int) -> None:
        self._engine(pick).addr = f"10.0.0.{turn % 4}:10001"

    def engine_is_configured_anew(self, pick: int, turn: int) -> None:
        engine = self._engine(pick)
        engine.contexts = 3 + turn % 2
        engine.domain = DOMAINS[turn].format(pick % 4, pick % 4)

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
            if request.replace:  # it may not know that it had the rank before, and lost it to another
                self.owners[rank] = [owner for owner in self.owners.get(rank, []) if owner != joined.member.uuid]

    # -- news ----------------------------------------------------------------------------------------------------------

    def _rank(self, pick: int) -> int:
        ranks = sorted(self.system.members)
        return 77 if pick == 15 or not ranks else ranks[pick % len(ranks)]

    def _incarnation(self, rank: int, life: int) -> int:
        member = self.system.members.get(rank)
        return 7 if member is None else max(0, member.incarnation + 10 * life)

    def engine_dies(self, pick: int, turn: int) -> None:
        life = turn % 3 - 1
        rank = self._rank(pick)
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

    def rank_is_dead(self, pick: int, turn: int) -> None:
        life, unsaid = turn % 3 - 1, turn == 11
        rank = self._rank(pick)
        incarnation = 0 if unsaid else self._incarnation(rank, life)
        move, moved = self._both(
            lambda system: membership.rank_dead(system, rank, incarnation, now=self.now),
            lambda: self.model.rank_dead(rank, incarnation),
        )
        assert (move is not None) == bool(moved)

    def hosts_report(self, pick: int, turn: int) -> None:
        """One or two ranks are reported; one report in twelve makes no sense."""
        state, update_on_fail = STATES[turn], pick % 3 > 0
        errored = state in FAILURES or (state is MemberState.STOPPED and pick % 4 == 0)
        said = [(self._rank(number), state, errored, f"it is {state}") for number in {pick, pick - pick % 2}]
        results = [
            RankResult(rank=rank, state=state, errored=errored, message=words) for rank, state, errored, words in said
        ]
        moves, moved = self._both(
            lambda system: membership.record_results(system, results, now=self.now, update_on_fail=update_on_fail),
            lambda: self.model.results(said, update_on_fail=update_on_fail),
        )
        assert moves is None or [move.member.rank for move in moves] == moved

    # -- administrators ------------------------------------------------------------------------------------------------

    def ranks_are_excluded(self, pick: int, turn: int) -> None:
        clear = turn % 2 == 0
        known = {self._rank(pick), self._rank((pick + turn) % 16)} & set(self.system.members)
        self._both(
            lambda system: membership.exclude(system, known, clear=clear, now=self.now),
            lambda: self.model.exclude(known, clear=clear),
        )

    def system_heals_or_not(self, pick: int, turn: int) -> None:
        heals = turn % 4 > 0
        value = "exclude;pool_exclude;pool_rebuild" if heals else "pool_exclude"
        self._decide(lambda system: Change(system=system.with_attributes({"prop.self_heal": value}), outcome=None))
        self.model.heals = heals

    def provider_is_changed(self, pick: int, turn: int) -> None:
        name = "ofi+verbs" if turn % 4 == 0 else "ofi+tcp"
        self._both(
            lambda system: provider.settle(system, name, now=self.now, hostname="h0"),
            lambda: self.model.set_provider(name),
        )

    def system_is_erased(self, pick: int, turn: int) -> None:
        """Everything is forgotten, now and then; ranks are handed out anew."""
        if turn:
            return
        self._decide(lambda system: Change(system=System(), outcome=None))
        assert set(self.stored) <= {records.MAP}
        self.owners.clear()
        self._begin(self.model.provider)

    def another_leads(self, pick: int = 0, turn: int = 0) -> None:
        """What it reads in the store is what the one before it had in memory, and it goes on with that."""
        items = {key: Versioned(value, 1) for key, value in self.stored.items()}
        loaded = records.load(Snapshot(items, 1))
        assert loaded == self.system
        self.before = self.system = loaded

    def teardown(self) -> None:
        self.another_leads()

    # -- what is always so ---------------------------------------------------------------------------------------------

    @invariant()
    def all_is_well(self) -> None:
        self.members_are_the_same()
        self.engines_are_told_the_same()
        self.fault_domains_are_the_same()
        self.the_map_has_a_new_version_if_it_is_new()
        self.nobody_is_there_twice()
        self.an_engine_never_changes_its_rank()

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

    def engines_are_told_the_same(self) -> None:
        try:
            told = [(member.rank, member.fabric_uri, member.incarnation) for member in group_map(self.system).members]
        except EmptyGroupMap:
            told = []
        assert told == self.model.group()

    def fault_domains_are_the_same(self) -> None:
        assert self.system.tree.words() == self.model.words()
        chosen = sorted(self.system.members)[::2]
        assert self.system.tree.words(chosen)[1:] == [] or chosen or not self.system.members

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

    def nobody_is_there_twice(self) -> None:
        uuids = {member.uuid: rank for rank, member in self.system.members.items()}
        assert len(uuids) == len(self.system.members)
        assert self.system.by_uuid == uuids
        assert set(self.system.tree.ranks) == set(self.system.members)
        numbers = [*self.system.tree.domains.values(), *(number for _, number in self.system.tree.ranks.values())]
        assert len(numbers) == len(set(numbers))

    def an_engine_never_changes_its_rank(self) -> None:
        """And once a rank has another owner, the old one does not have it back unless it asks for just that."""
        for rank, member in self.system.members.items():
            owners = self.owners.setdefault(rank, [])
            assert member.uuid not in owners[:-1]
            if owners[-1:] != [member.uuid]:
                owners.append(member.uuid)


TestMembershipHistory = MembershipHistory.TestCase
TestMembershipHistory.settings = settings(max_examples=settings.default.max_examples // 2)
