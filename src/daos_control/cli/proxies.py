"""The proxies that the environment names, which have no business between DAOS programs."""

import os

_VARIABLES = ("http_proxy", "https_proxy", "ftp_proxy", "socks_proxy", "no_proxy", "all_proxy")


def forget_proxies() -> None:
    """Keep the environment's proxies away from gRPC, and from engines: servers are never behind one."""
    for name in _VARIABLES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
