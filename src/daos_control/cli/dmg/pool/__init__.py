"""``dmg pool ...`` and ``dmg container ...``."""
