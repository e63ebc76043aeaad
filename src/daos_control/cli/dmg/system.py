"""``dmg system ...``: what is done to the system as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from daos_control.base.rankset import RankSet
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.tables import counted, table
from daos_control.client.errors import InvalidRequest, PartlyFailed
from daos_control.client.system import Absent, Member, PoolRanksResult, RankResults, RebuildResult, SystemState
from daos_control.model.rank_result import RankResult
from daos_control.model.system_property import SELF_HEAL_FLAGS, PropertyError, settable

PROPERTIES: Final = {
    "daos_version": "DAOS version",
    "daos_system": "DAOS system name",
    "pool_scrub_mode": "Checksum scrubbing mode",
    "pool_scrub_thresh": "Checksum scrubbing threshold",
    "self_heal": "Self-heal policy for the system",
}


@command("system query failed")
async def query(session: Session, args: Values) -> Output:
    """Show the members of the system and their states."""
    if args.not_ok and args.with_states:
        raise InvalidRequest("--not-ok and --with-states options cannot be set together")
    state = await session.daos.system.query(**selection(args), states=args.with_states, not_ok=args.not_ok)
    return Output(
        document=system_document(state),
        text=system_text(state, verbose=args.verbose),
        error_text=absent_text(state, ranks=args.verbose or not state.members),
        problem=problem_of(state),
    )


def system_document(state: SystemState) -> dict[str, Any]:
    """Give the members the keys that DAOS gives them."""
    return {
        "members": [member_document(member) for member in state.members] or None,
        "providers": document(state.providers),
        "sys_self_heal_policy": state.self_heal_policy,
    }


def member_document(member: Member) -> dict[str, Any]:
    """Give one member the keys that DAOS gives it."""
    return {
        "addr": member.addr,
        "state": member.state.value,
        "fault_domain": member.fault_domain,
        "rank": member.rank,
        "incarnation": member.incarnation,
        "uuid": member.uuid,
        "fabric_uri": member.fabric_uri,
        "secondary_fabric_uris": document(member.secondary_fabric_uris),
        "fabric_contexts": member.fabric_contexts,
        "secondary_fabric_contexts": None,  # no reply carries them
        "info": member.info,
        "last_update": document(member.last_update),
    }


def system_text(state: SystemState, *, verbose: bool) -> str:
    """Lay out the members: by state, or each on a line."""
    if not state.members:
        text = "Query matches no ranks in system\n"
    elif verbose:
        rows = [(m.rank, m.uuid, m.addr, m.fault_domain, m.state.words, m.info) for m in state.members]
        text = table(["Rank", "UUID", "Control Address", "Fault Domain", "State", "Reason"], rows) + "\n"
    else:
        by_state: dict[tuple[str, ...], list[int]] = {}
        for member in state.members:
            by_state.setdefault((member.state.words,), []).append(member.rank)
        if state.absent_ranks:
            by_state["Unknown Rank",] = list(state.absent_ranks)
        text = rank_table(["Rank", "State"], by_state)
    disabled = [flag for flag in SELF_HEAL_FLAGS if flag not in state.self_heal_policy.split(";")]
    if disabled:
        text += (
            f"System property self_heal {'flags' if len(disabled) > 1 else 'flag'} disabled: {', '.join(disabled)}\n"
        )
    return text


def rank_table(titles: Sequence[str], groups: Mapping[tuple[str, ...], Iterable[int]]) -> str:
    """Lay out groups of ranks that have something in common: the largest first, then by name."""
    found = [(RankSet(ranks), facts) for facts, ranks in groups.items()]
    found.sort(key=lambda group: (-len(group[0]), group[1]))
    return table(titles, [(ranks.ranged(), *facts) for ranks, facts in found]) + "\n"


def absent_text(found: Absent, *, ranks: bool) -> str:
    """Name hosts, and ranks if they are not in a table, that do not exist."""
    lines = []
    if found.absent_hosts:
        lines.append(f"Unknown {counted(len(found.absent_hosts), 'host')}: {found.absent_hosts}")
    if found.absent_ranks and ranks:
        lines.append(f"Unknown {counted(len(found.absent_ranks), 'rank')}: {found.absent_ranks}")
    return "\n".join(lines)


def problem_of(found: Absent) -> PartlyFailed | None:
    """Return what did not go well, if anything."""
    try:
        found.check()
    except PartlyFailed as problem:
        return problem
    return None


def selection(args: Values) -> dict[str, Any]:
    """Return which ranks are meant, and refuse two ways of saying it."""
    if args.ranks and args.rank_hosts:
        raise InvalidRequest("--ranks and --rank-hosts options cannot be set together")
    return {"ranks": args.ranks, "hosts": args.rank_hosts}


@command("leader query failed")
async def leader_query(session: Session, args: Values) -> Output:
    """Show the leader and the replicas of the management service."""
    leader = await session.daos.system.leader()
    down = f"Unresponsive Replicas: {', '.join(leader.down_replicas)}\n"
    if not args.down_replicas:
        down = f"Current Leader: {leader.current_leader}\n   Replica Set: {', '.join(leader.replicas)}\n  {down}"
    return Output(document=document(leader), text=down)


@command("system stop failed")
async def stop(session: Session, args: Values) -> Output:
    """Stop engines."""
    for other in ("force", "rank_hosts", "ranks"):
        if args.full and getattr(args, other):
            raise InvalidRequest(f"--full may not be mixed with --{other.replace('_', '-')}")
    results = await session.daos.system.stop(
        **selection(args), force=not args.full, ignore_admin_excluded=args.ignore_admin_excluded
    )
    return results_output(results)


@command("system start failed")
async def start(session: Session, args: Values) -> Output:
    """Start engines."""
    results = await session.daos.system.start(**selection(args), ignore_admin_excluded=args.ignore_admin_excluded)
    return results_output(results)


def results_output(results: RankResults) -> Output:
    """Say how it went on each rank."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for result in results.results:
        outcome = result.message if result.errored else "OK"
        groups.setdefault((result.action, outcome), []).append(result.rank)
    if groups and results.absent_ranks:
        groups["----", "Unknown Rank"] = list(results.absent_ranks)
    return Output(
        document=results_document(results),
        text=rank_table(["Rank", "Operation", "Result"], groups) if groups else "No results returned\n",
        error_text=absent_text(results, ranks=not groups),
        problem=problem_of(results),
    )


def results_document(results: RankResults) -> dict[str, Any]:
    """Give results the keys that DAOS gives them."""
    return {"Results": [rank_result_document(result) for result in results.results] or None}


def rank_result_document(result: RankResult) -> dict[str, Any]:
    """Give one result the keys that DAOS gives it."""
    return {
        "state": result.state.value,
        "Addr": result.addr,
        "Rank": result.rank,
        "Action": result.action,
        "Errored": result.errored,
        "Msg": result.message,
    }


@command()
async def exclude(session: Session, args: Values) -> Output:
    """Keep ranks out of the system."""
    return excluded_output(await session.daos.system.exclude(**some_ranks(args)))


@command()
async def clear_exclude(session: Session, args: Values) -> Output:
    """Let excluded ranks join again."""
    return excluded_output(await session.daos.system.clear_exclude(**some_ranks(args)))


def some_ranks(args: Values) -> dict[str, Any]:
    """Return which ranks are meant; none is not an answer."""
    if not args.ranks and not args.rank_hosts:
        raise InvalidRequest("no ranks or hosts specified")
    return selection(args)


def excluded_output(results: RankResults) -> Output:
    """Name the ranks whose state was changed."""
    ranks = RankSet(result.rank for result in results.results)
    return Output(document=results_document(results), text=f"updated ranks: {ranks}\n", problem=problem_of(results))


@command("system drain failed")
async def drain(session: Session, args: Values) -> Output:
    """Move the data of all pools away from ranks."""
    return drained_output(await session.daos.system.drain(**some_ranks(args)))


@command("system reintegrate failed")
async def reintegrate(session: Session, args: Values) -> Output:
    """Take ranks back into all pools."""
    return drained_output(await session.daos.system.reintegrate(**some_ranks(args)))


def drained_output(pools: Sequence[PoolRanksResult]) -> Output:
    """Say how it went on the ranks of each pool."""
    failed = [problem for pool in pools if (problem := pool.problem())]
    return Output(
        document={"responses": [pool_ranks_document(pool) for pool in pools] or None},
        text=pool_ranks_text(pools),
        problem=PartlyFailed(", ".join(failed)) if failed else None,
    )


def pool_ranks_document(pool: PoolRanksResult) -> dict[str, Any]:
    """Give the results of one pool the keys that DAOS gives them."""
    results = [{"rank": r.rank, "errored": r.errored, "msg": r.message} for r in pool.results]
    return {"id": pool.id, "results": results or None}


def pool_ranks_text(pools: Sequence[PoolRanksResult]) -> str:
    """Lay out the results of each pool, ranks with the same result together."""
    rows = []
    for pool in sorted(pools, key=lambda pool: pool.id):
        by_message: dict[str, list[int]] = {}
        for result in pool.results:
            by_message.setdefault(result.message if result.errored else "", []).append(result.rank)
        rows += [
            (pool.id, RankSet(ranks), "FAIL" if message else "OK", message or "-")
            for message, ranks in sorted(by_message.items())
        ]
    return table(["Pool", "Ranks", "Result", "Reason"], rows) + "\n" if rows else "No pool ranks processed\n"


@command()
async def erase(session: Session, args: Values) -> Output:
    """Wipe the system's records."""
    results = await session.daos.system.erase()
    return Output(
        text="The system's records are erased; its storage can be formatted anew\n", problem=problem_of(results)
    )


@command("system cleanup failed")
async def cleanup(session: Session, args: Values) -> Output:
    """Close all pool handles that a machine holds."""
    pools = await session.daos.system.cleanup(args.machine)
    failed = [f"{pool.pool_id}: {pool.message}" for pool in pools if pool.status]
    text = "System Cleanup Success\n"
    if not pools:
        text = "No handles cleaned up\n"
    elif args.verbose:
        text = table(["Pool", "Handles Revoked"], [(pool.pool_id, pool.count) for pool in pools]) + "\n"
    results = [{"status": p.status, "msg": p.message, "pool_id": p.pool_id, "count": p.count} for p in pools]
    return Output(
        document={"results": results or None},
        text=text,
        problem=PartlyFailed(f"handles were not closed on {', '.join(failed)}") if failed else None,
    )


@command()
async def rebuild_start(session: Session, args: Values) -> Output:
    """Let every pool rebuild."""
    return rebuild_output("start", await session.daos.system.rebuild_start(), verbose=args.verbose)


@command()
async def rebuild_stop(session: Session, args: Values) -> Output:
    """Stop every pool's rebuild."""
    return rebuild_output("stop", await session.daos.system.rebuild_stop(force=args.force), verbose=args.verbose)


def rebuild_output(verb: str, results: Sequence[RebuildResult], *, verbose: bool) -> Output:
    """Say which pools took the request."""
    done = [result.id for result in results if not result.errored]
    failed = [f"pool-rebuild {verb} failed on pool {r.id}: {r.message}" for r in results if r.errored]
    text = f"System-rebuild {verb} request succeeded on {counted(len(done), 'pool')}"
    documents = [{"id": r.id, "op_code": r.op_code, "errored": r.errored, "msg": r.message} for r in results]
    return Output(
        document={"results": documents or None},
        text=f"{text} [{' '.join(done)}]\n" if verbose else f"{text}\n",
        problem=PartlyFailed(", ".join(failed)) if failed else None,
    )


@command("system self-heal eval failed")
async def self_heal_eval(session: Session, args: Values) -> Output:
    """Look again whether something should be healed."""
    await session.daos.system.self_heal_eval()
    return Output(document={}, text="System self-heal eval request succeeded\n")


@command("system set-attr failed")
async def set_attributes(session: Session, args: Values) -> Output:
    """Store attributes of the system."""
    await session.daos.system.set_attributes(args.settings)
    return Output(text="system set-attr succeeded\n")


@command("system get-attr failed")
async def get_attributes(session: Session, args: Values) -> Output:
    """Show attributes of the system."""
    attributes = await session.daos.system.get_attributes(args.keys or ())
    rows = sorted(attributes.items())
    return Output(
        document={"attributes": document(attributes) or None},
        text=table(["Name", "Value"], rows) if rows else "No system attributes found.\n",
    )


@command("system del-attr failed")
async def delete_attributes(session: Session, args: Values) -> Output:
    """Delete attributes of the system."""
    await session.daos.system.set_attributes(dict.fromkeys(args.keys, ""))
    return Output(text="system del-attr succeeded\n")


@command("system get-prop failed")
async def get_properties(session: Session, args: Values) -> Output:
    """Show properties of the system."""
    for key in args.keys or ():
        if key not in PROPERTIES:
            raise InvalidRequest(f"invalid system property key: {key}")
    found = await session.daos.system.get_properties(args.keys or ())
    shown = [(key, found[key], PROPERTIES[key]) for key in PROPERTIES if key in found]
    rows = [(f"{description} ({key})", value) for key, value, description in shown]
    return Output(
        document=[{"key": key, "value": value, "description": description} for key, value, description in shown]
        or None,
        text=table(["Name", "Value"], rows) if rows else "No system properties found.\n",
    )


@command("system set-prop failed")
async def set_properties(session: Session, args: Values) -> Output:
    """Set properties of the system."""
    try:
        settings = {settable(key).name: settable(key).canonical(value) for key, value in args.settings.items()}
    except PropertyError as error:
        raise InvalidRequest(str(error)) from error
    await session.daos.system.set_properties(settings)
    return Output(text="system set-prop succeeded\n")
