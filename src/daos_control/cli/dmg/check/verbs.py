"""The verbs of ``dmg check``."""

from daos_control.cli.dmg import advice
from daos_control.cli.dmg.check.documents import policies_document, state_document
from daos_control.cli.dmg.check.report import policies_text, state_text
from daos_control.cli.dmg.check.wording import resolution
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.steps import Step
from daos_control.client.errors import InvalidRequest


@command()
async def enable(session: Session, _: Values) -> Output:
    """Enter checker mode."""
    await session.daos.checker.enable()
    return Output(text="system checker enabled\n", next=(Step("dmg check start", "begins a check of all pools"),))


@command()
async def disable(session: Session, _: Values) -> Output:
    """Leave checker mode."""
    await session.daos.checker.disable()
    return Output(text="system checker disabled\n", next=(Step("dmg system start", "lets engines serve again"),))


@command()
async def start(session: Session, args: Values) -> Output:
    """Begin a check."""
    await session.daos.checker.start(
        args.pools,
        dry_run=args.dry_run,
        reset=args.reset,
        failout=_switch(args.failout),
        auto=_switch(args.auto),
        find_orphans=args.find_orphans,
        policies=args.policies,
    )
    return Output(text="system checker started\n", next=(Step("dmg check query", "how it stands"),))


def _switch(word: str | None) -> bool | None:
    return None if word is None else word == "on"


@command()
async def stop(session: Session, args: Values) -> Output:
    """End a check."""
    await session.daos.checker.stop(args.pools)
    return Output(text="system checker stopped\n")


@command()
async def query(session: Session, args: Values) -> Output:
    """Tell how the check stands."""
    state = await session.daos.checker.query(args.pools)
    text = state_text(state, verbose=args.verbose)
    return Output(document=state_document(state), text=text, next=tuple(advice.for_check(state)))


@command()
async def repair(session: Session, args: Values) -> Output:
    """Decide about a finding."""
    state = await session.daos.checker.query(findings=[args.number])
    if not state.findings:
        raise InvalidRequest(f"no report found for seq {args.number:#x}")
    finding = state.findings[0]
    if not finding.open:
        raise InvalidRequest(f"finding {args.number:#x} is already resolved: {resolution(finding)}")
    if not 0 <= args.choice < len(finding.choices):
        offered = "; ".join(f"{place}: {words.removesuffix('.')}" for place, (_, words) in enumerate(finding.options))
        raise InvalidRequest(f"invalid action {args.choice} for seq {args.number:#x}; choose one of {offered}")
    await session.daos.checker.repair(finding.seq, finding.choices[args.choice])
    return Output(text="Repair request sent\n")


@command()
async def set_policy(session: Session, args: Values) -> Output:
    """Say what is to become of findings."""
    if args.policies and (args.reset_defaults or args.all_interactive):
        raise InvalidRequest("give policies, or --reset-defaults or --all-interactive, but not both")
    if args.reset_defaults:
        await session.daos.checker.reset_policies()
    elif args.all_interactive:
        await session.daos.checker.ask_always()
    else:
        await session.daos.checker.set_policies(args.policies or {})
    return Output(text="system checker policies updated\n")


@command()
async def get_policy(session: Session, args: Values) -> Output:
    """Tell what becomes of findings."""
    found = await session.daos.checker.get_policies(args.kinds or (), last_used=args.last)
    return Output(document=policies_document(found), text=policies_text(found))
