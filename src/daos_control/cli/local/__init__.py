"""What the programs do with the host that they run on."""
