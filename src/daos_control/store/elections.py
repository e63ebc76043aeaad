"""Where elections are kept: one key per name, whose value says who leads."""


def election_key(name: str) -> str:
    """Return the key that the leader of ``name`` holds."""
    return f"election/{name}"
