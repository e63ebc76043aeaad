"""What everything stands on: errors, sets of hosts and ranks, units, clocks, task ownership."""
