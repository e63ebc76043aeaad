"""The control plane of the DAOS storage system, in Python.

``daos_control.client`` is the library to build on; everything else serves the programs.
"""
