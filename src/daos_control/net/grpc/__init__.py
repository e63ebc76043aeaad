"""gRPC on grpcio: the only package that knows that library.

grpcio reads its settings from the environment while it is loaded, so they are made here, before any module of this
package imports it.
"""

import os

GENUINE_CIPHER = "AES256-GCM-SHA384"
"""The one cipher that DAOS 2.8's programs use; it is not among grpcio's own choice, and without it no handshake with
them succeeds. Where both sides know TLS 1.3 it is not used."""


def _prepare(environment: "os._Environ[str]") -> None:
    suites = environment.get("GRPC_SSL_CIPHER_SUITES", "").split(":")
    if GENUINE_CIPHER not in suites:
        environment["GRPC_SSL_CIPHER_SUITES"] = ":".join([GENUINE_CIPHER, *filter(None, suites)])
    # Its log lines on standard error say in its own words what we report in ours.
    environment.setdefault("GRPC_VERBOSITY", "NONE")
    # The system's resolver, as all other programs use it, in place of one that reads /etc/hosts and asks DNS itself.
    environment.setdefault("GRPC_DNS_RESOLVER", "native")
    # Children are started with exec; its hooks around fork only cost and complain.
    environment.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")


_prepare(os.environ)
