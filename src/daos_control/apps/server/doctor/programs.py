"""The programs that a server starts: engines, the privileged helper, the tools that guard engines."""

from collections.abc import Iterator

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.apps.doctor.view import View
from daos_control.apps.server.doctor.facts import Programs
from daos_control.base.version import DAOS_VERSION
from daos_control.config.server import ServerConfig
from daos_control.host.helper.protocol import HELPER

TOPIC = Topic("programs")


def check(programs: Programs, view: View, config: ServerConfig, *, is_running: bool = False) -> Iterator[Finding]:
    """Each must be found, and fit."""
    if not config.engines:
        yield TOPIC.not_applicable("engine", "there are no engines")
    elif programs.engine is None and is_running:
        yield TOPIC.ok("engine", f"engines run; from here: {programs.engine_problem}")
    elif programs.engine is None:
        yield TOPIC.problem("engine", programs.engine_problem, "install DAOS's engine, or put its folder into PATH")
    else:
        yield _engine(programs)
    if programs.missing_tools:
        names = " and ".join(programs.missing_tools)
        yield TOPIC.problem("tools", f"{names} not found in PATH", "install util-linux, whose setpriv guards engines")
    else:
        yield TOPIC.ok("tools", "setpriv and sh are there, which see to it that engines end with the server")
    yield _helper(programs, view)


def _engine(programs: Programs) -> Finding:
    version = programs.engine_version
    if not version:
        return TOPIC.unknown("engine", f"{programs.engine}, of unknown version", f"it has to be of DAOS {DAOS_VERSION}")
    if version != DAOS_VERSION:
        return TOPIC.problem(
            "engine",
            f"{programs.engine} is of version {version}, and this server of {DAOS_VERSION}",
            "install one release of both",
        )
    return TOPIC.ok("engine", f"{programs.engine}, of version {version}")


def _helper(programs: Programs, view: View) -> Finding:
    if programs.may_mount:
        return TOPIC.not_applicable("helper", f"{view.user} may mount by itself")
    stand_ins = "storage of class ram will be plain folders on disk, not in memory"
    helper = programs.helper
    if view.is_root:
        return TOPIC.warning("helper", f"root may not mount here: {stand_ins}", "run outside of the container")
    if helper is None:
        return TOPIC.warning(
            "helper", f"{HELPER} is not found: {stand_ins}", "install it, owned by root with mode 4750"
        )
    if not programs.helper_is_privileged:
        return TOPIC.warning(
            "helper",
            f"{helper.path} has no rights of root (owner {helper.uid}, mode {helper.mode:04o}): {stand_ins}",
            f"chown root:{view.user} {helper.path} && chmod 4750 {helper.path}",
        )
    return TOPIC.ok("helper", f"{helper.path} runs as root")
