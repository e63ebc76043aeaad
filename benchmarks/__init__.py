"""What daos-control costs: one command prints every figure, its comparison and its goal.

::

    python -m benchmarks                 everything, a few minutes
    python -m benchmarks startup lab     only these

Nothing here passes or fails: a machine that does other work makes any limit on time a lie. Figures that are compared
are measured in turn, minima count more than medians, and CPU time more than either.

    report.py         figures, and how they are printed
    processes.py      what processes cost: time until they end or answer, CPU time, memory
    systems.py        running systems to measure: ours, and a genuine one
    loads.py          the load programs, which know nothing about the implementation they load
    baseline.py       the figures of DAOS 2.8's own programs that ours are held against

The benchmarks themselves are ``startup``, ``lab``, ``control_plane`` and ``micro``.
"""
