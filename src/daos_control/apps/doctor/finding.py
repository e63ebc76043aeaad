"""What a check found: a verdict, the facts it rests on, and what to do about them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode


class Verdict(Enum):
    """How it stands with one thing."""

    OK = "ok"
    WARNING = "warning"
    """It works, but not as well, or not for long."""
    PROBLEM = "problem"
    """The program would not start, or not do its work."""
    NOT_APPLICABLE = "n/a"
    """The configuration does not need it."""
    UNKNOWN = "unknown"
    """It could not be looked at; the remedy says who can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's table."""

    topic: str
    check: str
    verdict: Verdict
    found: str
    remedy: str = ""
    code: int = 0
    """Number of the fault that DAOS has for it; 0 for none."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Makes findings of one topic."""

    name: str

    def ok(self, check: str, found: str, remedy: str = "") -> Finding:
        """Nothing is wrong."""
        return Finding(topic=self.name, check=check, verdict=Verdict.OK, found=found, remedy=remedy)

    def warning(self, check: str, found: str, remedy: str) -> Finding:
        """It works, but somebody should see to it."""
        return Finding(topic=self.name, check=check, verdict=Verdict.WARNING, found=found, remedy=remedy)

    def problem(self, check: str, found: str, remedy: str) -> Finding:
        """It will not work."""
        return Finding(topic=self.name, check=check, verdict=Verdict.PROBLEM, found=found, remedy=remedy)

    def not_applicable(self, check: str, found: str) -> Finding:
        """There is no need for it."""
        return Finding(topic=self.name, check=check, verdict=Verdict.NOT_APPLICABLE, found=found)

    def unknown(self, check: str, found: str, remedy: str) -> Finding:
        """It could not be looked at."""
        return Finding(topic=self.name, check=check, verdict=Verdict.UNKNOWN, found=found, remedy=remedy)

    def raised(self, check: str, error: DaosControlError, remedy: str = "") -> Finding:
        """Say what a program's own rule would: a fault brings its number and its remedy."""
        found = error.gist
        remedy = remedy or str(getattr(error, "resolution", ""))
        if not remedy:  # an error without a number says both in one sentence
            found, _, remedy = found.rpartition("; ") if "; " in found else (found, "", "")
        return Finding(
            topic=self.name,
            check=check,
            verdict=Verdict.PROBLEM,
            found=found,
            remedy=remedy,
            code=int(getattr(error, "code", 0)),
        )


ACCESS = {"permissions", "programs", "ports", "memory"}
"""Topics that look otherwise to every user."""


def as_seen_by_a_stranger(finding: Finding, operator: str, program: str) -> Finding:
    """Take back what only shows that somebody looks who does not run the program."""
    is_access = finding.topic in ACCESS or finding.code == FaultCode.SECURITY_UNREADABLE_CERT_FILE
    if not operator or not is_access or finding.verdict not in {Verdict.PROBLEM, Verdict.WARNING}:
        return finding
    remedy = f"{program} runs as {operator} here: look as that user, or as root"
    return replace(finding, verdict=Verdict.UNKNOWN, remedy=remedy, code=0)


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing was found that stops a program; warnings do not."""
    return all(finding.verdict is not Verdict.PROBLEM for finding in findings)
