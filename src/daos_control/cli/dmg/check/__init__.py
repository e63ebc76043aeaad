"""``dmg check``: the system checker, its findings and its policies."""
