"""Checks that more than one program needs, a module for each topic."""
