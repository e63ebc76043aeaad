"""Pools from request to engine and back: what the pure rules decide is asked of the data plane, and noted.

Engines do the work, through the first usable engine of the leader's host. These modules see that a pool's record and
what engines have agree in the end, whatever is killed when: ``creation`` makes pools, ``removal`` destroys them and
sweeps up, ``pool_services`` passes on what a pool itself answers; ``every`` is the whole of it.
"""
