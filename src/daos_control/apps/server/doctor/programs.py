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
    wrong = _wrong_with_helper(programs, view)
    if wrong is None:
        return TOPIC.ok("helper", f"{programs.helper.path if programs.helper else HELPER} runs as root")
    found, remedy = wrong
    return TOPIC.warning(
        "helper", f"{found}: storage of class ram will be plain folders on disk, not in memory", remedy
    )


def _wrong_with_helper(programs: Programs, view: View) -> tuple[str, str] | None:
    """Say why storage will not be made in memory, and what to do; None if it will."""
    helper = programs.helper
    if view.is_root:
        return "root may not mount here", "run outside of the container"
    if helper is None:
        return f"{HELPER} is not found", "install it, owned by root with mode 4750"
    if programs.helper_is_script:
        return (
            f"{helper.path} is a script, to which the kernel gives no rights of root",
            "to have it in memory, run daos_server as root",
        )
    if not programs.helper_has_rights:
        return (
            f"{helper.path} has no rights of root (owner {helper.uid}, mode {helper.mode:04o})",
            f"chown root:{view.user} {helper.path} && chmod 4750 {helper.path}",
        )
    if programs.helper_problem:
        return (
            f"{helper.path} does not do its work ({programs.helper_problem})",
            f"install the {HELPER} of this release, or run daos_server as root",
        )
    return None
