"""Command lines given to the genuine programs and to ours: what shells are offered, and what is refused.

They ask a host that refuses connections, so no system is needed; ``DAOS_GENUINE`` names an installation of DAOS 2.8.
"""

import io
import json
import os
import random
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from daos_control.cli.daos_agent import PROGRAM as DAOS_AGENT
from daos_control.cli.daos_server import PROGRAM as DAOS_SERVER
from daos_control.cli.dmg import run
from daos_control.cli.dmg.commands import PROGRAM as DMG
from daos_control.cli.flags import Command, Option
from daos_control.cli.guidance.completion import ORIGINAL, candidates
from daos_control.cli.guidance.man_page import leaves

pytestmark = pytest.mark.system

PROGRAMS = {program.name: program for program in (DMG, DAOS_SERVER, DAOS_AGENT)}
TYPED = """
dmg ''
dmg p
dmg st
dmg sys ''
dmg sto scan -
dmg net scan --p
dmg pool ''
dmg pool rebuild ''
dmg pool create -
dmg pool create --p
dmg pool create -z
dmg pool create -z 1G --n
dmg pool create x -- ''
dmg pool create -P ''
dmg pool create -P rec
dmg pool create -P reclaim:
dmg pool create -P reclaim:l
dmg pool create -P reclaim:lazy,sc
dmg pool create -P reclaim:lazy -P recl
dmg pool create -Preclaim:l
dmg pool create -P=reclaim:l
dmg pool create --properties=recl
dmg pool create --properties=reclaim:l
dmg pool create a recl
dmg pool set-prop tank ''
dmg pool set-prop tank scrub:
dmg pool set-prop tank label:
dmg pool set-prop tank self_heal:e
dmg pool get-prop tank ''
dmg pool get-prop tank reclaim,s
dmg pool query tank ''
dmg pool extend tank -
dmg system query -v
dmg system query -vj
dmg system query -
dmg system query --with-states ''
dmg system query --with-states j
dmg system query --with-states=Joined,
dmg system query -- ''
dmg system set-prop ''
dmg system set-prop self_heal:
dmg system get-prop ''
dmg check set-policy ''
dmg check set-policy POOL_BAD_LABEL:T
dmg check set-policy POOL_BAD_LABEL:CIA_IGNORE,CO
dmg check get-policy ''
dmg check start -
dmg storage led identify -
dmg storage led identify --r
dmg config generate -
dmg -
dmg --json
dmg --json=
dmg -l ''
dmg -j ''
dmg bogus ''
daos_server ''
daos_server s
daos_server -
daos_server start -
daos_server network scan -
daos_server config generate -
daos_server scm ''
daos_server nvme prepare ''
daos_agent ''
daos_agent s
daos_agent -
daos_agent start -
daos_agent -j ''
""".strip().splitlines()


@pytest.fixture(scope="module")
def genuine() -> Path:
    prefix = os.environ.get("DAOS_GENUINE")
    if not prefix:
        pytest.skip("DAOS_GENUINE names no installation of DAOS 2.8")
    return Path(prefix) / "bin"


@pytest.mark.parametrize("line", TYPED)
def test_shells_are_offered_what_the_original_offers(line: str, genuine: Path) -> None:
    name, *words = [word.replace("''", "") for word in line.split()]
    environment = {**os.environ, ORIGINAL: "1"}
    asked = subprocess.run([genuine / name, *words], capture_output=True, text=True, check=True, env=environment)
    theirs = set(asked.stdout.splitlines())
    ours = {candidate.short for candidate in candidates(PROGRAMS[name], words)}
    assert theirs <= ours | WITHHELD
    if theirs:
        assert all(_is_ours(item) for item in ours - theirs), sorted(ours - theirs)


OWN = {"completion", "doctor", "engines", "events", "explain", "plan"}
WITHHELD = {"daos_system:", "daos_version:", "--access-points", "--ignore-config"}
"""What the original offers and then refuses, calls deprecated, or (without configuration) starts and falls over."""


def _is_ours(item: str) -> bool:
    """Whether DAOS 2.8 does not have it: our own commands, options, and values that are choices."""
    return item in OWN or item.startswith("--") or ";" in item


# -- what is taken and what is refused ---------------------------------------------------------------------------------

NOBODY = "127.0.0.1:1"
LINES = 400
"""So many of some thousands, other ones each time; a failure tells which."""
OWN_LEAVES = {"completion", "explain", "system engines", "system events", "pool plan", "faults add-checker-report"}
OTHERWISE = {
    "system self-heal eval": "the original asks for ever",
    "system get-prop": "with --json the original falls over if nobody answers",
    "check query": "with --json the original says that all is well if nobody answers",
    "check get-policy": "the same",
    "version": "the original does not mind arguments",
}
VALUES = ("1", "", "0", "-1", "-x", "4294967296", "0x10", "1_000", "+5", "1.5", "100%", '"1"', '"1', ",", "1M", "true")
ARGUMENTS = ("", "x", "-1", '"a"', "a:b", "a:", ":", "a,b", "a,", "-x", "x" * 128, "reclaim:lazy", "label:new", "rf:1")
GOOD = {
    "pool": "tank",
    "label": "tank",
    "container": "home",
    "machine": "client",
    "number": "0x1",
    "choice": "0",
    "host": NOBODY,
    "host_list": NOBODY,
    "ranks": "0-1",
    "size": "1G",
    "uuid": "5bd91603-d3c7-4fb7-9a71-76bc25690c19",
}


def lines() -> Iterator[list[str]]:
    """Yield command lines of dmg: each command in many forms, each option with many values."""
    for path in leaves((DMG,)):
        names = [command.name for command in path[1:]]
        if " ".join(names) not in OWN_LEAVES | OTHERWISE.keys():
            yield from _forms(names, path[-1])


def _forms(names: list[str], command: Command) -> Iterator[list[str]]:
    arguments = [_argument(names, positional.key) for positional in command.positionals if positional.required]
    required = [f"--{option.name}={_good(option)}" for option in command.options if option.required]
    base = [*names, *required, *arguments]
    yield from ([*base, *more] for more in ([], ["extra"], ["--"], ["--", "-x"], ["-"], ["---"], [""], ["-j"], ["-dj"]))
    yield from ([*base, *more] for more in (["--bogus"], ["-Q"], ["--json=false"], ["-j=1"], ["--log-file"], ["-h"]))
    yield from ([*before, *base] for before in (["-j"], ["-l", NOBODY], ["-l", NOBODY, "-j"], ["-i"], ["-l"]))
    yield from (names, ["-j", *names, "-h"], [*names, "--", *arguments])
    for option in command.options:
        if option.name not in {"dry-run", "explain", "yes"}:
            others = [given for given in required if not given.startswith(f"--{option.name}=")]
            yield from ([*names, *others, *arguments, *form] for form in _option_forms(option))
    for position, positional in enumerate(command.positionals):
        if positional.key != "ids":
            yield from ([*names, *required, *arguments[:position], value] for value in ARGUMENTS)


def _option_forms(option: Option) -> Iterator[list[str]]:
    long, short = f"--{option.name}", f"-{option.short}" if option.short else ""
    if option.parse is None:
        yield from ([long], [f"{long}=false"], [long, long])
        yield from ([short], [f"{short}j"], [f"{short}=1"], [short * 2]) if short else ()
        return
    good = _good(option)
    yield from ([long], [long, "--", good], [f"{long}={good}"] * 2, [f"{long}={good}", f"{long}="])
    for value in (good, *VALUES):
        yield from ([f"{long}={value}"], [long, value])
        yield from (
            ([short, value], [f"{short}={value}"], [f"{short}{value}"], [f"-j{short[1]}", value]) if short else ()
        )


def _argument(names: Sequence[str], key: str) -> str:
    if key == "settings":
        return {"pool": "reclaim:lazy", "system": "self_heal:none"}[names[0]] if names[-1] == "set-prop" else "a:b"
    return GOOD.get(key, "1")


def _good(option: Option) -> str:
    return option.choices[0] if option.choices else GOOD.get(option.key, "1")


def _verdict(line: Sequence[str], code: int, out: str) -> tuple[int, object]:
    """Return the exit code, and of a document whether it tells of an error."""
    asks_json = any(word == "--json" or (word[:1] == "-" != word[1:2] and "j" in word) for word in line)
    if not asks_json or not out.lstrip().startswith("{"):
        return code, None
    document = json.JSONDecoder().raw_decode(out.lstrip())[0]
    return code, (document.get("status"), document.get("error") is None)


def test_the_same_is_taken_and_refused(
    genuine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    config = tmp_path / "daos_control.yml"
    config.write_text(f"hostlist: ['{NOBODY}']\ntransport_config:\n  allow_insecure: true\n")
    known = {tuple(line) for line in lines() if not _differs_on_purpose(line)}
    differing = []
    for line in random.sample(sorted(known), LINES):
        words = ["-o", str(config), *line]
        theirs = subprocess.run(
            [genuine / "dmg", *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        ours = run(words)
        expected = _verdict(line, theirs.returncode, theirs.stdout)
        found = _verdict(line, ours, capsys.readouterr().out)
        if expected != found:
            differing.append(f"{shlex.join(line)}: {expected} {theirs.stderr.strip()[:200]!r}, but ours {found}")
    assert differing == []


def _differs_on_purpose(line: Sequence[str]) -> bool:
    """Whether ours refuses what the original takes and cannot mean.

    That are ranks beyond all numbers, say, and no hosts at all where hosts are named, as by ``-l "$FORGOTTEN"``: the
    original goes to all that are configured.
    """
    if any(one in {"-l", "-jl"} and not other for one, other in pairwise(line)):
        return True
    return any("ranks" in word and "4294967296" in word for word in line) or "4294967296" in line
