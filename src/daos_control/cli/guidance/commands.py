"""Commands that every program of ours has: about its own commands."""

from daos_control.cli.flags import Command, Option, Positional, text

ABOUT = "About this program"

COMPLETION = Command(
    "completion",
    help="Print a script that lets a shell complete command lines",
    details="In bash: source <(PROGRAM completion bash); in zsh: source <(PROGRAM completion zsh); in fish: PROGRAM "
    "completion fish | source. PROGRAM is the name of this one.",
    run="daos_control.cli.guidance.shells:script",
    group=ABOUT,
    positionals=(
        Positional(
            "bash|zsh|fish",
            help="The shell",
            parse="daos_control.cli.guidance.shells:shell",
            complete="daos_control.cli.guidance.shells:shells",
            dest="shell",
        ),
    ),
)

MANPAGE = Command(
    "manpage",
    help="Write the manual page",
    run="daos_control.cli.guidance.man_page:write",
    group=ABOUT,
    options=(
        Option("output", "o", help="Write it to this file (default: standard output)", parse=text, metavar="FILE"),
    ),
    hidden=True,
)

ABOUT_COMMANDS = (COMPLETION, MANPAGE)
