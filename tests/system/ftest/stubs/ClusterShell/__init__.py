"""The few parts of ClusterShell that DAOS's utilities use when everything runs on this host."""
