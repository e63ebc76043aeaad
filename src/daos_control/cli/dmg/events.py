"""``dmg system events`` and ``dmg system query --explain``: what happened, and how a rank came to its state."""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any, Final

from daos_control.base.errors import DaosControlError
from daos_control.base.quoting import one_line
from daos_control.base.rankset import NIL_RANK
from daos_control.cli.dmg.session import Output, Session, command, streaming
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.paint import worth_of
from daos_control.cli.ui.tables import table
from daos_control.cli.ui.terminal import is_seen, is_wanted, width_of
from daos_control.client.errors import InvalidRequest
from daos_control.client.events import Explanation
from daos_control.model.event import EngineStateInfo, Event, PoolServiceInfo, Severity
from daos_control.model.journal import Entry, Heard, Moved
from daos_control.model.member_state import MemberState

SHOWN: Final = 50
"""Events that are listed unless somebody says how many, or since when."""
SHOWN_BEFORE: Final = 10
"""Those that precede what is followed."""
WIDTHS: Final = (19, 8, 24, 24)
BELOW: Final = "    "
TITLES: Final = ("Time", "Severity", "Event", "Where", "What")


def events(args: Values) -> int:
    """Show what happened in the system and what came of it."""
    return (_follow if args.follow else _list)(args)


@command("system events failed")
async def _list(session: Session, args: Values) -> Output:
    limit = args.limit if args.limit is not None else 0 if args.since else SHOWN
    history = await session.daos.events.list(since=args.since, limit=limit, newest=bool(limit), **_filters(args))
    return Output(
        document={
            "events": [entry_document(entry) for entry in history.entries],
            "last": history.last,
            "oldest": history.oldest,
        },
        text=events_text(history.entries),
        view=events_view(history.entries),
    )


@streaming("system events failed")
async def _follow(session: Session, args: Values) -> None:
    filters = _filters(args)
    limit = args.limit if args.limit is not None else 0 if args.since else SHOWN_BEFORE
    before = await session.daos.events.list(since=args.since, limit=limit, newest=bool(limit), **filters)
    lines = _Lines(session, coloured=is_wanted(sys.stdout))
    if args.limit != 0 or args.since:
        for entry in before.entries:
            lines.write(entry)
    stream = session.daos.events.follow(after=before.last, missed=lines.missed, trouble=lines.trouble, **filters)
    async for entry in stream:
        lines.write(entry)


class _Lines:
    """Writes entries as they come; tells of trouble once, until the next entry."""

    def __init__(self, session: Session, *, coloured: bool) -> None:
        self._session = session
        self._coloured = coloured
        self._width = width_of(sys.stdout) if is_seen(sys.stdout) else 0
        self._said = ""

    def write(self, entry: Entry) -> None:
        self._said = ""
        if self._session.json:
            self._session.emit(json.dumps(entry_document(entry), ensure_ascii=False))
        else:
            self._session.emit(line(entry, coloured=self._coloured, width=self._width))

    def missed(self, number: int) -> None:
        self._session.notice(f"{number} entries were not kept long enough to be shown here")

    def trouble(self, error: DaosControlError) -> None:
        if (text := str(error)) != self._said:
            self._said = text
            self._session.notice(f"trying again: {text}")


def _filters(args: Values) -> dict[str, Any]:
    if args.moves and args.pool:
        raise InvalidRequest("--moves are of ranks and not of pools: leave out one of --moves and --pool")
    return {
        "ranks": args.ranks,
        "pool": args.pool or "",
        "severity": args.severity,
        "events": args.event,
        "moves": args.moves,
    }


def events_text(entries: tuple[Entry, ...]) -> str:
    """Lay entries out, each on a line."""
    if not entries:
        return "No events\n"
    dashes = tuple("-" * len(title) for title in TITLES)
    lines = [_laid_out(TITLES), _laid_out(dashes), *map(line, entries)]
    return "\n".join(lines) + "\n"


def events_view(entries: tuple[Entry, ...]) -> str:
    """Lay entries out for people, no wider than they have to be."""
    return table(TITLES, [_cells(entry) for entry in entries]) if entries else ""


def line(entry: Entry, *, coloured: bool = False, width: int = 0) -> str:
    """Put an entry on a line; on a terminal the severity stands out, and what does not fit goes below."""
    cells = _cells(entry)
    text = _laid_out(cells)
    if width and len(text) > width:
        below = wrap(cells[-1], width, initial_indent=BELOW, subsequent_indent=BELOW, break_on_hyphens=False)
        text = "\n".join([_laid_out(cells[:-1]), *below])
    worth = worth_of(cells[1]) if coloured else None
    if worth is None:
        return text
    start, end = WIDTHS[0] + 1, WIDTHS[0] + 1 + len(cells[1])
    return f"{text[:start]}{worth.on(text[start:end])}{text[end:]}"


def _laid_out(cells: tuple[str, ...]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)]
    return " ".join([*padded, *cells[len(WIDTHS) :]]).rstrip()


def _heard_cells(heard: Heard) -> tuple[str, ...]:
    event = heard.event
    where = " ".join(
        ([] if event.rank == NIL_RANK else [f"rank {event.rank}"])
        + ([f"({event.hostname or heard.reporter})"] if event.hostname or heard.reporter else [])
    )
    more = [f"({one_line(event.info)})"] if isinstance(event.info, str) and event.info else []
    effect = [f"=> {heard.effect}"] if heard.effect else []
    pool = [f"pool {event.pool_uuid[:8]}:"] if event.pool_uuid else []
    what = " ".join([*pool, one_line(event.message), *more, *effect])
    return _time(heard.received), _severity(event), event.name, where, what


def _moved_cells(moved: Moved) -> tuple[str, ...]:
    move = moved.after.words
    if moved.before is moved.after:
        move = f"{move} again"
    elif moved.before is not MemberState.UNKNOWN:
        move = f"{moved.before.words}->{move}"
    reason = f" ({one_line(moved.reason)})" if moved.reason else ""
    where = f"rank {moved.rank} ({moved.addr.rpartition(':')[0]})"
    return _time(moved.at), "-", move, where, f"{moved.cause}{reason}, map version {moved.map_version}"


def _time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _severity(event: Event) -> str:
    try:
        return Severity(event.severity or Severity.NOTICE).name
    except ValueError:
        return str(event.severity)


def entry_document(entry: Entry) -> dict[str, Any]:
    """Give an entry keys; ``kind`` says which of them there are."""
    fact = entry.fact
    if isinstance(fact, Moved):
        return {
            "sequence": entry.sequence,
            "kind": "move",
            "time": document(fact.at),
            "rank": fact.rank,
            "addr": fact.addr,
            "from": None if fact.before is MemberState.UNKNOWN else fact.before.value,
            "to": fact.after.value,
            "reason": fact.reason,
            "incarnation": fact.incarnation,
            "map_version": fact.map_version,
            "cause": {"origin": fact.cause.origin.value, "what": fact.cause.what, "source": fact.cause.source},
            "caused_by": fact.event or None,
        }
    return {
        "sequence": entry.sequence,
        "kind": "event",
        "time": document(fact.received),
        "reporter": fact.reporter,
        "effect": fact.effect,
        "event": event_document(fact.event),
    }


def event_document(event: Event) -> dict[str, Any]:
    """Give a RAS event the keys that DAOS gives it, and its name."""
    return {
        "id": int(event.id),
        "name": event.name,
        "timestamp": event.timestamp,
        "type": int(event.type),
        "severity": int(event.severity),
        "msg": event.message,
        "hostname": event.hostname,
        "rank": None if event.rank == NIL_RANK else event.rank,
        "incarnation": event.incarnation,
        "hw_id": event.hw_id,
        "proc_id": event.proc_id,
        "thread_id": event.thread_id,
        "job_id": event.job_id,
        "pool_uuid": event.pool_uuid,
        "cont_uuid": event.cont_uuid,
        "obj_id": event.obj_id,
        "ctl_op": event.ctl_op,
        "extended_info": _info_document(event),
    }


def _info_document(event: Event) -> object:
    match event.info:
        case EngineStateInfo(instance=instance, error=error):
            return {"instance": instance, "error": error}
        case PoolServiceInfo(replicas=replicas, version=version):
            return {"svc_reps": list(replicas), "version": version}
        case info:
            return info


def explanation_document(told: Explanation) -> dict[str, Any]:
    """Give an explanation keys."""
    return {
        "rank": told.rank,
        "uuid": told.uuid,
        "addr": told.addr,
        "state": told.state.value,
        "since": document(told.since),
        "incarnation": told.incarnation,
        "info": told.info,
        "story": list(told.story),
        "remedies": [{"text": remedy.text, "command": remedy.command or None} for remedy in told.remedies],
        "moves": [entry_document(entry) for entry in told.moves],
        "events": [entry_document(entry) for entry in told.events],
    }


def explanation_text(told: Explanation) -> str:
    """Tell the story of a rank, and what brings it back."""
    parts = ["\n".join(told.story)]
    if told.remedies:
        steps = [
            f"  {number}. {remedy.text}" + (f"\n       {remedy.command}" if remedy.command else "")
            for number, remedy in enumerate(told.remedies, 1)
        ]
        parts.append("What to do:\n" + "\n".join(steps))
    for title, entries in (("How its state changed:", told.moves), ("Events that concern it:", told.events)):
        if entries:
            parts.append("\n".join([title, *_told(entries)]))
    return "\n\n".join(parts) + "\n"


def _told(entries: Sequence[Entry]) -> Iterator[str]:
    """Lay the entries of a story out, no wider than they have to be; what none of them has is left out."""
    columns = [column for column in zip(*map(_cells, entries), strict=True) if set(column) != {"-"}]
    widths = [max(map(len, column)) for column in columns[:-1]]
    for row in zip(*columns, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  " + "  ".join([*padded, row[-1]]).rstrip()


def _cells(entry: Entry) -> tuple[str, ...]:
    return _moved_cells(entry.fact) if isinstance(entry.fact, Moved) else _heard_cells(entry.fact)
