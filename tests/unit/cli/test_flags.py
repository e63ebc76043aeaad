"""The option grammar: what DAOS's programs accept, what they refuse, and how they say so."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from daos_control.cli.flags import (
    Command,
    HelpWanted,
    Option,
    Positional,
    UsageError,
    integer,
    integer32,
    natural,
    natural16,
    parse,
    words,
)


def percent(value: str) -> int:
    if not value.endswith("%"):
        raise ValueError(f"{value!r} has no percent sign")
    return int(value[:-1])


PROGRAM = Command(
    "tool",
    help="A tool.",
    options=(
        Option("debug", "d", help="Say more"),
        Option("json", "j", help="Speak JSON"),
        Option("config-path", "o", help="Where the configuration is", parse=str, metavar="FILE"),
        Option("host-list", "l", parse=words, hidden=True),
    ),
    commands=(
        Command(
            "pool",
            help="Pools",
            commands=(
                Command(
                    "create",
                    help="Make a pool",
                    run="x:create",
                    options=(
                        Option("size", "z", help="How big", parse=str, group="Size"),
                        Option("share", parse=percent, group="Size"),
                        Option("property", "P", parse=str, repeat=True),
                        Option("kind", "k", parse=str, choices=("red", "blue"), default="red"),
                        Option("verbose", "v"),
                    ),
                    positionals=(Positional("pool label", dest="label"),),
                ),
                Command("list", run="x:list", aliases=("ls",), options=(Option("rank", "r", parse=natural),)),
                Command("secret", run="x:secret", hidden=True),
                Command("check", run="x:check", positionals=(Positional("pool", required=False, repeat=True),)),
            ),
        ),
        Command(
            "wipe",
            run="x:wipe",
            options=(Option("host", parse=str, required=True), Option("why", "w", parse=str, required=True)),
        ),
    ),
)


def given(line: str, *more: str) -> dict[str, object]:
    parsed = parse(PROGRAM, [*line.split(), *more])
    names = {o.key for c in parsed.path for o in c.options} | {p.key for p in parsed.command.positionals}
    return {name: getattr(parsed.values, name) for name in names if name in parsed.values}


@pytest.mark.parametrize(
    "line",
    [
        "pool create -z 1G p1",
        "pool create -z=1G p1",
        "pool create -z1G p1",
        "pool create --size 1G p1",
        "pool create --size=1G p1",
        "pool create p1 --size 1G",
        "pool create --size 1G -- p1",
    ],
)
def test_every_spelling_of_a_valued_option(line: str) -> None:
    assert given(line) == {"size": "1G", "label": "p1"}


def test_options_of_outer_commands_may_come_before_and_after() -> None:
    assert given("-d pool -j create -o f p1 -v") == {
        "debug": True,
        "json": True,
        "config_path": "f",
        "label": "p1",
        "verbose": True,
    }


@pytest.mark.parametrize("bundle", ["-vj", "-jv"])
def test_flags_bundle(bundle: str) -> None:
    assert given(f"pool create p1 {bundle}") == {"label": "p1", "verbose": True, "json": True}


def test_the_last_of_a_bundle_may_take_the_next_argument() -> None:
    assert given("pool create p1 -vz 1G") == {"label": "p1", "verbose": True, "size": "1G"}


def test_repeated_options_accumulate_and_others_keep_the_last() -> None:
    assert given("pool create p1 -P a:1 --property=b:2 -z1 -z2") == {
        "label": "p1",
        "property": ("a:1", "b:2"),
        "size": "2",
    }


def test_an_empty_value_is_a_value() -> None:
    assert given("pool create p1 --size", "") == {"label": "p1", "size": ""}


def test_negative_numbers_are_values_of_options_that_take_such() -> None:
    program = Command("t", run="x:y", options=(Option("tier", "t", parse=integer),))
    assert parse(program, ["--tier", "-5"]).values.tier == -5
    assert parse(program, ["-t", "-1"]).values.tier == -1


def test_negative_numbers_are_arguments_where_such_are_wanted() -> None:
    program = Command("t", run="x:y", positionals=(Positional("code", numbers=True, repeat=True),))
    assert parse(program, ["-1007", "5"]).values.code == ("-1007", "5")
    with pytest.raises(UsageError, match="unknown flag `x'"):
        parse(program, ["-x"])


def test_values_in_double_quotes_are_unquoted() -> None:
    assert given("pool create p1 --size", '"a \\"b\\" \\x41"') == {"label": "p1", "size": 'a "b" A'}
    with pytest.raises(UsageError, match="is not a text in quotes"):
        given("pool create p1 --size", '"half')


def test_more_than_two_dashes_are_no_option() -> None:
    assert given("pool create ---p1") == {"label": "---p1"}


@pytest.mark.parametrize("line", ["help pool create", "-d help pool create", "pool create -h"])
def test_help_is_a_word_too(line: str) -> None:
    with pytest.raises(HelpWanted) as raised:
        parse(PROGRAM, line.split())
    assert [command.name for command in raised.value.path] == ["tool", "pool", "create"]


def test_help_about_nothing_says_so() -> None:
    with pytest.raises(UsageError, match="Unknown command `creat', did you mean `create'"):
        parse(PROGRAM, ["help", "pool", "creat"])


@pytest.mark.parametrize(
    ("parser", "good", "bad"),
    [
        (natural, ["0", "007", "4294967295"], ["-1", "+1", "4294967296", "", "0x10", "1_0", "1.0", "٣"]),
        (natural16, ["65535"], ["65536"]),
        (integer32, ["-2147483648", "+7"], ["2147483648", "--1", "-"]),
        (integer, ["9223372036854775807"], ["9223372036854775808"]),
    ],
)
def test_numbers_are_those_of_the_original(parser: Callable[[str], int], good: list[str], bad: list[str]) -> None:
    assert [parser(text) for text in good] == [int(text) for text in good]
    for text in bad:
        with pytest.raises(ValueError, match=r"whole number|too large|does not fit"):
            parser(text)


def test_the_same_letter_means_the_inner_option() -> None:
    program = Command(
        "t",
        options=(Option("host-list", "l", parse=str),),
        commands=(Command("scan", run="x:y", options=(Option("local", "l", parse=str),)),),
    )
    values = parse(program, ["scan", "-l", "here"]).values
    assert (values.local, values.host_list) == ("here", None)


def test_defaults_are_there_but_not_given() -> None:
    values = parse(PROGRAM, ["pool", "create", "p1"]).values
    assert (values.kind, values.verbose, values.property, values.size) == ("red", False, (), None)
    assert "kind" not in values


def test_aliases_hidden_commands_and_repeated_arguments() -> None:
    assert parse(PROGRAM, ["pool", "ls"]).command.name == "list"
    assert parse(PROGRAM, ["pool", "secret"]).command.name == "secret"
    assert parse(PROGRAM, ["pool", "check", "a", "b"]).values.pool == ("a", "b")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pool create p1 --bogus", "unknown flag `bogus'"),
        ("pool create p1 --sise 5", "unknown flag `sise', did you mean --size?"),
        ("-z 5 pool create p1", "unknown flag `z'"),
        ("pool create p1 -vx", "unknown flag `x'"),
        ("pool create p1 --help=1", "bool flag `-h, --help' cannot have an argument"),
        ("pool create p1 --verbose=yes", "bool flag `-v, --verbose' cannot have an argument"),
        ("pool create p1 -z", "expected argument for flag `-z, --size'"),
        ("pool create p1 -z -v", "expected argument for flag `-z, --size', but got option `-v'"),
        ("pool create p1 -z -- x", "expected argument for flag `-z, --size', but got double dash `--'"),
        ("pool create p1 -zv --share 5", "invalid argument for flag `--share': '5' has no percent sign"),
        ("pool create p1 -k green", "Invalid value `green' for option `-k, --kind'. Allowed values are: red or blue"),
        ("pool list -r -1", "expected argument for flag `-r, --rank', but got option `-1'"),
        ("pool list --rank=-1", "invalid argument for flag `-r, --rank': '-1' is not a whole number from 0 on"),
        ("pool create p1 -vz=1G", "expected argument for flag `-z, --size'"),
        ("pool create p1 --=5", "unknown flag `'"),
        ("-- pool", "Unknown command `pool', did you mean `pool'?"),
        ("pool create", "the required argument `<pool label>` was not provided"),
        ("pool create a b c", "unexpected arguments: b c"),
        ("pool", "Please specify one command of: check, create or list"),
        ("", "Please specify one command of: pool or wipe"),
        ("pool creat x", "Unknown command `creat', did you mean `create'?"),
        ("zzz", "Unknown command `zzz'. Please specify one command of: pool or wipe"),
        ("wipe --host h", "the required flag `-w, --why' was not specified"),
        ("wipe", "the required flags `--host' and `-w, --why' were not specified"),
    ],
)
def test_complaints_say_what_is_wrong(line: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(PROGRAM, line.split())
    assert str(raised.value) == message


def test_a_complaint_keeps_what_was_understood_before() -> None:
    with pytest.raises(UsageError) as raised:
        parse(PROGRAM, ["-j", "pool", "create", "--bogus"])
    assert raised.value.values.json is True
    assert [command.name for command in raised.value.path] == ["tool", "pool", "create"]


def test_help_is_about_the_command_reached() -> None:
    with pytest.raises(HelpWanted) as raised:
        parse(PROGRAM, ["pool", "create", "-h"])
    assert [command.name for command in raised.value.path] == ["tool", "pool", "create"]


def test_a_broken_table_is_noticed_when_a_value_is_read() -> None:
    values = parse(PROGRAM, ["pool", "ls"]).values
    with pytest.raises(AttributeError, match="no option or argument called 'size'"):
        _ = values.size


def test_parsing_imports_nothing_heavy() -> None:
    heavy = {
        "argparse",
        "asyncio",
        "dataclasses",
        "inspect",
        "logging",
        "shutil",
        "difflib",
        "textwrap",
        "msgspec",
        "grpc",
    }
    use = "flags.parse(flags.Command('x', run='y:z'), [])"
    script = f"import sys; from daos_control.cli import flags; {use}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)
