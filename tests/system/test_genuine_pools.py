"""Plans, rehearsals and access control lists of our dmg in front of genuine engines: what is said comes true.

Once with our servers and once with genuine ones.
"""

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]


@pytest.fixture(params=["ours", "genuine"])
def served(request, mixed):
    """A system of two ranks on genuine engines; its servers are ours, or genuine."""
    if request.param == "genuine":
        mixed.programs = mixed.genuine
    mixed.bring_up(engines=2)
    return mixed


ENTRIES = [
    ("A::carol@:rw", 0),
    ("A:G:research@:wr", 0),
    ("AU:S:carol@:r", 0),
    ("A::carol@:o", 0),
    ("A::carol@:x", -1003),
    ("A::GROUP@:rw", -1003),
    ("A:G:OWNER@:rw", -1003),
    ("U::carol@:r", -1003),
    ("A:S:carol@:r", -1003),
    ("A::carol:r", -1003),
    ("A::carol@", -1003),
]


@pytest.mark.parametrize("mixed", ["insecure"], indirect=True)
def test_what_is_said_beforehand_comes_true(served):
    dmg = served.ours.dmg
    planned = served.ask("pool", "plan", "--size=1G", program=dmg)["response"]
    rehearsed = served.ask("pool", "create", "--size=1G", "--dry-run", "tank", program=dmg)["response"]
    assert served.ask("pool", "list", program=dmg)["response"]["pools"] is None
    created = served.ask("pool", "create", "--size=1G", "tank", program=dmg)["response"]
    assert planned["fits"]
    assert [share["rank"] for share in planned["ranks"]] == created["tgt_ranks"]
    # The engines round up to what their allocator can divide.
    assert created["tier_bytes"] == pytest.approx(planned["tier_bytes"], rel=0.05)
    assert rehearsed["requests"][0]["problems"] == []

    destroyed = served.ask("pool", "destroy", "tank", "--dry-run", program=dmg)["response"]["requests"][0]
    assert created["uuid"] in destroyed["changes"][0]
    assert destroyed["problems"] == []
    code, again = served.answer("pool", "create", "--size=1G", "--dry-run", "tank", program=dmg)
    assert (code, again["response"]["requests"][0]["problems"]) == (1, ['there is a pool called "tank" already'])
    assert served.answer("pool", "plan", "--size=1T", program=dmg)[0] == 1

    for entry, status in ENTRIES:
        foreseen = served.answer("pool", "update-acl", "tank", f"--entry={entry}", "--dry-run", program=dmg)
        answered = served.answer("pool", "update-acl", "tank", f"--entry={entry}", program=dmg)
        theirs = served.answer("pool", "update-acl", "tank", f"--entry={entry}", program=served.genuine.dmg)
        assert foreseen[0] == answered[0] == (1 if status else 0), entry
        assert answered[1]["status"] == theirs[1]["status"] == status, entry
        assert answered[1]["response"] == theirs[1]["response"], entry
        if status:
            assert "carol" in answered[1]["error"] or "@" in answered[1]["error"], "it says which entry is wrong"

    served.dmg("pool", "destroy", "tank", program=dmg)
    assert served.ask("pool", "list", program=dmg)["response"]["pools"] is None
