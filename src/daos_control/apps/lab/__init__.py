"""daos_lab: whole systems on one machine."""
