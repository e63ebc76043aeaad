"""Avocado's core, as far as DAOS's utilities look at it."""
