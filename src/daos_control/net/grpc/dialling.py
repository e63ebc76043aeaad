"""Reaches a host: its name is resolved, its addresses are tried in turn, perhaps through a proxy.

What fails is told by the exceptions of ``socket`` alone, which ``failures`` puts into the words of DAOS.
"""

import asyncio
import os
import socket
from typing import Any, Final

_MOST_ANSWER: Final = 8 << 10
_SHARE_S: Final = 1.0
"""How long one of several addresses of a host may keep silent before the next one is tried."""


class RefusedByProxy(ConnectionError):
    """The proxy that the environment names does not let us through."""


def split(address: str) -> tuple[str, int]:
    """Split ``host:port``; the host may be an IPv6 address, with or without brackets. Raises socket.gaierror.

    >>> split("node1:10001"), split("[::1]:10001")
    (('node1', 10001), ('::1', 10001))
    """
    host, _, port = address.rpartition(":")
    if not port.isdigit() or not host or int(port) > 65_535:
        raise socket.gaierror(socket.EAI_NONAME, f"{address!r} is no host:port")
    return host.strip("[]"), int(port)


async def connect(address: str, *, allow_proxy: bool) -> socket.socket:
    """Return a connected socket, which is the caller's to close. Raises OSError, of which gaierror is one."""
    host, port = split(address)
    if allow_proxy:
        # Few need it, and it loads what takes longer than all else here.
        from daos_control.net.grpc.proxies import BadProxy, proxy_for  # noqa: PLC0415

        try:
            proxy = proxy_for(host, port, os.environ)
        except BadProxy as error:
            raise RefusedByProxy(str(error)) from error
        if proxy is not None:
            return await _through(proxy.host, proxy.port, proxy.request(address))
    return await _connect(host, port)


async def _connect(host: str, port: int) -> socket.socket:
    *others, last = await _resolved(host, port)
    for family, address in others:
        try:
            async with asyncio.timeout(_SHARE_S):
                return await _connected(family, address)
        except OSError:  # TimeoutError is one; the last one's error will be told
            continue
    return await _connected(*last)


async def _resolved(host: str, port: int) -> list[tuple[int, Any]]:
    """Return the addresses of a host. An address that is given as numbers needs no thread that waits for an answer.

    Names go as bytes: Python would load its tables of international names for text.
    """
    try:
        name = host.encode("ascii")
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    only_tcp = {"type": socket.SOCK_STREAM, "proto": socket.IPPROTO_TCP}
    try:
        found = socket.getaddrinfo(name, port, flags=socket.AI_NUMERICHOST, **only_tcp)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, **only_tcp)
    return [(family, address) for family, _, _, _, address in found]


async def _connected(family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _through(host: str, port: int, request: bytes) -> socket.socket:
    """Ask a proxy for a tunnel."""
    loop = asyncio.get_running_loop()
    sock = await _connect(host, port)
    try:
        await loop.sock_sendall(sock, request)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            # Byte by byte: what follows is the other end's, which may speak first.
            octet = await loop.sock_recv(sock, 1)
            answer += octet
            if not octet or len(answer) > _MOST_ANSWER:
                raise RefusedByProxy(f"the proxy {host}:{port} closed the connection")
        status = answer.split(b"\r\n", 1)[0].decode(errors="replace").split(" ", 1)[-1]
        if not status.startswith("2"):
            raise RefusedByProxy(f"the proxy {host}:{port} said {status}")
    except BaseException:
        sock.close()
        raise
    return sock
