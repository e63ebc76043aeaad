"""Avocado's utilities, as far as DAOS's utilities use them."""
