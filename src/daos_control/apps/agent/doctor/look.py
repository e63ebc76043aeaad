"""Looking at an agent's host, and asking the system, once. Nothing here changes anything."""

import asyncio
import os
import socket
from dataclasses import replace
from pathlib import Path

from daos_control.apps.agent import upstream
from daos_control.apps.agent.doctor.facts import AccessPoint, AgentFacts, System
from daos_control.apps.agent.interfaces import Interfaces
from daos_control.apps.agent.main import SOCKET
from daos_control.apps.doctor.checks.certificates import CertificateFacts
from daos_control.apps.doctor.checks.places import LogFile, SocketFolder
from daos_control.apps.doctor.view import View, look_around
from daos_control.base.errors import DaosControlError
from daos_control.client.hosts import addresses
from daos_control.config.agent import AgentConfig
from daos_control.host import cpus, network
from daos_control.host.network import NetInterface
from daos_control.host.places import look_at
from daos_control.net.rpc.methods import MGMT
from daos_control.net.unreachable import why_unreachable
from daos_control.security.certificates import CertificateFiles, Certificates, load
from daos_control.security.components import Component
from daos_control.wire.pb.mgmt.svc_pb2 import GetAttachInfoReq, GetAttachInfoResp

KNOCK_S = 2.0
"""How long an access point may take to accept a connection."""
ANSWER_S = 5.0
"""How long the system may take to tell how it is reached."""
_ROOT = Path("/")


async def gather(path: str | None, *, insecure: bool = False, runtime_dir: str = "", root: Path = _ROOT) -> AgentFacts:
    """Look at this host as an agent with that configuration would, and ask the system."""
    where = Path(path) if path else None
    try:
        config = AgentConfig.find(path)
    except DaosControlError as error:
        view = await asyncio.to_thread(look_around, root)
        return AgentFacts(path=where, config=None, problem=error, view=view)
    view = await asyncio.to_thread(look_around, root, ports=(config.telemetry_port,))
    config = _overridden(config, insecure=insecure, runtime_dir=runtime_dir)
    points, (system, problem) = await asyncio.gather(knock(config), ask(config))
    folder = Path(config.runtime_dir)
    interfaces = network.net_interfaces(root)
    return AgentFacts(
        path=config.path,
        config=config,
        view=view.limited_as(view.serving("daos_agent", config.path), root),
        environment=dict(os.environ),
        certificates=await asyncio.to_thread(look_at_certificates, config, view),
        runtime=SocketFolder(key="runtime_dir", place=look_at(folder), longest_name=SOCKET),
        socket=look_at(folder / SOCKET),
        logs=(LogFile(key="log_file", place=look_at(Path(config.log_file))),) if config.log_file else (),
        access_points=points,
        system=system,
        system_problem=problem,
        interfaces=interfaces,
        fabric=network.fabric_interfaces(interfaces, network.addressed_interfaces()),
        addressed=_addressed(interfaces),
        numa_nodes=tuple(cpus.cores_by_node(root)),
    )


def _overridden(config: AgentConfig, *, insecure: bool, runtime_dir: str) -> AgentConfig:
    config = config.insecure() if insecure else config
    return replace(config, runtime_dir=runtime_dir or config.runtime_dir)


def certificate_files(config: AgentConfig) -> CertificateFiles:
    """Return where the agent's certificates are."""
    transport = config.transport_config
    return CertificateFiles(
        ca_cert=Path(transport.ca_cert),
        cert=Path(transport.cert),
        key=Path(transport.key),
        client_cert_dir=Path(transport.client_cert_dir) if transport.client_cert_dir else None,
    )


def look_at_certificates(config: AgentConfig, view: View) -> CertificateFacts:
    """Look at the agent's certificates."""
    if config.transport_config.allow_insecure:
        return CertificateFacts(component=Component.AGENT, inspection=None)
    from daos_control.security.inspection import inspect  # noqa: PLC0415  it loads cryptography

    return CertificateFacts(component=Component.AGENT, inspection=inspect(certificate_files(config), view.now))


async def knock(config: AgentConfig) -> tuple[AccessPoint, ...]:
    """See which access points take connections."""
    try:
        hosts = addresses(config.access_points, config.port)
    except DaosControlError:  # told with the answer that is not there
        return ()
    return tuple(await asyncio.gather(*(_knock(address) for address in hosts)))


async def _knock(address: str) -> AccessPoint:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        return AccessPoint(address=address, problem=f"no answer within {KNOCK_S:.0f} s")
    except socket.gaierror as error:
        return AccessPoint(address=address, problem=why_unreachable(error), is_named=False)
    except OSError as error:
        return AccessPoint(address=address, problem=why_unreachable(error))
    writer.close()
    return AccessPoint(address=address)


async def ask(config: AgentConfig) -> tuple[System | None, DaosControlError | None]:
    """Ask the system how it is reached, as the agent would for an application."""
    try:
        certificates = _certificates(config)
        service = upstream.Connection(config.access_points, config.name, port=config.port, certificates=certificates)
        request = GetAttachInfoReq(all_ranks=True)
        reply: GetAttachInfoResp = await service.call(MGMT["GetAttachInfo"], request, deadline_s=ANSWER_S)
    except DaosControlError as error:
        return None, error
    build, hint = reply.build_info, reply.client_net_hint
    return (
        System(
            name=reply.sys or config.name,
            version=f"{build.major}.{build.minor}.{build.patch}",
            ranks=len(reply.rank_uris),
            provider=hint.provider,
            device_class=hint.net_dev_class,
        ),
        None,
    )


def _certificates(config: AgentConfig) -> Certificates | None:
    return None if config.transport_config.allow_insecure else load(certificate_files(config))


def _addressed(interfaces: tuple[NetInterface, ...]) -> frozenset[str]:
    asking = Interfaces()
    try:
        return frozenset(one.name for one in interfaces if asking.has_address(one.name))
    finally:
        asking.close()
