"""How an unprivileged server gets privileged work done: one JSON request to one short-lived root process."""
