"""daos_engine_emulator: a daos_engine that needs no hardware."""
