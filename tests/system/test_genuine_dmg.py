"""The genuine dmg and ours, side by side: to the same question both print the same document, whoever answers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

QUESTIONS = """
system query
system query --verbose
system query --ranks=1
system query --ranks=0-4
system query --not-ok
system query --with-states=joined
system leader-query
system list-pools
system get-prop
storage scan
storage scan --verbose
storage query usage
storage query list-pools
storage format
network scan
network scan --provider=ofi+tcp
pool list
pool list --verbose
pool list --no-query
pool query tank
pool query --show-enabled tank
pool query --health-only tank
pool query-targets --rank=0 tank
pool query absent
pool get-prop tank
pool get-acl tank
pool create --size=1G tank
pool create --size=1G --ranks=7 lost
pool create --size=1G b@d
pool destroy absent
system start
system start --ranks=9
""".strip().splitlines()
OWN_WORDS = {"storage format", "pool create --size=1G b@d"}
"""Errors that each program says in words of its own."""
UNSTEADY = {"mem_info"}


@pytest.fixture(params=["ours", "genuine"])
def served(request, mixed):
    """A system of two ranks with a pool, and genuine engines; its servers are ours, or genuine."""
    if request.param == "genuine":
        mixed.programs = mixed.genuine
    mixed.bring_up(engines=2)
    mixed.dmg("pool", "create", "--size=2G", "tank", program=mixed.genuine.dmg)
    return mixed


@pytest.mark.parametrize("mixed", ["insecure"], indirect=True)
def test_both_print_the_same_document(served):
    different = []
    for question in QUESTIONS:
        different += differences(*asked_both(served, question), question)
    assert not different, "\n".join(different)


@pytest.mark.parametrize("mixed", ["certificates"], indirect=True)
def test_what_one_does_the_other_sees_done(served):
    for program, other in ((served.ours.dmg, served.genuine.dmg), (served.genuine.dmg, served.ours.dmg)):
        created = served.ask("pool", "create", "--size=1G", "more", program=program)["response"]
        seen = served.ask("pool", "query", "more", program=other)["response"]
        assert (seen["uuid"], sorted(seen["svc_reps"])) == (created["uuid"], sorted(created["svc_reps"]))
        served.dmg("pool", "destroy", "more", program=other)
        stopped = served.ask("system", "stop", program=program)["response"]["Results"]
        assert [(one["Rank"], one["state"], one["Errored"]) for one in stopped] == [
            (0, "stopped", False),
            (1, "stopped", False),
        ]
        assert {member["state"] for member in served.members()} == {"stopped"}
        started = served.ask("system", "start", program=other)["response"]["Results"]
        assert [(one["Rank"], one["Errored"]) for one in started] == [(0, False), (1, False)]
        served.all_joined(2)


def asked_both(system, question: str) -> tuple[Any, Any]:
    """Return what both say about one state of the system: a pool service's leader may change any time."""
    while True:
        before, ours, after = (
            asked(system, kind.dmg, question) for kind in (system.genuine, system.ours, system.genuine)
        )
        if before == after:
            return before, ours


def asked(system, program, question: str) -> tuple[int, Any]:
    """Return dmg's exit code and its document, without what differs from one moment or map iteration to the next."""
    code, document = system.answer(*question.split(), program=program)
    if question in OWN_WORDS:
        document["error"] = document["error"] is not None
    if question == "system get-prop":
        document["response"].sort(key=lambda one: one["key"])
    if question.startswith("pool query-targets"):
        for target in document["response"]["Infos"]:
            del target["mem_file_bytes"]  # the genuine dmg leaves it 0, whatever the engine says
    if question.startswith("system query"):
        (document["response"]["members"] or []).sort(key=lambda one: one["rank"])
    return code, timeless(document)


def differences(theirs: Any, ours: Any, where: str) -> Iterator[str]:
    """Say in which places two documents differ."""
    match theirs, ours:
        case dict(), dict():
            for key in theirs.keys() | ours.keys():
                yield from differences(theirs.get(key, "no such key"), ours.get(key, "no such key"), f"{where} .{key}")
        case (list(), list()) | (tuple(), tuple()) if len(theirs) == len(ours):
            for number, (one, other) in enumerate(zip(theirs, ours, strict=True)):
                yield from differences(one, other, f"{where} [{number}]")
        case _ if theirs != ours:
            yield f"{where}: {theirs!r} from the genuine one, {ours!r} from ours"


def timeless(value: Any) -> Any:
    """Leave out free memory, and digits of times that Python's clock does not have."""
    match value:
        case dict():
            return {key: timeless(part) for key, part in value.items() if key not in UNSTEADY}
        case list():
            return [timeless(part) for part in value]
        case str():
            return re.sub(r"(T[0-9:]{8}\.[0-9]{6})[0-9]*", lambda time: time[1].rstrip("0"), value)
    return value
