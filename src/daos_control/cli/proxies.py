"""The proxies that the environment names, which have no business between DAOS programs."""

import os
from collections.abc import Mapping

from daos_control.cli.flags import Values

KEPT_BY = "DAOS_DISABLE_PROXY_SCRUB"
_VARIABLES = ("http_proxy", "https_proxy", "ftp_proxy", "socks_proxy", "no_proxy", "all_proxy")


def allowed(values: Values, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody wants the proxies all the same: by option, or by a variable that is true."""
    return bool(values.allow_proxy) or environment.get(KEPT_BY) in {"1", "t", "T", "true", "TRUE", "True"}


def forget_proxies() -> None:
    """Keep the environment's proxies away from gRPC, and from engines: servers are never behind one."""
    for name in _VARIABLES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
