"""The help of a command: what it shows, what it leaves out, and that it fits."""

from daos_control.cli.flags import Command, Option, Positional, words
from daos_control.cli.guidance.help import help_text

CREATE = Command(
    "create",
    help="Make a pool",
    run="x:create",
    options=(
        Option("size", "z", help="How big", parse=str, group="Size"),
        Option("kind", "k", parse=str, choices=("red", "blue"), default="red"),
    ),
    positionals=(Positional("pool label", dest="label"),),
)
POOL = Command(
    "pool",
    help="Pools",
    commands=(
        CREATE,
        Command("list", run="x:list", aliases=("ls",)),
        Command("secret", run="x:secret", hidden=True),
    ),
)
PROGRAM = Command(
    "tool",
    help="A tool.",
    options=(Option("debug", "d", help="Say more"), Option("host-list", "l", parse=words, hidden=True)),
    commands=(POOL,),
)


def test_a_command_shows_its_options_by_group_and_those_of_its_program() -> None:
    shown = help_text([PROGRAM, POOL, CREATE])
    assert shown.startswith("Usage: tool pool create [options] <pool label>\n\nMake a pool\n")
    assert "\nSize:\n  -z, --size=VALUE" in shown
    assert "--kind=red|blue" in shown
    assert "Common options:" in shown
    assert "host-list" not in shown, "hidden options stay hidden"


def test_an_option_whose_letter_a_command_uses_for_its_own_is_shown_without_it() -> None:
    dump = Command("dump", run="x:dump", options=(Option("destination", "d", parse=str),))
    program = Command("tool", options=(Option("debug", "d", help="Say more"), Option("quiet", "q")), commands=(dump,))
    shown = help_text([program, dump])
    assert "  -d, --destination=VALUE" in shown
    assert "      --debug" in shown
    assert "  -q, --quiet" in shown


def test_it_fits_the_terminal() -> None:
    long = Command("t", run="x:y", options=(Option("o", help="word " * 60),), help="word " * 60)
    assert max(len(line) for line in help_text([long], width=60).splitlines()) <= 60


def test_a_group_lists_visible_commands_with_aliases() -> None:
    shown = help_text([PROGRAM, POOL])
    assert "  list, ls" in shown
    assert "secret" not in shown
