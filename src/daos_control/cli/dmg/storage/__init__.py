"""``dmg storage ...``: what storage hosts have, formatting it, and the devices of engines."""
