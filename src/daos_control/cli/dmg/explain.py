"""``dmg explain``: what a number or a name in a message means, and what to do. It asks nobody and reads no file."""

import sys
from typing import Any, Final

from daos_control.cli.flags import Values
from daos_control.cli.ui import terminal
from daos_control.model.glossary import Entry, Found, Kind, Situation, entries, find, kinds

WIDEST: Final = 100
"""Columns of a text that is still read with ease."""
INDEX: Final = """\
Explains what DAOS's programs print: a number, a name, or a whole line copied
from a log.

  dmg explain 611
  dmg explain DER_NOSPACE
  dmg explain swim_rank_dead
  dmg explain 'ERROR: dmg: pool create failed: DER_NOSPACE(-1007): ...'
  dmg explain clock          (everything that has to do with it)

"""


def explain(args: Values) -> int:
    """Explain what was given; without anything, say how."""
    if args.all:
        return _show(args, Found(entries=entries(), exact=False))
    if not args.words:
        return _index(args)
    found = find(" ".join(args.words))
    each = [find(word) for word in args.words]
    if not (found.entries and found.exact) and all(one.entries and one.exact for one in each):
        found = Found(entries=tuple(dict.fromkeys(entry for one in each for entry in one.entries)))
    return _show(args, found) if found.entries else _nothing(args, found)


def _index(args: Values) -> int:
    counted = dict(kinds())
    if args.json:
        _print_document({"kinds": dict(counted)})
        return 0
    known = [f"{number} {kind}s".replace("propertys", "properties") for kind, number in counted.items()]
    print(INDEX + "\n".join(_wrapped(f"It knows {', '.join(known[:-1])} and {known[-1]}.", "")))
    print("All of them: dmg explain --all")
    return 0


def _show(args: Values, found: Found) -> int:
    if args.json:
        _print_document({"entries": [_entry_document(entry) for entry in found.entries]})
    elif found.exact or len(found.entries) == 1:
        print("\n\n".join(_entry_text(entry) for entry in found.entries))
    else:
        print(_list_text(found.entries))
    return 0


def _nothing(args: Values, found: Found) -> int:
    wanted = " ".join(args.words)
    near = f"; did you mean {_or(found.nearest)}?" if found.nearest else ", and nothing is called like it"
    problem = f"nothing is known about {wanted!r}{near}"
    if args.json:
        _print_document(None, LookupError(problem))
    print(f"ERROR: dmg: {problem}\nERROR: dmg: see all that can be explained: dmg explain --all", file=sys.stderr)
    return 1


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def _print_document(response: object, error: Exception | None = None) -> None:
    from daos_control.cli.ui.envelope import envelope

    print(envelope(response, error))


def _entry_document(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind.value,
        "number": entry.number,
        "name": entry.name,
        "says": entry.says or None,
        "situations": [
            {"meaning": situation.meaning, "steps": list(situation.steps), "facts": dict(situation.facts)}
            for situation in entry.situations
        ],
        "causes": list(entry.causes),
        "notes": list(entry.notes),
    }


def _entry_text(entry: Entry) -> str:
    heading = f"{entry.title}: {entry.says}" if entry.says and ": code" not in entry.says else entry.title
    domain = entry.says.partition(":")[0] if ": code" in entry.says else ""
    lines = [heading + (f" ({domain})" if domain else "")]
    for number, situation in enumerate(entry.situations, 1):
        if len(entry.situations) > 1:
            lines.append(f"\n  Case {number} of {len(entry.situations)}")
        lines += _situation_lines(situation, entry)
    for note in entry.notes:
        lines += ["", *_wrapped(note, "  ")]
    return "\n".join(lines)


def _situation_lines(situation: Situation, entry: Entry) -> list[str]:
    causes = "How ranks get there" if entry.kind is Kind.STATE else "Usual causes"
    lines = ["", *_wrapped(situation.meaning, "  ")]
    for name, meaning in situation.facts:
        lines += _wrapped(f"<{name}> is {meaning}", "    ", "      ")
    for heading, items in ((causes, entry.causes), ("What to do", situation.steps)):
        if items:
            lines += ["", f"  {heading}:"]
            lines += [line for item in items for line in _wrapped(item, "    - ", "      ")]
    return lines


def _list_text(found: tuple[Entry, ...]) -> str:
    width = max(len(entry.title) for entry in found)
    lines = []
    for entry in found:
        room = max(_width() - width - 2, 20)
        summary = entry.summary if len(entry.summary) <= room else entry.summary[: room - 3].rstrip() + "..."
        lines.append(f"{entry.title.ljust(width)}  {summary}")
    return "\n".join([*lines, "", f"{len(found)} found; say which, such as: dmg explain {found[0].name}"])


def _width() -> int:
    return min(terminal.width_of(sys.stdout, otherwise=WIDEST), WIDEST)


def _wrapped(text: str, first: str, later: str | None = None) -> list[str]:
    import textwrap

    return textwrap.wrap(
        text,
        _width(),
        initial_indent=first,
        subsequent_indent=first if later is None else later,
        break_long_words=False,
        break_on_hyphens=False,
    )
