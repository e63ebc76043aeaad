"""How dmg shows checks, and what it takes on the command line."""

import pytest

from daos_control.cli import flags
from daos_control.cli.dmg.check import documents, report, values, wording
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.client.checker import CheckState, PoolCheck
from daos_control.model.checker import (
    Action,
    CheckFlag,
    CheckPhase,
    CheckStatus,
    Finding,
    Inconsistency,
    PoolCheckStatus,
)

POOL = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
WAITING = Finding(
    seq=0x10,
    kind=Inconsistency.POOL_NONEXIST_ON_MS,
    action=Action.INTERACT,
    pool_uuid=POOL,
    pool_label="tank",
    msg="a pool nobody knows",
    choices=(Action.READD, Action.DISCARD),
    details=("", ""),
    words=("take it in", "destroy it"),
)
SETTLED = Finding(
    seq=0x11,
    kind=Inconsistency.CONT_BAD_LABEL,
    action=Action.TRUST_PS,
    result=-1012,
    pool_uuid=OTHER,
    cont_uuid="c0",
    cont_label="things",
    msg="two labels",
    words=("rename it",),
)


def a_pool(uuid: str, status: PoolCheckStatus, **times: int) -> PoolCheck:
    given = {"start_time": 0, "misc_time": 0, **times}
    return PoolCheck(uuid=uuid, status=status, phase=CheckPhase.DONE, ranks=(0, 1), **given)


def a_state(
    *findings: Finding, status: CheckStatus = CheckStatus.COMPLETED, pools: tuple[PoolCheck, ...] = ()
) -> CheckState:
    return CheckState(
        status=status,
        phase=CheckPhase.DONE,
        leader=0,
        start_time=0,
        pools={pool.uuid: pool for pool in pools},
        findings=findings,
    )


def test_findings_are_shown_with_what_can_be_done() -> None:
    text = report.state_text(a_state(WAITING, SETTLED), verbose=False)
    assert text == (
        "DAOS System Checker Info\n"
        "  Current status: COMPLETED\n"
        "  Current phase: DONE (there is nothing left to check)\n"
        "\n"
        "Inconsistency Reports:\n"
        "- Resolved:\n"
        "ID   Class          Pool                                 Cont   Resolution          \n"
        "--   -----          ----                                 ----   ----------          \n"
        f"0x11 CONT_BAD_LABEL {OTHER} things TRUST_PS: rename it \n"
        "\n"
        "- Action Required:\n"
        "ID   Class               Pool Repair Options \n"
        "--   -----               ---- -------------- \n"
        "0x10 POOL_NONEXIST_ON_MS tank 0: take it in  \n"
        "                              1: destroy it  \n"
        "\n"
    )


def test_all_of_a_finding() -> None:
    text = report.state_text(a_state(WAITING, SETTLED), verbose=True)
    assert (
        "  ID:         0x10\n"
        "  Class:      POOL_NONEXIST_ON_MS\n"
        "  Message:    a pool nobody knows\n"
        f"  Pool:       tank ({POOL})\n"
        "  Potential resolution actions:\n"
        "    0: take it in\n"
        "    1: destroy it\n"
    ) in text
    assert "  Container:  things (c0)\n  Resolution: TRUST_PS: rename it\n  Failed:     DER_BUSY(-1012)" in text


def test_pools_that_are_gone_count_and_unchecked_ones_are_named() -> None:
    gone = Finding(seq=1, kind=Inconsistency.POOL_NONEXIST_ON_ENGINE, action=Action.DISCARD, pool_uuid=OTHER, result=1)
    pools = (a_pool(POOL, PoolCheckStatus.UNCHECKED), a_pool("p", PoolCheckStatus.CHECKED, start_time=5, misc_time=9))
    text = report.state_text(a_state(gone, pools=pools), verbose=False)
    assert "  Checked 2 pools\n\nUnchecked Pools:\n" in text
    assert f"  Pool {POOL}: 2 ranks, status: CPS_UNCHECKED, phase: CSP_DONE\n" in text
    assert "DISCARD (dry run)" in text
    text = report.state_text(a_state(pools=pools), verbose=True)
    assert "Per-Pool Checker Info:" in text
    assert "elapsed: 4s" in text
    running = a_state(status=CheckStatus.RUNNING, pools=(a_pool("p", PoolCheckStatus.CHECKING, misc_time=7),))
    text = report.state_text(running, verbose=True)
    assert "RUNNING (started at: 1970-01-01T" in text
    assert "  Checking 1 pool\n" in text
    assert "remaining: 7s" in text
    assert "No reports to display." in text


def test_what_newer_engines_say_is_shown_as_numbers() -> None:
    state = a_state(Finding(seq=1, kind=Inconsistency(42), action=Action(43)), status=CheckStatus(44))
    text = report.state_text(state, verbose=False)
    assert "Current status: 44" in text
    assert "0x1 42    " in text
    document = documents.state_document(state)
    assert document["reports"] == [{"rank": 0, "seq": 1, "class": 42, "action": 43}]


def test_flags_have_the_names_of_documents() -> None:
    assert wording.flags_text(CheckFlag.NONE) == "none"
    every = CheckFlag(0x7F)
    assert wording.flags_text(every) == "dry-run,reset,failout,auto,find-pool-orphans,reset-failout,reset-auto"


def test_policies_and_classes_are_read_in_either_case_and_with_their_prefixes() -> None:
    assert values.policies("POOL_BAD_LABEL:INTERACT, cic_dtx_orphan:CIA_IGNORE") == {
        Inconsistency.POOL_BAD_LABEL: Action.INTERACT,
        Inconsistency.DTX_ORPHAN: Action.IGNORE,
    }
    assert values.kinds("POOL_MORE_SVC,POOL_BAD_LABEL") == (Inconsistency.POOL_BAD_LABEL, Inconsistency.POOL_MORE_SVC)


@pytest.mark.parametrize("text", ["", "POOL_BAD_LABEL", "NOSUCH:IGNORE", "POOL_BAD_LABEL:NOSUCH", "A:B,A:C"])
def test_bad_policies(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|class|action"):
        values.policies(text)


def test_bad_classes() -> None:
    with pytest.raises(ValueError, match="class of inconsistency"):
        values.kinds("NOSUCH")


@pytest.mark.parametrize(("text", "found"), [("17", 17), ("0x11", 17), ("0xffffffffffffffff", (1 << 64) - 1), ("0", 0)])
def test_numbers_of_findings(text: str, found: int) -> None:
    assert values.number(text) == found


@pytest.mark.parametrize("text", ["", "abc", "-1", "0x", "0x1ffffffffffffffff", "1_0", "1.5"])
def test_bad_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="not the number of a finding"):
        values.number(text)


@pytest.mark.parametrize(
    "line",
    [
        "check",
        "check start -f maybe",
        "check start -p POOL_BAD_LABEL",
        "check repair",
        "check repair 5",
        "check repair 5 x",
        "check enable now",
    ],
)
def test_command_lines_that_make_no_sense(line: str) -> None:
    with pytest.raises(flags.UsageError):
        flags.parse(PROGRAM, line.split())


def test_a_full_command_line() -> None:
    line = "check start -nr -f on --auto=off -O -p POOL_MORE_SVC:IGNORE a b"
    values = flags.parse(PROGRAM, line.split()).values
    assert (values.dry_run, values.reset, values.failout, values.auto, values.find_orphans) == (
        True, True, "on", "off", True,
    )  # fmt: skip
    assert values.pools == ("a", "b")
    assert values.policies == {Inconsistency.POOL_MORE_SVC: Action.IGNORE}
