"""dmg's commands against the tree of DAOS 2.8: names, aliases, options, what is required, hidden, or has a default.

What is ours on top of that is no business of this test, unless it gets in the way of what is DAOS's.
"""

from collections.abc import Iterator

import pytest

from daos_control.cli.dmg import run
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.flags import Command, Option, Parsed, UsageError, parse

TREE = """
# command (aliases) [hidden]     | options: = takes a value, ! is required, ? is hidden, =X has the default X
                                 | --allow-proxy -l/--host-list=? -i/--insecure -d/--debug --log-file= -j/--json -J/--json-logging -o/--config-path=
version                          |
server-version                   |
server (srv)                     |
server set-logmasks (slm)        | -l/--host-list= -m/--masks= -d/--streams= -s/--subsystems=
storage (sto)                    |
storage scan                     | -l/--host-list= -v/--verbose -n/--nvme-health
storage format                   | -l/--host-list= -v/--verbose --force --replace
storage query list-pools         | -l/--host-list= -r/--rank= -u/--uuid= -v/--verbose
storage query list-devices       | -l/--host-list= -r/--rank= -b/--health -u/--uuid= -e/--show-evicted
storage query usage              | -l/--host-list= -u/--show-usable --mem-ratio=
storage nvme-rebind              | -l/--host-list= -a/--pci-address=!
storage nvme-add-device          | -l/--host-list= -a/--pci-address=! -e/--engine-index=! -t/--tier-index=-1
storage set nvme-faulty          | -l/--host=! -u/--uuid=! -f/--force
storage replace nvme             | -l/--host=! --old-uuid=! --new-uuid=!
storage led check                | -l/--host-list= [ids]
storage led identify             | -l/--host-list= --timeout= --reset [ids]
system (sys)                     |
system leader-query              | -N/--down-replicas
system query                     | -r/--ranks= --rank-hosts= -v/--verbose --not-ok --with-states=
system stop                      | -r/--ranks= --rank-hosts= --ignore-admin-excluded --force --full?
system start                     | -r/--ranks= --rank-hosts= --ignore-admin-excluded
system exclude                   | -r/--ranks= --rank-hosts=
system clear-exclude             | -r/--ranks= --rank-hosts=
system drain                     | -r/--ranks= --rank-hosts=
system reintegrate (reint)       | -r/--ranks= --rank-hosts=
system erase                     |
system list-pools                | -v/--verbose -n/--no-query -r/--rebuild-only
system cleanup                   | -v/--verbose <machine>
system set-attr                  | <settings>
system get-attr                  | [keys]
system del-attr                  | <keys>
system set-prop                  | <settings>
system get-prop                  | [keys]
system rebuild start             | -v/--verbose
system rebuild stop              | -v/--verbose -f/--force
system self-heal eval            |
network (net)                    |
network scan                     | -l/--host-list= -p/--provider=
pool                             |
pool create                      | -g/--group= -u/--user= -P/--properties= -a/--acl-file= -z/--size= -t/--tier-ratio= -k/--nranks= -v/--nsvc= -s/--scm-size= -n/--nvme-size= --meta-size= --data-size= --mem-ratio= -r/--ranks= <label>
pool destroy                     | -r/--recursive -f/--force <pool>
pool evict                       | <pool>
pool list (ls)                   | -v/--verbose -n/--no-query -r/--rebuild-only
pool extend                      | --ranks=! <pool>
pool exclude                     | --ranks=! --target-idx= -f/--force <pool>
pool drain                       | --ranks=! --target-idx= <pool>
pool reintegrate (reint)         | --ranks=! --target-idx= <pool>
pool query                       | -t/--health-only -e/--show-enabled --no-self-heal-check <pool>
pool query-targets               | --rank=! --target-idx= <pool>
pool get-acl                     | -O/--outfile= -f/--force -v/--verbose <pool>
pool overwrite-acl               | -a/--acl-file=! <pool>
pool update-acl                  | -a/--acl-file= -e/--entry= <pool>
pool delete-acl                  | -p/--principal=! <pool>
pool set-prop                    | <pool> <settings>
pool get-prop                    | <pool> [keys]
pool upgrade                     | <pool>
pool rebuild start               | <pool>
pool rebuild stop                | -f/--force <pool>
container (cont)                 |
container set-owner              | -g/--group= -u/--user= <pool> <container>
config (cfg)                     |
config generate (gen)            | -l/--host-list= -r/--ms-replicas=localhost -a/--access-points=? -e/--num-engines= -s/--scm-only -c/--net-class=ethernet|infiniband:infiniband -p/--net-provider= -t/--use-tmpfs-scm -m/--control-metadata-path= -f/--fabric-ports=
support (supp)                   |
support collect-log              | -l/--host-list= -s/--stop-on-error -t/--target-folder= -z/--archive -c/--extra-logs-dir= -D/--start-date= -F/--end-date= -S/--log-start-time= -E/--log-end-time= -T/--transfer-args= -e/--log-type=
telemetry (telem)                |
telemetry config                 | -i/--install-dir=! -s/--system=prometheus
telemetry metrics list           | -l/--host=! -p/--port=9191
telemetry metrics query          | -l/--host=! -p/--port=9191 -m/--metrics=
manpage [hidden]                 | -o/--output=
check                            |
check enable                     |
check disable                    |
check start                      | -n/--dry-run -r/--reset -f/--failout=on|off -a/--auto=on|off -O/--find-orphans -p/--policies= [pools]
check stop                       | [pools]
check query                      | -v/--verbose [pools]
check set-policy                 | -d/--reset-defaults -a/--all-interactive [policies]
check get-policy                 | -L/--last [kinds]
check repair                     | <number> <choice>
firmware [hidden]                |
firmware query                   | -l/--host-list= -t/--type=nvme|scm|all:all -d/--devices= -m/--model= -f/--fwrev= -v/--verbose
firmware update                  | -l/--host-list= -t/--type=nvme|scm! -p/--path=! -d/--devices= -m/--model= -f/--fwrev= -v/--verbose
faults [hidden]                  |
faults add-checker-report        | -f/--file= -c/--class=
faults mgmt-svc (ms)             |
faults mgmt-svc pool             | -s/--svcl= -l/--label= <pool> <kind>
faults pool-svc (ps)             | -s/--svcl= -l/--label= <pool> <kind>
""".strip().splitlines()  # noqa: E501 - a table
ROWS = [line.partition("|")[::2] for line in TREE if not line.startswith("#")]
"""What a command is called, and what it takes."""
LEAF_OPTIONS = ("-o c", "-oc", "-o=c", "--config-path c", "--config-path=c")


def found(name: str) -> Command:
    command = PROGRAM
    for word in name.split():
        [command] = [inner for inner in command.commands if inner.name == word]
    return command


def spelled(option: Option) -> str:
    """Write an option as the table does."""
    names = "/".join([f"-{option.short}"] * bool(option.short) + [f"--{option.name}"])
    value = "" if option.parse is None else "=" + "|".join(option.choices)
    if option.parse is not None and option.default not in {None, "", (), 0}:
        value += f"{':' if option.choices else ''}{option.default}"
    return f"{names}{value}{'!' * option.required}{'?' * option.hidden}"


@pytest.mark.parametrize(("heading", "takes"), ROWS, ids=[heading.strip() or "dmg" for heading, _ in ROWS])
def test_a_command_is_as_in_daos(heading: str, takes: str) -> None:
    words = [word for word in heading.split() if word[0] not in "(["]
    command = found(" ".join(words))
    assert command.hidden == ("[hidden]" in heading)
    assert [f"({alias})" for alias in command.aliases] == [word for word in heading.split() if word[0] == "("]
    known = {spelled(option) for option in command.options}
    known |= {f"<{one.key}>" if one.required else f"[{one.key}]" for one in command.positionals}
    assert set(takes.split()) - known == set()
    assert bool(command.run) or bool(command.commands)


def letters(command: Command, outer: frozenset[str] = frozenset()) -> Iterator[tuple[str, set[str]]]:
    own = [option.short for option in command.options if option.short]
    yield command.name, {letter for letter in own if own.count(letter) > 1}
    for inner in command.commands:
        yield from letters(inner, outer | set(own))


def test_no_letter_means_two_things_in_one_command() -> None:
    assert [name for name, twice in letters(PROGRAM) if twice] == []


def test_what_people_are_told_to_choose_from_leaves_hidden_commands_out() -> None:
    with pytest.raises(UsageError) as wrong:
        parse(PROGRAM, [])
    assert "storage" in str(wrong.value)
    assert "firmware" not in str(wrong.value)
    assert "faults" not in str(wrong.value)


@pytest.mark.parametrize("hosts", ["", "-l h[1-2]"])
def test_a_command_for_one_host_goes_to_no_other_number(hosts: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-i", *f"storage nvme-rebind -a 0000:80:00.0 {hosts}".split()]) == 1
    assert "goes to one host" in capsys.readouterr().err


def test_the_one_host_may_be_named_in_front_of_the_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-i", "-l", "127.0.0.1:1", "storage", "nvme-rebind", "-a", "0000:80:00.0"]) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize("option", LEAF_OPTIONS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_global_options_go_anywhere_in_every_form(option: str, place: int) -> None:
    line = ["system", "query"]
    line[place:place] = option.split()
    parsed: Parsed = parse(PROGRAM, [*line, "-vj"])
    assert (parsed.values.config_path, parsed.values.json, parsed.values.verbose) == ("c", True, True)
    assert parsed.path[-1].name == "query"
