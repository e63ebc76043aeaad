"""Command lines given to the genuine programs and to ours: what shells are offered, and what is refused.

They ask a host that refuses connections, so no system is needed; ``DAOS_GENUINE`` names an installation of DAOS 2.8.
"""

import os
import subprocess
from pathlib import Path

import pytest

from daos_control.cli.completion import ORIGINAL, candidates
from daos_control.cli.daos_agent import PROGRAM as DAOS_AGENT
from daos_control.cli.daos_server import PROGRAM as DAOS_SERVER
from daos_control.cli.dmg.commands import PROGRAM as DMG

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
OWN |= {"--control-address", "--dry-run", "--explain", "--timeout"}
WITHHELD = {"daos_system:", "daos_version:", "--access-points", "--ignore-config"}
"""What the original offers and then refuses, calls deprecated, or (without configuration) starts and falls over."""


def _is_ours(item: str) -> bool:
    """Whether DAOS 2.8 does not have it: our own commands, options, and values that are choices."""
    return item in OWN or ";" in item
