"""daos_engine's command line: which options there are, and what is refused before anything starts."""

import getopt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHORT = "c:d:f:g:hi:m:n:p:r:H:t:s:x:I:bT:C"
LONG = {
    "cores=": "-c",
    "socket_dir=": "-d",
    "firstcore=": "-f",
    "group=": "-g",
    "help": "-h",
    "modules=": "-m",
    "nvme=": "-n",
    "pinned_numa_node=": "-p",
    "mem_size=": "-r",
    "hugepage_size=": "-H",
    "targets=": "-t",
    "storage=": "-s",
    "xshelpernr=": "-x",
    "instance_idx=": "-I",
    "bypass_health_chk": "-b",
    "storage_tiers=": "-T",
    "check": "-C",
}
MAX_GROUP_NAME = 15
MAX_MODULES = 64

USAGE = """\
usage: {program} -h
       {program} [options]
  -t, --targets N           targets of this engine (-c, --cores is the old name)
  -x, --xshelpernr N        helper streams
  -f, --firstcore N         first core to use
  -p, --pinned_numa_node N  NUMA node to stay on
  -g, --group NAME          system name, at most 15 bytes (daos_server)
  -d, --socket_dir DIR      where daos_server listens (/var/run/daos_server)
  -s, --storage PATH        where pools are kept (/mnt/daos)
  -n, --nvme FILE           SPDK configuration that names the devices
  -T, --storage_tiers N     number of storage tiers, 1 to 4
  -r, --mem_size MIB        SPDK memory
  -H, --hugepage_size MIB   size of a huge page
  -b, --bypass_health_chk   do not watch device health
  -I, --instance_idx N      index of this engine on its host
  -m, --modules LIST        modules to load
  -C, --check               start in checker mode
"""


class UsageError(Exception):
    """The command line cannot be used; the text says why."""


class HelpRequested(Exception):
    """``-h`` was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineArguments:
    """What daos_server passes to an engine it starts."""

    targets: int = 1
    helpers: int = 1
    first_core: int = 0
    numa_node: int | None = None
    group: str = "daos_server"
    socket_dir: Path = Path("/var/run/daos_server")
    storage: Path = Path("/mnt/daos")
    nvme_config: Path | None = None
    tiers: int = 1
    instance: int = 0
    check_mode: bool = False
    bypass_health: bool = False
    ignored: tuple[str, ...] = ()
    """Options that only mean something with real hardware, as given."""

    @property
    def contexts(self) -> int:
        """Network contexts: two system streams, one a target, and one a helper up to the number of targets."""
        return 2 + self.targets + min(self.helpers, self.targets)


def parse(argv: Sequence[str]) -> EngineArguments:
    """Read a command line without the program's name; raises UsageError, or HelpRequested for ``-h``."""
    try:
        options, _ = getopt.gnu_getopt(list(argv), SHORT, list(LONG))
    except getopt.GetoptError as error:
        raise UsageError(error.msg) from error
    fields: dict[str, Any] = {}
    ignored = []
    for given, value in options:
        option = _short(given)
        if option == "-h":
            raise HelpRequested
        if (setter := _SETTERS.get(option)) is not None:
            name, convert = setter
            fields[name] = convert(option, value)
        else:
            ignored.append(_ignored(option, value))
    return EngineArguments(**fields, ignored=tuple(ignored))


def _short(option: str) -> str:
    if not option.startswith("--"):
        return option
    name = option[2:]
    return LONG.get(name) or LONG[f"{name}="]


def _ignored(option: str, value: str) -> str:
    if option == "-m" and len(value) > MAX_MODULES:
        raise UsageError(f"module list is longer than {MAX_MODULES} characters")
    if option in {"-r", "-H"}:
        _number(option, value)
    return f"{option} {value}"


def _number(option: str, text: str) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        raise UsageError(f"{option} needs a number, not {text!r}") from None
    if not 0 <= number < 1 << 32:
        raise UsageError(f"{option} {text} is out of range")
    return number


def _targets(option: str, text: str) -> int:
    number = _number(option, text)
    if number == 0:
        raise UsageError("an engine needs at least one target")
    return number


def _tiers(option: str, text: str) -> int:
    number = _number(option, text)
    if not 1 <= number <= 4:
        raise UsageError(f"{number} storage tiers: 1 to 4 are possible")
    return number


def _group(_option: str, text: str) -> str:
    if len(text.encode()) > MAX_GROUP_NAME:
        raise UsageError(f"system name {text!r} is longer than {MAX_GROUP_NAME} bytes")
    return text


def _path(_option: str, text: str) -> Path:
    return Path(text)


def _flag(_option: str, _text: str) -> bool:
    return True


_SETTERS: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "-c": ("targets", _targets),
    "-t": ("targets", _targets),
    "-x": ("helpers", _number),
    "-f": ("first_core", _number),
    "-p": ("numa_node", _number),
    "-g": ("group", _group),
    "-d": ("socket_dir", _path),
    "-s": ("storage", _path),
    "-n": ("nvme_config", _path),
    "-T": ("tiers", _tiers),
    "-I": ("instance", _number),
    "-b": ("bypass_health", _flag),
    "-C": ("check_mode", _flag),
}
