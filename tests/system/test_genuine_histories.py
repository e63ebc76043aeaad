"""Histories of systems, asked of genuine servers and of ours, by the genuine dmg and by ours: one set of documents.

A ``*_history.txt`` beside the recordings is a history: a question to dmg a line, and what happens in between. The
``*_history.json`` of the same name is what genuine servers answered the genuine dmg. With DAOS_RECORD set, the test of
that pair writes it anew. The history of a system has emulated engines, so that it takes minutes, not an hour; genuine
servers run them as well. That of pools is about what engines say, and has genuine ones.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(2400), pytest.mark.xdist_group("genuine")]

FOLDER = Path(__file__).parent.parent / "compat"
OWN_WORDS = "~ "
"""Before a question that each program refuses in words of its own."""
MORE_BY_CHANCE = "? "
"""Before a question whose answer has ranks or sizes that chance decides: not the same is free every time."""
BETTER_HERE = "> "
"""Before a question that ours answer otherwise on purpose, in some of these: they are left out."""
RANKS_AND_SIZES = frozenset({"tgt_ranks", "tier_bytes", "mem_file_bytes", "total", "size"})
OTHERWISE = frozenset({"state", "info", "reports"})
FORMAT_REQUIRED = r"(?:SCM|Metadata) format required on instance"
STARTED = r"DAOS I/O Engine.*process [0-9]+ started on"
HOSTS, ENGINES = 2, 2
PATIENCE_S = 700
"""For one question: DAOS's own limit is ten minutes. And for a pool to settle, which takes engines a minute or, if they
have little of their processors, several."""
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Story:
    """A history, and how its answers are compared."""

    name: str
    genuine_engines: bool
    targets: int
    elsewhere: frozenset[str]
    """What is compared elsewhere."""
    by_chance: frozenset[str]
    """Of which it is only noted that it is there, and of lists how much of it."""

    @property
    def lines(self) -> list[str]:
        return (FOLDER / f"{self.name}.txt").read_text().splitlines()

    @property
    def recorded(self) -> Path:
        return FOLDER / f"{self.name}.json"


OF_A_SYSTEM = Story(
    name="system_history",
    genuine_engines=False,
    targets=1,
    elsewhere=frozenset({"tier_stats", "usage", "mem_file_bytes", "tier_bytes", "mem_info"}),
    by_chance=frozenset({"svc_ldr", "incarnation", "last_update", "fabric_uri"}),
)
OF_POOLS, OF_THEIR_RANKS, OF_THEIR_TARGETS, OF_THE_CHECKER = (
    Story(
        name=name,
        genuine_engines=True,
        targets=2,
        elsewhere=frozenset({"free", "min", "max", "mean", "imbalance"}),
        by_chance=OF_A_SYSTEM.by_chance
        | {"svc_reps", "svc_list", "leader", "start_time", "elapsed", "remaining", "timestamp", "seq"}
        | {"act_msgs"},  # words of a server, who may choose its own
    )
    for name in ("pool_history", "pool_ranks_history", "pool_targets_history", "checker_history")
)
WITH_GENUINE_ENGINES = [OF_POOLS, OF_THEIR_RANKS, OF_THEIR_TARGETS, OF_THE_CHECKER]
STORIES = pytest.mark.parametrize("story", [OF_A_SYSTEM, *WITH_GENUINE_ENGINES], ids=lambda story: story.name)


@STORIES
def test_genuine_servers_answer_as_they_did(genuine, mixed_systems, story, tmp_path):
    system = mixed_systems(genuine, None)
    answers = History(system, story, tmp_path, servers=system.genuine, dmg=system.genuine.dmg).answers()
    if os.environ.get("DAOS_RECORD"):
        story.recorded.write_text("".join(f"{json.dumps(answer)}\n" for answer in answers))
    else:
        assert_as_recorded(story, answers)


@STORIES
def test_our_servers_answer_the_genuine_dmg_as_genuine_ones_do(genuine, mixed_systems, story, tmp_path):
    system = mixed_systems(genuine, None)
    assert_as_recorded(story, History(system, story, tmp_path, servers=system.ours, dmg=system.genuine.dmg).answers())


@STORIES
def test_our_dmg_says_of_genuine_servers_what_the_genuine_one_says(genuine, mixed_systems, story, tmp_path):
    system = mixed_systems(genuine, None)
    assert_as_recorded(story, History(system, story, tmp_path, servers=system.genuine, dmg=system.ours.dmg).answers())


@pytest.mark.skipif(os.geteuid() != 0, reason="private namespaces need root")
@pytest.mark.parametrize(
    "story", [OF_A_SYSTEM, replace(OF_THEIR_TARGETS, genuine_engines=False)], ids=lambda story: story.name
)
def test_our_servers_answer_our_dmg_no_worse(mixed_systems, certificates, story, tmp_path):
    system = mixed_systems(Path("/needs/nothing/genuine"), certificates)
    assert_as_recorded(story, History(system, story, tmp_path, servers=system.ours, dmg=system.ours.dmg).answers())


@pytest.mark.parametrize("story", WITH_GENUINE_ENGINES, ids=lambda story: story.name)
def test_our_servers_answer_our_dmg_in_front_of_genuine_engines(genuine, mixed_systems, certificates, story, tmp_path):
    system = mixed_systems(genuine, certificates)
    assert_as_recorded(story, History(system, story, tmp_path, servers=system.ours, dmg=system.ours.dmg).answers())


def assert_as_recorded(story: Story, answers: list[dict[str, Any]]) -> None:
    recorded = [told(json.loads(line)) for line in story.recorded.read_text().splitlines()]
    different = [
        f"{ours['question']}\n  recorded: {json.dumps(theirs)}\n  now:      {json.dumps(ours)}"
        for theirs, ours in zip(recorded, answers, strict=True)
        if theirs != ours
    ]
    assert not different, "\n".join(different)


class History:
    """What happens to a system, and what dmg says of it."""

    def __init__(self, system: Any, story: Story, kept: Path, *, servers: Any, dmg: Path) -> None:
        engine = system.genuine.engine if story.genuine_engines else system.ours.engine
        system.programs = replace(servers, engine=engine, dmg=dmg)
        self._system = system
        self._story = story
        self._kept = kept / "answers.json"
        """Where all answers can be looked at after a failure."""
        self._names: dict[str, str] = {}
        self._client: Any = None
        self._finding: int | None = None

    def answers(self) -> list[dict[str, Any]]:
        """Let everything happen, and return what dmg answered on the way."""
        for number in range(1, HOSTS + 1):
            host = self._system.add_host(engines=ENGINES, targets=self._story.targets)
            host.start_unformatted()
            self._system.dmg("storage", "format", "-l", host.address)
            host.server.shows(STARTED, ENGINES)
            self._system.all_joined(ENGINES * number)
        found = []
        with self._kept.open("w", buffering=1) as kept:
            for line in self._story.lines:
                if line.startswith("! "):
                    self._happens(*line.removeprefix("! ").split(" ", 2))
                elif line and not line.startswith("# "):
                    found.append(self._answer(line))
                    kept.write(f"{json.dumps(found[-1])}\n")
        return found

    def _answer(self, line: str) -> dict[str, Any]:
        question = line.removeprefix(OWN_WORDS).removeprefix(MORE_BY_CHANCE).removeprefix(BETTER_HERE)
        words = shlex.split(self._completed(question))
        code, document = self._system.answer(*words, program=self._system.programs.dmg, patience_s=PATIENCE_S)
        if document["error"] is not None and line.startswith(OWN_WORDS):
            document["error"] = "in its own words"
        more = RANKS_AND_SIZES if line.startswith(MORE_BY_CHANCE) else frozenset()
        if line.startswith(BETTER_HERE):
            document = without(OTHERWISE, document)
        return {"question": question, "code": code, **self._plain(document, self._story.by_chance | more)}

    def _completed(self, question: str) -> str:
        """Put in what differs from run to run."""
        folder, machine = str(self._system.folder), socket.gethostname()
        return question.replace("DIR", folder).replace("HOST", machine).replace("FINDING", str(self._finding))

    def _happens(self, *words: str) -> None:
        match words:
            case "joined" | "excluded" as state, ranks:
                self._until_ranks_are(ranks, state)
            case "rebuilt", pool:
                self._system.until(lambda: self._rebuild(pool) != "busy", lambda: f"{pool} to be rebuilt")
            case "settled", pool:
                self._system.until(
                    lambda: self._is_settled(pool),
                    lambda: f"{pool} to settle: {self._state_of(pool)}",
                    patience_s=PATIENCE_S,
                )
            case "kill", "rank", rank:
                os.kill(self._engine_pid(int(rank)), signal.SIGKILL)
            case "kill", "host", number:
                host = self._system.hosts[int(number) - 1]
                engines = host.engine_pids()
                host.stop(signal.SIGKILL)
                self._system.are_gone(engines)
            case "start", "host", number:
                self._system.hosts[int(number) - 1].start()
            case ("erased",):
                self._system.until(self._is_erased, lambda: "a system that knows nothing")
            case "format", "host", number:
                self._system.dmg("storage", "format", "-l", self._system.hosts[int(number) - 1].address)
            case "file", name, lines:
                (self._system.folder / name).write_text(lines.replace(";", "\n"))
            case _:
                self._happens_to_pools(*words)

    def _happens_to_pools(self, *words: str) -> None:
        match words:
            case ("agent",):
                self._system.start_agent()
            case "without", rank, pool:
                self._system.until_disabled_ranks_are(pool, int(rank))
            case "container", pool, label:
                self._system.daos("container", "create", pool, label)
            case "opens", pool:
                self._client = self._system.open_pool(pool)
            case ("closes",):
                self._client.send(signal.SIGKILL)
            case "lost", pool:
                self._lose(pool)
            case ("checked",):
                self._system.until(
                    lambda: self._check()["status"] == "COMPLETED", lambda: f"the end of {self._check()}"
                )
            case ("found",):
                self._system.until(self._is_found, lambda: f"a finding in {self._check()}")
                self._finding = int(self._check()["reports"][0]["seq"])
            case _:
                raise ValueError(f"what is {' '.join(words)!r} to mean?")

    def _until_ranks_are(self, ranks: str, state: str) -> None:
        first, _, last = ranks.partition("-")
        wanted = set(range(int(first), int(last or first) + 1))

        def there() -> bool:
            return wanted <= {member["rank"] for member in self._members() if member["state"] == state}

        self._system.until(there, lambda: f"{ranks} to be {state}; there are {self._members()}")

    def _members(self) -> list[dict[str, Any]]:
        """Return the members: none of a system whose format was answered and whose database is yet to come up."""
        _, document = self._system.answer("system", "query", program=self._system.programs.dmg)
        return list((document["response"] or {}).get("members") or ())

    def _rebuild(self, pool: str) -> str:
        return str(self._system.ask("pool", "query", "--health-only", pool)["response"]["rebuild"]["state"])

    def _is_settled(self, pool: str) -> bool:
        """Whether all targets of a pool are in or out for good; a rebuild may begin later than it is asked for."""
        if self._rebuild(pool) == "busy":  # the cheapest question first: dmg takes the engines' processors
            return False
        ranks = reversed(range(HOSTS * ENGINES))
        return all(self._targets(pool, rank) <= {"up_in", "down_out"} for rank in ranks) and (
            self._rebuild(pool) != "busy"
        )

    def _state_of(self, pool: str) -> str:
        targets = {rank: sorted(self._targets(pool, rank)) for rank in range(HOSTS * ENGINES)}
        return f"{targets}, {self._system.ask('pool', 'query', '--health-only', pool)['response']}"

    def _targets(self, pool: str, rank: int) -> set[str]:
        """Return the states of a pool's targets on a rank, which it need not have."""
        words = ("pool", "query-targets", f"--rank={rank}", "--target-idx=0,1", pool)
        _, document = self._system.answer(*words, program=self._system.programs.dmg)
        return {target["target_state"] for target in (document["response"] or {}).get("Infos") or ()}

    def _check(self) -> dict[str, Any]:
        found: dict[str, Any] = self._system.ask("check", "query")["response"]
        return found

    def _is_found(self) -> bool:
        """Whether there is a finding, and all that goes on without an answer to it is done."""
        check = self._check()
        return bool(check["reports"]) and all(pool["status"] != "CPS_CHECKING" for pool in check["pools"].values())

    def _lose(self, label: str) -> None:
        """Remove a pool's files from all engines, which are stopped."""
        pools = self._system.ask("pool", "list", "--no-query")["response"]["pools"]
        [uuid] = [pool["uuid"] for pool in pools if pool["label"] == label]
        for host in self._system.hosts:
            for index in range(host.engines):
                files = host.folder / f"daos{index}" / uuid
                subprocess.run([*host.machine.entering(), "sh", "-c", f"test -d {files} && rm -r {files}"], check=True)

    def _engine_pid(self, rank: int) -> int:
        [member] = [member for member in self._system.members() if member["rank"] == rank]
        [host] = [host for host in self._system.hosts if host.address == member["addr"]]
        return int(host.engine_pid(index_of(member["fabric_uri"])))

    def _is_erased(self) -> bool:
        """Whether all engines wait for a format and the first server, which starts anew meanwhile, stays as it is."""
        if any(host.server.counts(FORMAT_REQUIRED) < ENGINES for host in self._system.hosts):
            return False
        return all(self._knows_nothing() for _ in range(10))

    def _knows_nothing(self) -> bool:
        _, document = self._system.answer("system", "leader-query", program=self._system.programs.dmg)
        return document["response"] is not None and not document["response"]["current_leader"]

    def _plain(self, value: Any, by_chance: frozenset[str]) -> Any:
        """Give UUIDs names, leave out what is compared elsewhere, and only note that there is what chance decides."""
        match value:
            case dict():
                unsteady = by_chance | ({"value"} if value.get("name") in by_chance else set())
                return {
                    self._named(key): extent(part) if key in unsteady else self._plain(part, by_chance)
                    for key, part in value.items()
                    if key not in self._story.elsewhere
                }
            case [{}, *_]:
                return sorted((self._plain(part, by_chance) for part in value), key=sort_key)
            case list():
                return [self._plain(part, by_chance) for part in value]
            case str():
                return self._named(without_advice(value.replace(str(self._system.folder), "DIR")))
        return value

    def _named(self, text: str) -> str:
        """Give UUIDs the names that they have in this history, and its name to the number of a finding."""
        if self._finding is not None:
            text = text.replace(f"{self._finding:#x}", "FINDING")
        return UUID.sub(lambda uuid: self._names.setdefault(uuid[0], f"uuid {len(self._names) + 1}"), text)


def without(keys: frozenset[str], value: Any) -> Any:
    """Leave these keys out, at every depth."""
    match value:
        case dict():
            return {key: without(keys, part) for key, part in value.items() if key not in keys}
        case list():
            return [without(keys, part) for part in value]
    return value


def extent(value: Any) -> str:
    """Say what a value is that chance decides."""
    return f"{len(value)} by chance" if isinstance(value, list) else type(value).__name__


def index_of(uri: str) -> int:
    """Return the index of the engine at a URI: ports are 100 apart."""
    return int(uri.rpartition(":")[2]) % 1000 // 100


def sort_key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Have entries in one order, whichever they came in: by what is known of them beforehand."""
    return tuple(entry.get(key, "") for key in ("rank", "Rank", "key", "name", "label", "id", "pool_id"))


def told(value: Any) -> Any:
    """Return an answer of a record as answers are compared: of faults there is left what their numbers say."""
    match value:
        case dict():
            return {key: told(part) for key, part in value.items()}
        case list():
            return [told(part) for part in value]
        case str():
            return without_advice(value)
    return value


def without_advice(text: str) -> str:
    """Leave out what a fault is called, as its number says what it is, and that Go knows no better of others."""
    text = re.sub(r"(code = [0-9]+) .*", r"\1", text.replace("rpc error: code = Unknown desc = ", ""))
    return re.sub(r"engine [0-9] exited", "engine N exited", text)
