"""This machine: interfaces, processes, memory, mounts and storage."""
