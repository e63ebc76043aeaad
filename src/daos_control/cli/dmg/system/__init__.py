"""``dmg system ...``: what is done to the system as a whole."""
