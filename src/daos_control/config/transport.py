"""``transport_config``: certificates or none, the same section in all three files."""

from dataclasses import dataclass, replace

from daos_control.config.document import setting

CERTIFICATES = "/etc/daos/certs"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportConfig:
    """Where a program's certificates are, unless it goes without."""

    allow_insecure: bool = setting(False)
    """Neither show nor ask for certificates; all programs of a system must agree on this."""
    client_cert_dir: str = setting("", omit=True)
    """Certificates of the agents whose users' credentials a server accepts."""
    ca_cert: str = setting(f"{CERTIFICATES}/daosCA.crt")
    """Certificate of the authority that signs all others."""
    cert: str = setting("")
    """This program's certificate."""
    key: str = setting("")
    """Its private key, readable for nobody else."""

    def insecure(self) -> "TransportConfig":
        """The same, without certificates."""
        return replace(self, allow_insecure=True)


SERVER = TransportConfig(
    client_cert_dir=f"{CERTIFICATES}/clients", cert=f"{CERTIFICATES}/server.crt", key=f"{CERTIFICATES}/server.key"
)
AGENT = TransportConfig(cert=f"{CERTIFICATES}/agent.crt", key=f"{CERTIFICATES}/agent.key")
ADMIN = TransportConfig(cert=f"{CERTIFICATES}/admin.crt", key=f"{CERTIFICATES}/admin.key")
