"""Pure rules from a snapshot and a command to a change; nothing here awaits, logs or reads a clock."""
