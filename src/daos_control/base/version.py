"""Which DAOS we are to our peers.

Peers judge compatibility by this number (dmg and servers: same major and minor), so it names the DAOS release
whose protocol we speak, not the release of this package.
"""

DAOS_VERSION = "2.8.0"
