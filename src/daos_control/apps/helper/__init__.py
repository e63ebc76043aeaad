"""daos_server_helper: the little that needs root, one request a run."""
