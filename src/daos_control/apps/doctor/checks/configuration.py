"""The configuration's file: what keeps a program from taking it."""

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.config.document import ConfigError

TOPIC = Topic("configuration")
_LEFT_OUT = "everything that depends on it is left out below"


def unreadable(problem: Exception | None) -> Finding:
    """Tell what is wrong with it; where the problem itself says what to do, that is the remedy."""
    found, remedy = str(problem), "correct the file"
    if isinstance(problem, ConfigError):
        lines = [f"line {one.line}: {one.text}" if one.line else one.text for one in problem.problems]
        found = "; ".join(lines)
        if len(lines) == 1 and "; " in found:
            found, _, remedy = found.rpartition("; ")
        found = f"{problem.source}: {found}"
    return TOPIC.problem("file", found, f"{remedy}; {_LEFT_OUT}")
