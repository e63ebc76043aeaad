"""Which proxy the environment names for a host, if any: the variables and their grammar are everybody's.

``https_proxy`` stands for the connections of gRPC, encrypted or not; a proxy is asked for a tunnel (HTTP CONNECT).
"""

import binascii
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

_PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy")
_EXCEPTION_VARIABLES = ("no_grpc_proxy", "no_proxy", "NO_PROXY")
_PORT = 80


class Proxy:
    """Where a proxy is, and what it wants to hear."""

    __slots__ = ("credentials", "host", "port")

    def __init__(self, host: str, port: int, credentials: str = "") -> None:
        self.host = host
        self.port = port
        self.credentials = credentials
        """``user:password``; empty if it asks for none."""

    def request(self, address: str) -> bytes:
        """Return what asks for a tunnel to ``host:port``."""
        lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
        if self.credentials:
            encoded = binascii.b2a_base64(self.credentials.encode(), newline=False).decode()
            lines.append(f"Proxy-Authorization: Basic {encoded}")
        return "\r\n".join([*lines, "", ""]).encode()


class BadProxy(ValueError):
    """The environment names a proxy that cannot be one."""


def proxy_for(host: str, port: int, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy through which a host is reached, or None. Raises BadProxy."""
    for name in _PROXY_VARIABLES:
        url = environment.get(name, "").strip()
        if url:
            return None if _is_exempt(host, port, environment) else _parsed(url, name)
    return None


def _parsed(url: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError as error:
        raise BadProxy(f"{variable} is no address of a proxy: {error}") from error
    if parts.scheme != "http" or not parts.hostname:
        raise BadProxy(f"{variable} names no proxy that speaks plain HTTP: http://host:port is expected")
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Proxy(parts.hostname, port or _PORT, credentials)


def _is_exempt(host: str, port: int, environment: Mapping[str, str]) -> bool:
    exceptions = next((environment[name] for name in _EXCEPTION_VARIABLES if environment.get(name)), "")
    return any(_covers(pattern.strip().lower(), host.lower(), port) for pattern in exceptions.split(","))


def _covers(pattern: str, host: str, port: int) -> bool:
    """Tell whether a pattern means a host: a name, a domain and all below it, an address, a network, or ``*``."""
    if not pattern:
        return False
    if pattern.startswith("["):
        pattern, _, only = pattern[1:].partition("]")
    elif pattern.count(":") == 1:
        pattern, _, only = pattern.partition(":")
    else:
        only = ""
    if only.strip(":") not in {"", str(port)}:
        return False
    pattern = pattern.removeprefix("*").lstrip(".")
    if not pattern:
        return True
    try:
        return ip_address(host) in ip_network(pattern, strict=False)
    except ValueError:
        return host == pattern or host.endswith(f".{pattern}")
