"""Certificates: there, for the right program, signed by the authority, good for a while yet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from daos_control.apps.doctor.finding import Finding, Topic
from daos_control.base.fault_codes import FaultCode
from daos_control.base.units import counted
from daos_control.security.components import Component
from daos_control.security.inspection import Inspection, Life

TOPIC = Topic("certificates")
WARN_BEFORE = timedelta(days=30)

_RENEW = "make new certificates, put them on all hosts, and restart the programs: they read them only then"
_SET_CLOCK = "set the clock right, here or where it was issued (timedatectl); or wait until then"

_RISK = {
    Component.SERVER: "whoever reaches the port may do everything",
    Component.AGENT: "whoever answers at an access point is believed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What there is to say about a program's certificates."""

    component: Component
    inspection: Inspection | None
    """None in insecure mode."""
    clients: Path | None = None
    """Where a server keeps the certificates of agents whose credentials it accepts."""
    clients_are_listed: bool = True
    has_agent: bool = True
    """Whether the agents' is among them."""


def check(facts: CertificateFacts, now: datetime) -> Iterator[Finding]:
    """Look at all of them; in insecure mode there are none."""
    found = facts.inspection
    if found is None:
        yield TOPIC.warning(
            "transport",
            f"allow_insecure is set: {_RISK[facts.component]}, and nothing is encrypted",
            "outside of a test, remove allow_insecure on all hosts and give them certificates",
        )
        return
    yield from _problems(found, now)
    if found.certificate is not None:
        if not found.problems:
            yield TOPIC.ok("files", f"{found.certificate.path} is signed by the authority, and the key belongs to it")
        yield _role(facts.component, found.certificate)
        yield _expiry("expiry", found.certificate, now)
    for authority in found.authorities:
        yield _expiry("authority", authority, now)
    if facts.clients is not None and facts.clients_are_listed and not facts.has_agent:
        yield TOPIC.warning(
            "clients",
            f"{facts.clients} holds no agent.crt: credentials of applications are refused",
            f"copy agent.crt, without its key, to {facts.clients}",
        )


def _problems(found: Inspection, now: datetime) -> Iterator[Finding]:
    """Tell each problem; files that are all missing are one, and dates are told by themselves."""
    lives = [*found.authorities, *([found.certificate] if found.certificate else [])]
    dated = any(not life.begins <= now <= life.ends for life in lives)
    missing = [one for one in found.problems if getattr(one, "code", 0) == FaultCode.SECURITY_MISSING_CERT_FILE]
    if len(missing) > 1:
        first = TOPIC.raised("files", missing[0], "make certificates and put them there, or correct transport_config")
        more = f" (and {len(missing) - 1} more files do not either)"
        yield replace(first, found=first.found + more)
    for problem in found.problems:
        of_dates = dated and getattr(problem, "code", 0) == FaultCode.SECURITY_INVALID_CERT
        if not of_dates and (len(missing) < 2 or problem not in missing):
            yield TOPIC.raised("files", problem)


def _role(component: Component, own: Life) -> Finding:
    if own.name == component.value:
        return TOPIC.ok("role", f"its common name is {own.name}, as it must be")
    return TOPIC.problem(
        "role",
        f'the common name of {own.path} is "{own.name}", and only "{component.value}" is let in as such',
        f"name the certificate that was issued for {component.value}s in transport_config",
    )


def _expiry(check: str, life: Life, now: datetime) -> Finding:
    left = life.ends - now
    day = f"{life.ends:%Y-%m-%d}"
    whose = life.name or life.path.name
    if now < life.begins:
        early = f"{whose} is not valid before {life.begins:%Y-%m-%d %H:%M} UTC, and by this host's clock it is "
        early += f"{now:%H:%M}" if now.date() == life.begins.date() else f"{now:%Y-%m-%d %H:%M}"
        return replace(TOPIC.problem(check, early, _SET_CLOCK), code=FaultCode.SECURITY_INVALID_CERT)
    if left < timedelta():
        expired = TOPIC.problem(check, f"{whose} has expired on {day}", _RENEW)
        return replace(expired, code=FaultCode.SECURITY_INVALID_CERT)
    if left < WARN_BEFORE:
        return TOPIC.warning(check, f"{whose} expires in {counted(left.days, 'day')}, on {day}", _RENEW)
    return TOPIC.ok(check, f"{whose} is good until {day}, {counted(left.days, 'day')} from now")
