"""Metrics as DAOS keeps them."""
