"""Where elections are kept: one leased key per name, whose value says who leads."""

from typing import Final

LEADER_TTL_S: Final = 10.0
"""How long a leader that died without a word is taken for one, where the store cannot know better."""


def election_key(name: str) -> str:
    """Return the key that the leader of ``name`` holds."""
    return f"election/{name}"
