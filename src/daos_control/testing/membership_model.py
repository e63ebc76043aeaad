"""A second opinion on membership: what DAOS 2.8 lays down, told again as plainly as it goes.

It is what property tests hold ``mgmt.rules`` against, so it shares nothing with them: rows in a list instead of
mappings, a tree of nodes that know their children, state names as text. It is slow and keeps no history. Where our
rules mean to differ from DAOS 2.8, a comment says ``DAOS:`` what it does.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

NIL: Final = 0xFFFFFFFF

FORBIDDEN: Final = {
    "awaitformat": {"excluded"},
    "starting": {"excluded"},
    "ready": {"excluded"},
    "joined": {"ready"},
    "errored": {"ready", "joined", "stopping"},
    "unresponsive": {"ready", "joined", "stopping"},
    "checkerstarted": {"ready", "joined"},
    "excluded": {"errored", "stopping", "stopped", "starting", "ready", "unresponsive"},
}
"""Moves that reports must not make, beside those to the same state; nothing leads out of the states not listed."""

OUT_OF_GROUP: Final = ("awaitformat", "excluded", "adminexcluded")


class Refusal(Exception):
    """What the rules refuse, by a short name of the reason."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Row:
    """One member."""

    rank: int
    uuid: str
    addr: str
    uri: str
    contexts: int
    domain: str
    state: str
    incarnation: int
    info: str = ""


@dataclass
class Node:
    """A fault domain or, at the very bottom, a rank."""

    name: str
    number: int
    children: list["Node"] = field(default_factory=list)
    rank: int | None = None

    def all(self) -> Iterator["Node"]:
        """Yield this node and everything below it."""
        yield self
        for child in self.children:
            yield from child.all()

    def height(self) -> int:
        """Return how far above the ranks this is."""
        return max(
            (1 + child.height() for child in self.children if any(n.rank is not None for n in child.all())), default=0
        )

    def child(self, name: str) -> "Node | None":
        """Find a child by name."""
        return next((child for child in self.children if child.name == name), None)

    def add(self, child: "Node") -> None:
        """Put a child in its place: by name, as text."""
        self.children.append(child)
        self.children.sort(key=lambda node: node.name)


@dataclass(frozen=True)
class Asked:
    """A request to join, as an engine makes it."""

    uuid: str
    addr: str
    uri: str
    domain: str
    rank: int = NIL
    contexts: int = 3
    incarnation: int = 1
    check_mode: bool = False
    replace: bool = False


@dataclass
class MembershipModel:
    """The members of a system, and everything that happens to them."""

    provider: str = "ofi+tcp"
    rows: list[Row] = field(default_factory=list)
    root: Node = field(default_factory=lambda: Node("", 1))
    next_rank: int = 1
    map_version: int = 0
    labels: list[str] | None = None
    paused: bool = False
    heals: bool = True

    # -- joins -----------------------------------------------------------------------------------------------------

    def join(self, asked: Asked) -> int:
        """Let an engine in and return its rank, or raise Refusal; a refusal changes nothing."""
        identity = self._check(asked)
        # DAOS: an engine that has taken a rank over and asks again, having missed the answer, is refused for good.
        if asked.replace and not self._have(uuid=identity):
            return self._take_over(asked, identity)
        if found := self._have(uuid=identity) if asked.rank == NIL else self._have(rank=asked.rank):
            return self._come_back(found[0], asked, identity)
        return self._enter(asked, identity)

    def _have(self, **what: object) -> list[Row]:
        return [row for row in self.rows if all(getattr(row, name) == value for name, value in what.items())]

    def _check(self, asked: Asked) -> str:
        """See to what can be said without looking for the engine; return its uuid as it is usually written."""
        try:
            identity = str(uuid.UUID(asked.uuid))
        except ValueError:
            raise Refusal("bad uuid") from None
        _, labels = self._read(asked.domain)
        if self.labels is not None and labels != self.labels and any(labels + self.labels):
            raise Refusal("fault 620")
        if "://" not in asked.uri:
            raise Refusal("bad uri")
        if asked.uri.split("://")[0] != self.provider:
            raise Refusal("other provider")
        return identity

    def _take_over(self, asked: Asked, identity: str) -> int:
        row = self._to_replace(asked)
        if row.state == "adminexcluded":
            raise Refusal("admin-excluded")
        row.uuid, row.state, row.info = identity, "joined", ""
        row.incarnation = asked.incarnation  # DAOS: keeps the lost engine's until the next join
        return self._let_in(row)

    def _come_back(self, row: Row, asked: Asked, identity: str) -> int:
        if len(self.rows) != 1:
            self._check_depth(asked)
        if row.state == "adminexcluded":
            raise Refusal("admin-excluded")
        if row.uuid != identity:
            raise Refusal("uuid changed")
        if row.addr != asked.addr:
            raise Refusal("address changed")
        row.state, row.info = "checkerstarted" if asked.check_mode else "joined", ""
        row.uri, row.contexts = asked.uri, asked.contexts  # DAOS: does not store the new number of contexts
        row.domain, row.incarnation = asked.domain, asked.incarnation
        return self._let_in(row)

    def _enter(self, asked: Asked, identity: str) -> int:
        self._check_depth(asked)
        if self._have(uuid=identity):
            raise Refusal("uuid exists")
        rank = asked.rank
        if rank == NIL:
            # DAOS: hands a number out even if an engine has asked for it before, and then has two of it.
            while self._have(rank=self.next_rank):
                self.next_rank += 1
            rank = self.next_rank
            self.next_rank += 1
        row = Row(rank, identity, asked.addr, asked.uri, asked.contexts, asked.domain, "joined", asked.incarnation)
        self.rows.append(row)
        return self._let_in(row)

    def _check_depth(self, asked: Asked) -> None:
        depth = self.root.height()
        if depth > 0 and len(self._read(asked.domain)[0]) != depth - 1:
            raise Refusal("fault 401")

    def _to_replace(self, asked: Asked) -> Row:
        if asked.rank != NIL:
            raise Refusal("unexpected rank")
        if not self.rows:
            raise Refusal("empty membership")
        wanted = (asked.addr, asked.uri, asked.contexts, self._read(asked.domain))
        for row in sorted(self.rows, key=lambda row: row.rank):
            if (row.addr, row.uri, row.contexts, self._read(row.domain)) == wanted:
                return row
        raise Refusal("fault 403")

    def _let_in(self, row: Row) -> int:
        names, labels = self._read(row.domain)
        if self.labels is None:  # DAOS: also if the join is then refused
            self.labels = labels
        self._plant(row.rank, names)
        self.map_version += 1
        if self.paused and all(other.state in ("joined", "adminexcluded") for other in self.rows):
            self.paused = False
        self.map_version += 1  # for the group update that every join is followed by
        return row.rank

    @staticmethod
    def _read(domain: str) -> tuple[list[str], list[str]]:
        """Split a fault domain into names and labels."""
        if not domain.startswith("/"):
            raise Refusal("fault 717")
        if domain == "/":
            raise Refusal("no domain")
        parts = [part.split("=") for part in domain[1:].lower().split("/")]
        if len({len(part) for part in parts}) != 1 or any(not word for part in parts for word in part):
            raise Refusal("fault 717")
        return [part[-1] for part in parts], [part[0] for part in parts if len(part) == 2]

    # -- the tree of fault domains -----------------------------------------------------------------------------------

    def _plant(self, rank: int, names: list[str]) -> None:
        """Put a rank where it belongs; new nodes are numbered from the highest number on, from the top down.

        DAOS: does so with every change of a member, which moves the numbers of domains that are yet to come.
        """
        for node in self.root.all():
            node.children[:] = [child for child in node.children if child.rank != rank]
        number = max(node.number for node in self.root.all())
        place = self.root
        for name in names:
            there = place.child(name)
            if there is None:
                number += 1
                there = Node(name, number)
                place.add(there)
            place = there
        place.add(Node(f"rank{rank}", number + 1, rank=rank))

    def words(self) -> list[int]:
        """Return the tree as engines get it."""
        depth = self.root.height()
        words = [2 if depth > 2 else 0]
        line: list[tuple[int, Node]] = [(depth, self.root)]
        for level, node in line:  # grows while it is read
            if node.rank is not None:
                words.append(node.rank)
                continue
            inhabited = [child for child in node.children if any(n.rank is not None for n in child.all())]
            words += [level, node.number, len(inhabited)]
            line += [(level - 1, child) for child in inhabited]
        return words

    # -- everything else -----------------------------------------------------------------------------------------------

    def _row(self, rank: int) -> Row:
        for row in self.rows:
            if row.rank == rank:
                return row
        raise Refusal("no such rank")

    def _report(self, row: Row, state: str, info: str | None) -> bool:
        """Take a report over, if the move is legal. DAOS: also reports of a state it does not know."""
        if state in (row.state, "unknown") or state in FORBIDDEN.get(row.state, ()):
            return False
        if row.state in ("unknown", "adminexcluded"):
            return False
        row.state = state
        if info is not None:
            row.info = info
        self.map_version += 1
        return True

    def results(self, results: Iterable[tuple[int, str, bool, str]], *, update_on_fail: bool) -> list[int]:
        """Take over what hosts report: rank, state, whether it is an error, words. Returns the ranks that moved.

        DAOS: what stands before a senseless result in the list is taken over all the same.
        """
        results = list(results)
        for rank, state, errored, _ in results:
            self._row(rank)
            if errored and state not in ("errored", "unresponsive"):
                raise Refusal("senseless result")
        moved = []
        for rank, state, errored, words in results:
            if errored and not update_on_fail:
                continue
            if self._report(self._row(rank), state, words):
                moved.append(rank)
        return moved

    def engine_died(self, rank: int, incarnation: int, words: str) -> bool:
        """Hear from a host that an engine's process has ended."""
        row = self._row(rank)
        if incarnation != 0 and incarnation < row.incarnation:
            return False
        return self._report(row, "errored", words)

    def rank_dead(self, rank: int, incarnation: int) -> bool:
        """Hear from engines that another one is dead."""
        if not self.heals:
            return False
        row = self._row(rank)
        if row.state == "joined" and incarnation > 0 and row.incarnation > incarnation:
            return False
        return self._report(row, "excluded", None)

    def exclude(self, ranks: Iterable[int], *, clear: bool) -> None:
        """Do an administrator's will, whatever the states are."""
        for row in [self._row(rank) for rank in ranks]:
            row.state = "excluded" if clear else "adminexcluded"
            self.map_version += 1

    def set_provider(self, provider: str) -> None:
        """Begin to lead with another fabric provider."""
        if provider == self.provider:
            return
        if any(row.state == "joined" for row in self.rows):
            raise Refusal("ranks are joined")
        self.provider, self.paused = provider, True

    def group(self) -> list[tuple[int, str, int]]:
        """Return rank, address and incarnation of everybody engines are told of."""
        return sorted((row.rank, row.uri, row.incarnation) for row in self.rows if row.state not in OUT_OF_GROUP)
