"""``dmg pool ...``: what is refused before anybody is asked, what people are asked, and what is shown beforehand.

What is printed when all went well is held to recordings of DAOS 2.8, in tests/compat.
"""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.cli import flags
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.dmg.session import Output, Session
from daos_control.cli.ui.documents import document
from daos_control.client.daos import DaosClient
from daos_control.client.errors import InvalidRequest
from daos_control.client.rehearsal import READS
from daos_control.net.rpc.methods import MGMT
from daos_control.testing.answers import Answers
from daos_control.wire.pb.ctl import storage_pb2, storage_scm_pb2
from daos_control.wire.pb.mgmt import acl_pb2, pool_pb2, system_pb2

UUID = "11111111-1111-4111-8111-111111111111"


class AtTerminal(Session):
    """A session with a person who types ``answer``."""

    answer = ""
    warning = ""

    @property
    def interactive(self) -> bool:
        return not self.json

    def typed(self, warning: str, word: str) -> bool:
        AtTerminal.warning = warning
        return self.answer == word


async def run(line: str, host: Answers, *, session: type[Session] = Session, json: bool = False) -> Output:
    parsed = flags.parse(PROGRAM, line.split())
    command = flags.load(parsed.command.run).__wrapped__  # the coroutine, without configuration and printing
    output: Output = await command(session(DaosClient(host, ["a"]), json=json), parsed.values)
    return output


def ready() -> Answers:
    """A system of two ranks with 8 GiB of memory each, and a pool with a container."""
    mounts = [storage_scm_pb2.ScmNamespace.Mount(rank=rank, usable_bytes=8 << 30) for rank in (0, 1)]
    namespaces = [storage_scm_pb2.ScmNamespace(blockdev=f"ram{mount.rank}", mount=mount) for mount in mounts]
    return Answers(
        SystemQuery=system_pb2.SystemQueryResp(
            members=[system_pb2.SystemMember(rank=rank, state="joined") for rank in (0, 1)]
        ),
        ListPools=pool_pb2.ListPoolsResp(pools=[pool_pb2.ListPoolsResp.Pool(uuid=UUID, label="tank", state="Ready")]),
        PoolQuery=pool_pb2.PoolQueryResp(
            uuid=UUID,
            total_targets=8,
            total_engines=2,
            enabled_ranks="[0-1]",
            tier_stats=[pool_pb2.StorageUsageStats(total=4 << 30, free=1 << 30)],
        ),
        PoolGetProp=pool_pb2.PoolGetPropResp(properties=[pool_pb2.PoolProperty(number=11, numval=3)]),
        PoolGetACL=acl_pb2.ACLResp(acl=acl_pb2.AccessControlList(entries=["A::OWNER@:rw"])),
        ListContainers=pool_pb2.ListContResp(containers=[pool_pb2.ListContResp.Cont(uuid=UUID)]),
        StorageScan=storage_pb2.StorageScanResp(scm=storage_scm_pb2.ScanScmResp(namespaces=namespaces)),
        PoolDestroy=pool_pb2.PoolDestroyResp(),
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("pool create t", "unsupported option combination"),
        ("pool create t -z 1G -s 1G", "unsupported option combination"),
        ("pool create t -z 50% --meta-size 1G", "unsupported option combination"),
        ("pool create t -s 1G --data-size 1G", "unsupported option combination"),
        ("pool create t -z 50% -k 2", "--size=% may not be mixed with --nranks"),
        ("pool create t -z 50% -t 6", "--size=% may not be mixed with --tier-ratio"),
        ("pool create t -z 1G -k 2 -r 0", "--ranks may not be mixed with --nranks"),
        ("pool create t -s 1G -k 2", "may not be mixed with --nranks"),
        ("pool create t -s 1G -t 6", "may not be mixed with --tier-ratio"),
        ("pool create t -s 1G --mem-ratio 50", "may not be mixed with --mem-ratio"),
        ("pool create t --meta-size 1G --data-size 2G -k 2", "may not be mixed with --nranks"),
        ("pool create t -n 1G", "--nvme-size cannot be set without --scm-size"),
        ("pool create t -s 0", "0 byte first tier"),
        ("pool create t --data-size 1G", "0 byte first tier"),
        ("pool create t -z 1G -t 0,100", "0.0 first tier ratio"),
        ("pool create t -z 1G -P label:x", "can't set label property with label argument"),
        ("pool create t -z 1G -P rd_fac:1 -P rd_fac:2", "same key was specified more than once"),
        ("pool create t -z 1G -P rd_fac:9", "valid values: 0-4"),
        ("pool create t -z 1G -P svc_list:0", "pool service itself chooses"),
        (f"pool create {UUID} -z 1G", "invalid label"),
        ("pool create a/b -z 1G", 'invalid label "a/b": use 1 to 127 letters, digits and any of ._:-'),
        ("pool create t -z 1G -a /nonexistent", "cannot read the ACL file /nonexistent: No such file or directory$"),
        ("pool destroy a/b", "neither a label nor a UUID"),
        ("pool set-prop tank perf_domain:root", "can only be set when a pool is created"),
        ("pool set-prop tank nonsense:1", "is not a pool property"),
        ("pool get-prop tank nonsense", "is not a pool property"),
        ("pool update-acl tank", "either --acl-file or --entry"),
        ("pool create t -z 1G -u @ann", 'has to be a name, one "@"'),
        ("pool delete-acl --principal= tank", "name the principal whose entry is to go"),
        ("cont set-owner tank c", "--user"),
        ("cont set-owner tank c --user=@bob", 'has to be a name, one "@"'),
        ("cont set-owner tank c --group=b@o@b", 'has to be a name, one "@"'),
        ("cont set-owner tank c@ --user=bob", "neither a label nor a UUID of a container"),
        ("pool plan -k 2", "give a size"),
        ("pool plan -z 1G -s 1G", "unsupported option combination"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(line: str, complaint: str) -> None:
    host = Answers()
    with pytest.raises(InvalidRequest, match=complaint):
        await run(line, host)
    assert not host.asked


CHANGING = {
    "create": "create new --size=1GiB",
    "destroy": "destroy tank --recursive",
    "evict": "evict tank",
    "extend": "extend tank --ranks=1",
    "exclude": "exclude tank --ranks=0-1 --force",
    "drain": "drain tank --ranks=1",
    "reintegrate": "reintegrate tank --ranks=1",
    "overwrite-acl": "overwrite-acl tank --acl-file=FILE",
    "update-acl": "update-acl tank --entry=A::ann@:r",
    "delete-acl": "delete-acl tank --principal=OWNER@",
    "set-prop": "set-prop tank reclaim:time",
    "upgrade": "upgrade tank",
    "rebuild start": "rebuild start tank",
    "rebuild stop": "rebuild stop tank",
}
LOOKING = {"list", "query", "query-targets", "get-acl", "get-prop", "plan"}


def test_every_verb_that_changes_something_can_be_rehearsed() -> None:
    pool = next(command for command in PROGRAM.commands if command.name == "pool")
    leaves = {inner.name: inner for inner in pool.commands if inner.run}
    leaves |= {f"{group.name} {leaf.name}": leaf for group in pool.commands for leaf in group.commands}
    assert set(leaves) == set(CHANGING) | LOOKING
    for name, leaf in leaves.items():
        assert any(option.name == "dry-run" for option in leaf.options) == (name in CHANGING)


@pytest.mark.parametrize(
    "line", [*(f"pool {line}" for line in CHANGING.values()), f"cont set-owner tank {UUID} -u bob"]
)
async def test_a_rehearsal_shows_the_request_and_sends_nothing(line: str, tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("# mine\nA::OWNER@:r\n")
    host = ready()
    output = await run(f"{line} --dry-run".replace("FILE", str(acl)), host)
    assert output.text.startswith("Nothing was changed.\n\n")
    assert " would be sent:\n  " in output.text
    assert "What would come of it:\n  " in output.text
    shown = document(output.document)
    assert shown["dry_run"] is True
    assert all(step["request"] and step["changes"] for step in shown["requests"])
    allowed = READS | {"SystemQuery", "ListPools", "PoolQuery", "PoolGetProp", "PoolGetACL", "ListCont"}
    assert {type(request).__name__.removesuffix("Req") for request in host.sent} <= allowed | {"GetACL"}


async def test_a_rehearsal_that_foresees_a_failure_fails() -> None:
    output = await run("pool destroy tank --dry-run", ready())
    assert "Why it would fail:\n  it has containers" in output.text
    assert isinstance(output.problem, InvalidRequest)


@pytest.mark.parametrize("line", ["pool destroy tank -r", "pool destroy tank"])
async def test_destroying_at_a_terminal_takes_the_name_of_the_pool(line: str) -> None:
    host = ready()
    AtTerminal.answer = "yes"
    with pytest.raises(InvalidRequest, match="consent not given"):
        await run(line, host, session=AtTerminal)
    assert not host.requests("PoolDestroy")
    assert AtTerminal.warning == (
        f"This destroys pool tank ({UUID}), which is Ready:\n"
        "  SCM: 4.3 GB, of which 3.2 GB are used\n"
        "  on ranks 0-1\n"
        f"  1 container: {UUID}"
    )
    AtTerminal.answer = "tank"
    await run(line, host, session=AtTerminal)
    assert len(host.requests("PoolDestroy")) == 1


@pytest.mark.parametrize(
    ("line", "session", "json"),
    [
        ("pool destroy tank", Session, False),
        ("pool destroy tank --force", AtTerminal, False),
        ("pool destroy tank --yes", AtTerminal, False),
        ("pool destroy tank", AtTerminal, True),
    ],
    ids=["no terminal", "forced", "consent by option", "document"],
)
async def test_scripts_are_asked_nothing_and_send_what_they_always_sent(
    line: str, session: type[Session], json: bool
) -> None:
    host = ready()
    AtTerminal.answer = "not asked"
    await run(line, host, session=session, json=json)
    assert [type(request) for request in host.sent] == [pool_pb2.PoolDestroyReq]
    assert host.sent[0].force == ("--force" in line)


ASKS = (
    "from daos_control.cli.dmg.session import Session; print(Session(None, json={}).interactive, file=open({!r}, 'w'))"
)


@pytest.mark.parametrize(
    ("json", "terminal", "asks"), [(False, True, "True"), (True, True, "False"), (False, False, "False")]
)
def test_a_person_is_there_only_at_a_terminal(tmp_path: Path, json: bool, terminal: bool, asks: str) -> None:
    told = tmp_path / "told"
    ours, theirs = pty.openpty()
    try:
        ends = {"stdin": theirs, "stderr": theirs} if terminal else {"stdin": subprocess.DEVNULL, "stderr": theirs}
        subprocess.run([sys.executable, "-c", ASKS.format(json, str(told))], check=True, **ends)  # type: ignore[call-overload]
    finally:
        os.close(ours)
        os.close(theirs)
    assert told.read_text().strip() == asks


async def test_a_plan_says_what_each_rank_gives_and_what_limits_it() -> None:
    output = await run("pool plan --size=6GiB", ready())
    assert output.problem is None
    assert output.text == (
        "Rank Host SCM Wanted SCM Usable Fits \n"
        "---- ---- ---------- ---------- ---- \n"
        "0    a    3.2 GB     8.6 GB     yes  \n"
        "1    a    3.2 GB     8.6 GB     yes  \n"
        "Pool: 6.4 GB on 2 ranks\n"
        "Largest pool of this shape that fits: 17 GB, 8.6 GB on each of 2 ranks\n"
        "  SCM: ranks 0-1 have least, 8.6 GB\n"
    )


async def test_a_plan_that_does_not_fit_fails_and_is_shown_all_the_same() -> None:
    output = await run("pool plan --size=60GiB", ready())
    assert str(output.problem) == (
        "such a pool cannot be made: SCM: 32 GB are wanted on each rank, and ranks 0-1 have no more than 8.6 GB"
    )
    shown = document(output.document)
    assert (shown["fits"], shown["total_bytes"], shown["targets_per_rank"]) == (False, 60 << 30, 4)
    assert shown["largest"]["tier_bytes"] == [8 << 30, 0]
    assert shown["largest"]["limits"] == [{"tier": 0, "ranks": [0, 1], "usable": 8 << 30, "decisive": True}]


async def test_a_plan_without_a_size_tells_the_largest_pool() -> None:
    output = await run("pool plan", ready())
    assert "Wanted" not in output.text
    assert "Largest pool that fits: 17 GB, 8.6 GB on each of 2 ranks" in output.text


async def test_the_owner_of_a_container_gets_its_at_sign() -> None:
    host = Answers(ContSetOwner=MGMT["ContSetOwner"].reply())
    await run(f"cont set-owner tank {UUID} --user=bob --group=lab@site", host)
    assert (host.sent[0].owner_user, host.sent[0].owner_group) == ("bob@", "lab@site")


@pytest.mark.parametrize("line", ["pool list", "pool list --verbose"])
async def test_pools_that_do_not_answer_are_no_reason_to_say_that_there_are_none(line: str) -> None:
    host = ready()
    host.answers["PoolQuery"] = DaosError(Der.NO_PERM)
    found = await run(line, host)
    assert (found.text, found.view) == ("", "")
    assert "'tank'" in found.error_text
    assert [step.command for step in found.next] == ["dmg system query"]
    host.answers["ListPools"] = pool_pb2.ListPoolsResp()
    assert (await run(line, host)).text == "No pools in system\n"


@pytest.mark.parametrize("line", ["pool list --rebuild-only", "pool list --rebuild-only --verbose"])
async def test_that_no_pool_is_rebuilding_does_not_read_as_if_there_were_none(line: str) -> None:
    found = await run(line, ready())
    assert (found.text, found.view) == ("No pools in system\n", "None of 1 pool is rebuilding\n")


async def test_after_ranks_were_refused_one_is_sent_to_look_which_there_are() -> None:
    found = await run("pool drain tank --ranks=99", Answers(PoolDrain=DaosError(Der.NONEXIST)))
    assert found.problem
    assert "dmg system query" in [step.command for step in found.next]


async def test_targets_of_a_rank_may_be_given_as_a_range() -> None:
    host = Answers(PoolQueryTarget=pool_pb2.PoolQueryTargetResp())
    await run("pool query-targets tank --rank=1 --target-idx=0-2,5", host)
    assert list(host.sent[0].targets) == [0, 1, 2, 5]
