"""Which DAOS we are to our peers.

Peers judge compatibility by this number (dmg and servers: same major and minor), so it names the DAOS release
whose protocol we speak, not the release of this package.
"""

DAOS_VERSION = "2.8.0"

DAOS_REVISION = "5a2536493607f065e0f6be51fd87b534a5eafa52"
"""The commit of DAOS that was released under this version; programs give it beside the version."""
