"""The configuration by itself: there, readable, right, and something that this release can do."""

from collections.abc import Iterator
from pathlib import Path

from daos_control.apps.doctor.checks.configuration import TOPIC, unreadable
from daos_control.apps.doctor.finding import Finding
from daos_control.apps.server.doctor.facts import ServerFacts
from daos_control.apps.server.fault_domain import check_program, parse
from daos_control.apps.server.preparation import NotThereYetError, refuse_what_is_not_there_yet
from daos_control.base.errors import DaosControlError
from daos_control.config.preparation import for_engines, srx_for_clients, with_one_provider
from daos_control.config.server import ServerConfig
from daos_control.config.system import DIRECTORY
from daos_control.config.validation import ONE_REPLICA, validated


def check(facts: ServerFacts) -> Iterator[Finding]:
    """Read it as the server does."""
    if facts.config is None:
        yield unreadable(facts.problem)
        return
    yield TOPIC.ok("file", f"{facts.path} is read")
    try:
        config = validated(facts.config)
    except DaosControlError as error:
        yield TOPIC.raised("rules", error)
        return
    yield from _check_rules(config)
    yield from _check_fault_domain(config, facts.view.hostname)
    for notice in config.notices:
        if notice != ONE_REPLICA:
            yield TOPIC.warning("notice", notice, "change it as it says; the server starts all the same")


def _check_rules(config: ServerConfig) -> Iterator[Finding]:
    if not config.provider:
        yield TOPIC.problem("rules", "provider is not set", "see which there are: daos_server network scan -p all")
        return
    try:
        refuse_what_is_not_there_yet(config)
        with_one_provider(config)
        srx_for_clients(config)
        for_engines(config, {})
    except NotThereYetError as error:
        yield TOPIC.problem("release", str(error), "use another class of storage, or the server of DAOS itself")
    except DaosControlError as error:
        yield TOPIC.raised("rules", error)
    else:
        count = len(config.engines)
        shown = f"{count} engine{'s' * (count != 1)}" if count else "no engines: the server would only look at hardware"
        yield TOPIC.ok("rules", f"system {config.name}, {shown}, provider {config.provider}")


def _check_fault_domain(config: ServerConfig, hostname: str) -> Iterator[Finding]:
    """Look at the fault domain; the program that tells it is not run."""
    try:
        if config.fault_cb:
            check_program(Path(config.fault_cb), DIRECTORY)
            yield TOPIC.ok("fault domain", f"told by {config.fault_cb}, which may be run (and is not, here)")
        else:
            yield TOPIC.ok("fault domain", str(parse(config.fault_path or f"/{hostname.partition('.')[0]}")))
    except DaosControlError as error:
        yield TOPIC.raised("fault domain", error)
