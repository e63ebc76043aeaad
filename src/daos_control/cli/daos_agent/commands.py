"""The commands of daos_agent: read the configuration, call, print."""

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias

from daos_control.cli import proxies
from daos_control.cli.flags import Values
from daos_control.cli.shared_verbs.version import tell_version
from daos_control.cli.ui.errors import error_text

if TYPE_CHECKING:
    from daos_control.config.agent import AgentConfig
    from daos_control.security.certificates import Certificates
    from daos_control.wire.pb.mgmt.svc_pb2 import ClientNetHint, GetAttachInfoResp

PROGRAM = "daos_agent"
NAME = "DAOS Agent"
SERVER_NAME = "DAOS Control Server"

Document: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[[Values], int]


def _command(run: Callable[[Values], Any]) -> Run:
    """Make a command of a function that may raise; a document that it returns is its JSON."""

    @wraps(run)
    def guarded(values: Values) -> int:
        try:
            document = run(values)
        except Exception as error:  # sorted out below, with what need not be loaded for a command that works
            if not _is_expected(error) or isinstance(error, BrokenPipeError):  # the program takes that quietly
                raise
            if values.json:
                _print_document(None, error)
            print(f"ERROR: {PROGRAM}: {error_text(error)}", file=sys.stderr)
            resolution = getattr(error, "resolution", "")
            if resolution:
                print(f"ERROR: {PROGRAM}: {resolution}", file=sys.stderr)
            return 1
        if values.json:
            _print_document(document)
        return 0

    return guarded


def _print_document(response: object, error: Exception | None = None) -> None:
    from daos_control.cli.ui.envelope import envelope

    print(envelope(response, error, text=error_text(error) if error else ""))


def _is_expected(error: Exception) -> bool:
    """Whether an error is one that people make or meet, and not a bug."""
    from daos_control.base.errors import DaosControlError
    from daos_control.net.drpc.errors import DrpcError

    return isinstance(error, DaosControlError | DrpcError | OSError | ValueError)


@_command
def start(values: Values) -> None:
    """Serve clients until told to stop."""
    import asyncio

    from daos_control.apps.agent import main

    config, certificates = _configured(values, is_daemon=True)
    asyncio.run(main.run(config, certificates, allow_proxy=proxies.allowed(values)))


@_command
def version(values: Values) -> Document:
    """Print this program's version."""
    return tell_version(values, NAME)


@_command
def server_version(values: Values) -> Document:
    """Print the version of the servers."""
    build = _attach_info(_configured(values)).build_info
    number = f"{build.major}.{build.minor}.{build.patch}"
    if not values.json:
        print(f"{SERVER_NAME} version {number}")
    document = {"name": SERVER_NAME, "version": number}
    return document | ({"build_info": build.tag} if build.tag else {})


@_command
def dump_attach_info(values: Values) -> Document:
    """Print the ranks' addresses as a CaRT group file."""
    configured = _configured(values)
    reply = _attach_info(configured)
    if not values.json:
        lines = [f"name {reply.sys or configured[0].name}", f"size {len(reply.rank_uris)}", "all"]
        lines += [f"{entry.rank} {entry.uri}" for entry in reply.rank_uris]
        _write(values.output_file, "\n".join(lines) + "\n")
    return _attach_document(reply)


@_command
def net_scan(values: Values) -> Document | None:
    """List what the local network interfaces are good for; that there are none is no failure."""
    from daos_control.cli.local.fabric import NoFabricError, local_document, local_fabric, local_view

    try:
        fabric = local_fabric(values.provider)
    except NoFabricError as error:
        print(f"NOTICE: {PROGRAM}: {error}", file=sys.stderr)
        return None
    if not values.json:
        print(local_view(fabric), end="")
    return local_document(fabric)


@_command
def dump_topology(values: Values) -> Document:
    """Print how this host hangs together."""
    from daos_control.cli.local.topology import dump_topology

    return dump_topology(values)


@_command
def collect_log(values: Values) -> None:
    """Collect what support needs of this node."""
    from daos_control.cli.daos_agent.support import collect

    collect(values)


def _configured(values: Values, *, is_daemon: bool = False) -> tuple["AgentConfig", "Certificates | None"]:
    """Read the configuration as the command line changes it, set up logging, and load the certificates."""
    from dataclasses import replace
    from pathlib import Path

    from daos_control.base import logs
    from daos_control.config import system
    from daos_control.config.agent import AgentConfig
    from daos_control.security import certificates

    if not proxies.allowed(values):
        proxies.forget_proxies()
    config = AgentConfig.find(values.config_path)
    config = replace(
        config,
        log_file=values.logfile or config.log_file,
        runtime_dir=values.runtime_dir or config.runtime_dir,
        control_log_mask=logs.Level.TRACE if values.debug else config.control_log_mask,
        transport_config=config.transport_config.insecure() if values.insecure else config.transport_config,
    )
    least = logs.Level.INFO if is_daemon else logs.Level.NOTICE
    level = config.control_log_mask if values.debug else max(config.control_log_mask, least)
    try:
        logs.configure(program=PROGRAM, level=level, file=config.log_file or None, json=values.json_logging)
    except OSError as error:
        if is_daemon or values.logfile:
            raise system.unwritable(config.path, "log_file", error) from error
        logs.configure(program=PROGRAM, level=level, json=values.json_logging)  # a question can do without the log
        logs.get(__name__).notice(f"nothing is logged to {config.log_file}: {error.strerror}")
    logs.get(__name__).info(f"loaded agent config from path: {config.path}")
    transport = config.transport_config
    if transport.allow_insecure:
        return config, None
    files = certificates.CertificateFiles(
        ca_cert=Path(transport.ca_cert),
        cert=Path(transport.cert),
        key=Path(transport.key),
        client_cert_dir=Path(transport.client_cert_dir) if transport.client_cert_dir else None,
    )
    return config, certificates.load(files)


def _attach_info(configured: tuple["AgentConfig", "Certificates | None"]) -> "GetAttachInfoResp":
    import asyncio

    from daos_control.apps.agent import upstream

    config, certificates = configured
    service = upstream.Connection(config.access_points, config.name, port=config.port, certificates=certificates)
    return asyncio.run(upstream.ask_attach_info(service))


def _write(path: str, text: str) -> None:
    from pathlib import Path

    if path == "stdout":
        sys.stdout.write(text)
    else:
        Path(path).write_text(text)


def _attach_document(reply: "GetAttachInfoResp") -> Document:
    build = reply.build_info
    return {
        "sys": reply.sys,
        "rank_uris": _ranks(reply.rank_uris),
        "secondary_rank_uris": _ranks(reply.secondary_rank_uris),
        "ms_ranks": list(reply.ms_ranks) or None,
        "client_net_hint": _hint(reply.client_net_hint),
        "secondary_client_net_hints": [_hint(hint) for hint in reply.secondary_client_net_hints] or None,
        "build_info": {"major": build.major, "minor": build.minor, "patch": build.patch}
        | ({"tag": build.tag} if build.tag else {}),
    }


def _ranks(uris: Iterable[Any]) -> list[Document] | None:
    names = ("rank", "uri", "provider_idx", "num_ctxs")
    return [{name: getattr(uri, name) for name in names} for uri in uris] or None


def _hint(hint: "ClientNetHint") -> Document:
    names = ("provider", "interface", "domain", "crt_timeout", "net_dev_class", "srv_srx_set")
    document = {name: getattr(hint, name) for name in names}
    return document | {"env_vars": list(hint.env_vars) or None, "provider_idx": hint.provider_idx}
