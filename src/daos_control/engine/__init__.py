"""One local engine: its command line and environment, its states, its supervision and its dRPC link."""
