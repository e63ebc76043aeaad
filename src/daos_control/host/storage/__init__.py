"""Storage of this host's engines: what has to be done to it (pure), and doing it."""
