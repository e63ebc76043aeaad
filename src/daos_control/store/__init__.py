"""Where the management service keeps its state: one small port, one file per backend."""
