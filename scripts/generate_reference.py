"""Write ``docs/reference/`` from the code: commands, configuration, faults, codes, events, states, pool properties.

``make docs`` runs it; a test fails while the committed files say something else than the code.
"""

import ast
import dataclasses
import inspect
import itertools
import sys
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import command_pages
import draw_states
from daos_control.base import der_words
from daos_control.base.fault_codes import FaultCode
from daos_control.base.fault_words import TABLE
from daos_control.base.logs import Level
from daos_control.cli.daos_agent import PROGRAM as DAOS_AGENT
from daos_control.cli.daos_lab import PROGRAM as DAOS_LAB
from daos_control.cli.daos_server import PROGRAM as DAOS_SERVER
from daos_control.cli.dmg.commands import PROGRAM as DMG
from daos_control.config.agent import AgentConfig
from daos_control.config.control import ControlConfig
from daos_control.config.document import keys_of
from daos_control.config.server import ServerConfig
from daos_control.config.storage import BusRange
from daos_control.model import event_words
from daos_control.model.pool_property_text import DEPRECATED, KINDS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Generated from the code by scripts/generate_reference.py: change it there. -->\n"
PROGRAMS = (DMG, DAOS_SERVER, DAOS_AGENT, DAOS_LAB)


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    return {
        "configuration.md": NOTE + configuration(),
        **{f"{program.name}.md": NOTE + command_pages.page(program) for program in PROGRAMS},
        "der-codes.md": NOTE + der_codes(),
        "events.md": NOTE + events(),
        "faults.md": NOTE + faults(),
        "member-states.md": NOTE + draw_states.page(),
        "member-states.svg": draw_states.picture(),
        "pool-properties.md": NOTE + pool_properties(),
    }


def der_codes() -> str:
    """Return every DER code with its words."""
    parts = [
        "# DER codes\n",
        "Numbers with which engines, servers and libraries tell what went wrong; `dmg explain NUMBER` explains one.\n",
        "| Number | Name | Text | What it means | Usual causes | What to do |\n|---|---|---|---|---|---|",
    ]
    for code, words in der_words.WORDS.items():
        cells = (str(int(code)), f"DER_{code.name}", code.description, words.meaning)
        parts.append(_row(*cells, "<br>".join(words.causes), "<br>".join(words.steps)))
    return "\n".join(parts) + "\n"


def events() -> str:
    """Return every RAS event with its words."""
    parts = [
        "# Events\n",
        "What engines and servers tell of; `dmg system events` shows them, `dmg explain NAME` explains one.\n",
        "| Id | Name | Type | Severity | What it means | Usual causes | What to do | What happens by itself |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for event, words in event_words.WORDS.items():
        cells = (str(int(event)), event.name.lower(), words.kind.name, words.severity.name, words.meaning)
        parts.append(_row(*cells, "<br>".join(words.causes), "<br>".join(words.steps), words.reaction))
    return "\n".join(parts) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cell(cell).replace("&lt;br>", "<br>") for cell in cells) + " |"


def pool_properties() -> str:
    """Return the properties of pools, by name."""
    old_names = {new: old for old, new in DEPRECATED.items()}
    rows = []
    for prop, kind in sorted(KINDS.items(), key=lambda row: row[0].text):
        old = f" (once `{old_names[prop.text]}`)" if prop.text in old_names else ""
        rows.append(f"| `{prop.text}`{old} | {kind.description} | {kind.allowed} | {kind.default} | {kind.settable} |")
    return "\n".join(
        (
            "# Pool properties\n",
            "`dmg pool create --properties`, `set-prop` and `get-prop`; words may be written in any case.\n",
            "| Name | | May be | Default | Can be set |",
            "|---|---|---|---|---|",
            *rows,
            "",
        )
    )


def configuration() -> str:
    """Return the keys of the three files."""
    parts = ["# Configuration\n", "An unknown key is an error that names the nearest known one.\n"]
    for title, kind in (
        ("daos_server.yml", ServerConfig),
        ("daos_agent.yml", AgentConfig),
        ("daos_control.yml", ControlConfig),
    ):
        parts.append(f"## {title}\n\n{inspect.getdoc(kind)}\n")
        parts.append("| Key | Type | Default | |\n|---|---|---|---|")
        parts += _key_rows(kind, "", kind())
        parts.append("")
    return "\n".join(parts)


def _key_rows(kind: type, prefix: str, defaults: Any) -> Iterator[str]:
    """Yield a row for each key; a section's defaults are those that the file's structure gives it."""
    hints = typing.get_type_hints(kind)
    remarks = _remarks(kind)
    for key, field in keys_of(kind).items():
        inner = _structure_in(hints[field.name])
        shown = (
            _type_text(hints[field.name]) if inner is None else ("list" if _is_list(hints[field.name]) else "section")
        )
        remark = " ".join(remarks.get(field.name, "").split()).replace("``", "`")
        default = getattr(defaults, field.name)
        yield f"| `{prefix}{key}` | {shown} | {_default_text(default) if inner is None else ''} | {remark} |"
        if inner is not None:
            within = default if isinstance(default, inner) else inner()
            yield from _key_rows(inner, f"{prefix}{key}{'[]' if _is_list(hints[field.name]) else ''}.", within)


def _structure_in(hint: Any) -> type | None:
    for part in (hint, *typing.get_args(hint)):
        if dataclasses.is_dataclass(part) and isinstance(part, type) and keys_of(part):
            return part
    return None


def _is_list(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple


def _type_text(hint: Any) -> str:
    if _is_list(hint):
        return f"list of {_type_text(typing.get_args(hint)[0])}"
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    if parts:
        return _type_text(parts[0])
    names = {bool: "yes/no", int: "number", str: "text", float: "duration", Level: "level", BusRange: "text"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))


def _default_text(default: object) -> str:
    if default is None or default in ("", ()):
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, Level):
        return f"`{default.name}`"
    if isinstance(default, tuple):
        return "`" + ", ".join(map(str, default)) + "`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _remarks(kind: type) -> Mapping[str, str]:
    """Return what a class says of its fields, in the strings beneath them."""
    remarks: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        (definition,) = ast.parse(inspect.cleandoc(inspect.getsource(base))).body
        body = typing.cast("ast.ClassDef", definition).body
        for before, after in itertools.pairwise(body):
            if (
                isinstance(before, ast.AnnAssign)
                and isinstance(before.target, ast.Name)
                and isinstance(after, ast.Expr)
            ):
                remarks[before.target.id] = str(ast.literal_eval(after.value))
    return remarks


def faults() -> str:
    """Return every fault, as its rows have it."""
    parts = [
        "# Faults\n",
        "Numbers are those of DAOS 2.8. Words in braces are filled in where a fault is told; see `dmg explain`.\n",
        "| Code | Name | Domain | What happened | What to do |\n|---|---|---|---|---|",
    ]
    parts += [
        f"| {int(code)} | {code.name} | {row.domain} | {_cell(row.description)} | {_cell(row.resolution)} |"
        for code in sorted(FaultCode)
        for row in TABLE[code.name]
    ]
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def main() -> int:
    """Replace the reference by what the code says."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
