"""daos_server."""
