"""Mutual TLS as genuine DAOS programs need it, from certificates that ``security.certificates`` has checked."""

import grpc

from daos_control.security.certificates import Certificates
from daos_control.security.components import Component

# Every server of a system presents the same certificate, made out to this name and not to any host. Clients compare
# with it instead of the address they dialled; what keeps a client from posing as a server is the name, too.
SERVER_OPTIONS = (("grpc.ssl_target_name_override", Component.SERVER.value),)


def server_credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Demand a certificate of our authority from every client."""
    return grpc.ssl_server_credentials(
        [(certificates.key, certificates.certificate)], certificates.authority, require_client_auth=True
    )


def channel_credentials(certificates: Certificates) -> grpc.ChannelCredentials:
    """Trust servers of our authority, and show who we are."""
    return grpc.ssl_channel_credentials(certificates.authority, certificates.key, certificates.certificate)
