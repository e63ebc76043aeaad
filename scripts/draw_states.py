"""Pages about the states of ranks, drawn from the tables in ``model``: a picture, and every move there is."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from daos_control.model.member_moves import MEANINGS, OCCASIONS, Occasion, Party
from daos_control.model.member_state import NEXT, OUT_OF_GROUP, MemberState

S = MemberState
WIDTH, HEIGHT = 1080, 690
BOX = (150, 44)
PLACES: Final = {
    None: (100, 330),
    S.JOINED: (420, 330),
    S.READY: (420, 80),
    S.STOPPED: (780, 80),
    S.STOPPING: (630, 200),
    S.CHECKER_STARTED: (990, 215),
    S.AWAIT_FORMAT: (990, 40),
    S.UNRESPONSIVE: (760, 345),
    S.ERRORED: (730, 480),
    S.EXCLUDED: (420, 600),
    S.ADMIN_EXCLUDED: (100, 600),
}
"""Where the picture has each state; None is the engine that is no member yet."""
BOWS: Final = {
    (None, S.JOINED): 0.0,
    (S.READY, S.JOINED): 0.0,
    (S.STOPPED, S.READY): 0.0,
    (S.STOPPED, S.AWAIT_FORMAT): 0.2,
    (S.STOPPED, S.CHECKER_STARTED): 0.2,
    (S.CHECKER_STARTED, S.STOPPED): 0.1,
    (S.JOINED, S.STOPPED): 0.3,
    (S.STOPPED, S.JOINED): 0.33,
    (S.STOPPED, S.EXCLUDED): 0.92,
    (S.STOPPED, S.ERRORED): 0.55,
    (S.JOINED, S.EXCLUDED): 0.0,
    (S.EXCLUDED, S.JOINED): 0.45,
    (S.JOINED, S.ADMIN_EXCLUDED): -0.12,
    (S.EXCLUDED, S.ADMIN_EXCLUDED): 0.14,
    (S.ADMIN_EXCLUDED, S.EXCLUDED): 0.14,
    (S.ERRORED, S.EXCLUDED): 0.0,
    (S.UNRESPONSIVE, S.EXCLUDED): -0.06,
    (S.JOINED, S.UNRESPONSIVE): 0.12,
}
"""How far arrows bend to the left of their way, as a part of it; others a little."""
COLOURS: Final = {
    Party.ENGINE: "#1a7f37",
    Party.HOST: "#0550ae",
    Party.PEERS: "#bc4c00",
    Party.ADMINISTRATOR: "#8250df",
}


# -- the picture -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrow:
    """One line of the picture: all that usually moves a rank from one state to another, by one party."""

    origin: MemberState | None
    to: MemberState
    party: Party
    names: tuple[str, ...]


def arrows() -> list[Arrow]:
    """Return what the picture shows."""
    found: dict[tuple[MemberState | None, MemberState, Party], list[str]] = {}
    for occasion in OCCASIONS:
        origins: list[MemberState | None] = [state for state in MemberState if state in occasion.usual]
        for origin in [*origins, *([None] if occasion.admits_new else [])]:
            found.setdefault((origin, occasion.to, occasion.party), []).append(occasion.name)
    return [Arrow(*key, tuple(names)) for key, names in found.items()]


def picture() -> str:
    """Draw the usual life of a rank as SVG."""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        "<!-- Generated from the code by scripts/generate_reference.py: change it there. -->",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *(line for arrow in arrows() for line in _arrow(arrow)),
        *(line for state, place in PLACES.items() for line in _box(state, place)),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrow(arrow: Arrow) -> Iterator[str]:
    """A curve from box to box with its names on it."""
    (x1, y1), (x2, y2) = PLACES[arrow.origin], PLACES[arrow.to]
    bow = BOWS.get((arrow.origin, arrow.to), 0.06)
    middle = ((x1 + x2) / 2 + bow * (y2 - y1), (y1 + y2) / 2 - bow * (x2 - x1))
    start, end = _border((x1, y1), middle), _border((x2, y2), middle)
    colour = COLOURS[arrow.party]
    curve = f"M{start[0]:.0f} {start[1]:.0f} Q{middle[0]:.0f} {middle[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
    yield f'<path d="{curve}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
    yield f'<path d="{_head(middle, end)}" fill="{colour}"/>'
    x, y = (start[0] + 2 * middle[0] + end[0]) / 4, (start[1] + 2 * middle[1] + end[1]) / 4
    for number, name in enumerate(arrow.names):
        place = f'x="{x:.0f}" y="{y + 15 * number - 7 * (len(arrow.names) - 1) + 4:.0f}" text-anchor="middle"'
        yield f'<text {place} stroke="#ffffff" stroke-width="5">{escape(name)}</text>'
        yield f'<text {place} fill="{colour}">{escape(name)}</text>'


def _head(origin: tuple[float, float], tip: tuple[float, float]) -> str:
    """The head of an arrow that comes from ``origin``."""
    dx, dy = tip[0] - origin[0], tip[1] - origin[1]
    length = math.hypot(dx, dy)
    dx, dy = 11 * dx / length, 11 * dy / length
    corners = [tip, (tip[0] - dx - 0.4 * dy, tip[1] - dy + 0.4 * dx), (tip[0] - dx + 0.4 * dy, tip[1] - dy - 0.4 * dx)]
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + " z"


def _border(centre: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    """Return where a line from the centre of a box leaves it."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    half = BOX[0] / 2 + 2, BOX[1] / 2 + 2
    scale = min(half[0] / abs(dx) if dx else 1e9, half[1] / abs(dy) if dy else 1e9)
    return centre[0] + dx * scale, centre[1] + dy * scale


def _box(state: MemberState | None, place: tuple[int, int]) -> Iterator[str]:
    x, y = place[0] - BOX[0] // 2, place[1] - BOX[1] // 2
    out = state is None or state in OUT_OF_GROUP
    fill = "#f6f8fa" if out else "#dafbe1" if state is S.JOINED else "#eaf4ff"
    dash = ' stroke-dasharray="6 4"' if out else ""
    yield (
        f'<rect x="{x}" y="{y}" width="{BOX[0]}" height="{BOX[1]}" rx="9" fill="{fill}" stroke="#57606a" '
        f'stroke-width="1.5"{dash}/>'
    )
    name = "no member yet" if state is None else state.words
    yield f'<text x="{place[0]}" y="{place[1] + 5}" text-anchor="middle" font-size="15" fill="#1f2328">{name}</text>'


def _legend() -> Iterator[str]:
    for number, (party, colour) in enumerate(COLOURS.items()):
        y = HEIGHT - 40
        x = 30 + 265 * number
        yield f'<line x1="{x}" y1="{y}" x2="{x + 28}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
        yield f'<text x="{x + 36}" y="{y + 5}" fill="#1f2328">{escape(party.value)}</text>'
    note = "Dashed: out of the group map. Moves that only messages which cross one another cause are not drawn."
    yield f'<text x="30" y="{HEIGHT - 12}" fill="#57606a">{note}</text>'


# -- the page --------------------------------------------------------------------------------------------------------


def page() -> str:
    """Return everything about states in words and tables."""
    return "\n".join(
        [
            "# States of a rank\n",
            "The management service has each rank in one of these states, and `dmg system query` shows it. A state is",
            "what the service was last told: what befalls a rank is not seen here before somebody tells.\n",
            "![The life of a rank](member-states.svg)\n",
            "## What each state means\n",
            *_meanings(),
            "## What moves a rank\n",
            "**Usually from** is what the picture shows; **also from** are states in which messages that cross one",
            "another may find it. From anywhere else the occasion changes nothing, or, if it is a join, is refused.\n",
            *_occasions(),
            "## Every move\n",
            "Rows are where a rank is, columns where it gets; the letters are those of the occasions above.\n",
            *_matrix(),
            "## What hosts and engines may report\n",
            "Reports and news follow this table, and are passed over if it does not have the move. Joins and an",
            "administrator's word follow the rules above instead. DAOS 2.8 has the same moves, and one more: it takes",
            "a state whose name it does not know for *unknown*, from which only a join leads back; here such a report",
            "changes nothing.\n",
            *_reports(),
        ]
    )


def _meanings() -> Iterator[str]:
    yield "| State | Shown as | In the group map | Meaning |\n|---|---|---|---|"
    for state in MemberState:
        yield f"| {state.words} | `{state}` | {'no' if state in OUT_OF_GROUP else 'yes'} | {MEANINGS[state]} |"
    yield ""


def _letter(occasion: Occasion) -> str:
    return chr(ord("A") + OCCASIONS.index(occasion))


def _occasions() -> Iterator[str]:
    for occasion in OCCASIONS:
        new = ["no member yet"] if occasion.admits_new else []
        also = occasion.origins - occasion.usual - {S.UNKNOWN}
        yield f"### {_letter(occasion)}: {occasion.name}\n"
        yield f"{occasion.words}\n"
        yield f"| Caused by | {occasion.party.value} |\n|---|---|"
        yield f"| Leads to | {occasion.to.words} |"
        yield f"| Usually from | {', '.join([*new, *_names(occasion.usual)])} |"
        yield f"| Also from | {', '.join(_names(also)) or 'nowhere else'} |"
        yield f"| Group map | {_effects(occasion)} |\n"


def _effects(occasion: Occasion) -> str:
    effects: dict[str, list[str]] = {}
    for state in MemberState:
        if state in occasion.origins - {S.UNKNOWN}:
            effects.setdefault(occasion.effect_on_group(state), []).append(state.words)
    if len(effects) == 1:
        return f"the rank {next(iter(effects))}"
    parts = sorted(effects.items(), key=lambda item: len(item[1]))
    *rare, (usual, _) = parts
    return f"the rank {usual}; " + "; ".join(f"from {', '.join(states)} it {effect}" for effect, states in rare)


def _names(states: frozenset[MemberState]) -> list[str]:
    return [state.words for state in MemberState if state in states]


def _matrix() -> Iterator[str]:
    columns = [state for state in MemberState if any(occasion.to is state for occasion in OCCASIONS)]
    yield "| | " + " | ".join(state.words for state in columns) + " |"
    yield "|---|" + "---|" * len(columns)
    yield "| *no member yet* | " + " | ".join(_cell(None, state) for state in columns) + " |"
    for origin in MemberState:
        yield f"| **{origin.words}** | " + " | ".join(_cell(origin, state) for state in columns) + " |"
    yield ""


def _cell(origin: MemberState | None, to: MemberState) -> str:
    return " ".join(
        _letter(occasion)
        for occasion in OCCASIONS
        if occasion.to is to and (occasion.admits_new if origin is None else origin in occasion.origins)
    )


def _reports() -> Iterator[str]:
    yield "| From | To |\n|---|---|"
    for state in MemberState:
        yield f"| {state.words} | {', '.join(_names(NEXT[state])) or '(nothing)'} |"
    yield ""
