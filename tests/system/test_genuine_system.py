"""One history of a system, asked of genuine servers and of ours, by the genuine dmg and by ours: one set of documents.

``system_history.txt`` beside the recordings is the history: a question to dmg a line, and what happens in between. The
engines are emulated, so that it takes minutes, not an hour; genuine servers run them as well. ``system_history.json``
is what genuine servers answered the genuine dmg. With DAOS_RECORD set, the test of that pair writes it anew.
"""

import json
import os
import re
import shlex
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200), pytest.mark.xdist_group("genuine")]

HISTORY = Path(__file__).parent.parent / "compat" / "system_history.txt"
RECORDED = HISTORY.with_suffix(".json")
OWN_WORDS = "~ "
"""Before a question that each program refuses in words of its own."""
FORMAT_REQUIRED = r"(?:SCM|Metadata) format required on instance"
HOSTS, ENGINES = 2, 2
ELSEWHERE = {"tier_stats", "usage", "mem_file_bytes", "tier_bytes", "mem_info"}
"""Space and memory, which are compared elsewhere."""
BY_CHANCE = {"svc_ldr", "incarnation", "last_update", "fabric_uri"}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_genuine_servers_answer_as_they_did(genuine, mixed_systems):
    system = mixed_systems(genuine, None)
    answers = History(system, servers=system.genuine, dmg=system.genuine.dmg).answers()
    if os.environ.get("DAOS_RECORD"):
        RECORDED.write_text("".join(f"{json.dumps(answer)}\n" for answer in answers))
    else:
        assert_as_recorded(answers)


def test_our_servers_answer_the_genuine_dmg_as_genuine_ones_do(genuine, mixed_systems):
    system = mixed_systems(genuine, None)
    assert_as_recorded(History(system, servers=system.ours, dmg=system.genuine.dmg).answers())


def test_our_dmg_says_of_genuine_servers_what_the_genuine_one_says(genuine, mixed_systems):
    system = mixed_systems(genuine, None)
    assert_as_recorded(History(system, servers=system.genuine, dmg=system.ours.dmg).answers())


@pytest.mark.skipif(os.geteuid() != 0, reason="private namespaces need root")
def test_our_servers_answer_our_dmg_no_worse(mixed_systems, certificates):
    system = mixed_systems(Path("/needs/nothing/genuine"), certificates)
    assert_as_recorded(History(system, servers=system.ours, dmg=system.ours.dmg).answers())


def assert_as_recorded(answers: list[dict[str, Any]]) -> None:
    recorded = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    different = [
        f"{ours['question']}\n  recorded: {json.dumps(theirs)}\n  now:      {json.dumps(ours)}"
        for theirs, ours in zip(recorded, answers, strict=True)
        if theirs != ours
    ]
    assert not different, "\n".join(different)


class History:
    """What happens to a system, and what dmg says of it."""

    def __init__(self, system: Any, *, servers: Any, dmg: Path) -> None:
        system.programs = replace(servers, engine=system.ours.engine, dmg=dmg)
        self._system = system
        self._names: dict[str, str] = {}

    def answers(self) -> list[dict[str, Any]]:
        """Let everything happen, and return what dmg answered on the way."""
        for number in range(1, HOSTS + 1):
            host = self._system.add_host(engines=ENGINES)
            host.start_unformatted()
            self._system.dmg("storage", "format", "-l", host.address)
            self._system.all_joined(ENGINES * number)
        found = []
        for line in HISTORY.read_text().splitlines():
            if line.startswith("! "):
                self._happens(*line.split()[1:])
            elif line and not line.startswith("# "):
                found.append(self._answer(line))
        return found

    def _answer(self, line: str) -> dict[str, Any]:
        question = line.removeprefix(OWN_WORDS)
        code, document = self._system.answer(*shlex.split(question), program=self._system.programs.dmg)
        if document["error"] is not None:
            document["error"] = without_advice(document["error"]) if question == line else "in its own words"
        return {"question": question, "code": code, **self._plain(document)}

    def _happens(self, *words: str) -> None:
        match words:
            case "joined" | "excluded" as state, ranks:
                self._until_ranks_are(ranks, state)
            case "rebuilt", pool:
                self._system.until(lambda: self._rebuild(pool) != "busy", lambda: f"{pool} to be rebuilt")
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
            case _:
                raise ValueError(f"what is {' '.join(words)!r} to mean?")

    def _until_ranks_are(self, ranks: str, state: str) -> None:
        first, _, last = ranks.partition("-")
        wanted = set(range(int(first), int(last or first) + 1))

        def there() -> bool:
            return wanted <= {member["rank"] for member in self._system.members() if member["state"] == state}

        self._system.until(there, lambda: f"{ranks} to be {state}; there are {self._system.members()}")

    def _rebuild(self, pool: str) -> str:
        return str(self._system.ask("pool", "query", pool)["response"]["rebuild"]["state"])

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

    def _plain(self, value: Any) -> Any:
        """Give UUIDs names, leave out what is compared elsewhere, and only note that there is what chance decides."""
        match value:
            case dict():
                return {
                    key: type(part).__name__ if key in BY_CHANCE else self._plain(part)
                    for key, part in value.items()
                    if key not in ELSEWHERE
                }
            case list():
                return sorted(map(self._plain, value), key=sort_key)
            case str():
                value = re.sub(
                    r"engine [0-9] exited", "engine N exited", value.replace(str(self._system.folder), "DIR")
                )
                return UUID.sub(lambda uuid: self._names.setdefault(uuid[0], f"uuid {len(self._names) + 1}"), value)
        return value


def index_of(uri: str) -> int:
    """Return the index of the engine at a URI: ports are 100 apart."""
    return int(uri.rpartition(":")[2]) % 1000 // 100


def sort_key(value: Any) -> tuple[Any, ...]:
    """Have a list in one order, whichever it came in: by what is known of its entries beforehand."""
    if isinstance(value, Mapping):
        return tuple(value.get(key, "") for key in ("rank", "Rank", "key", "label", "id", "pool_id"))
    return (value,)


def without_advice(error: str) -> str:
    """Leave out what a fault is called, as its number says what it is, and that Go knows no better of others."""
    return re.sub(r"(code = [0-9]+) .*", r"\1", error.replace("rpc error: code = Unknown desc = ", ""))
