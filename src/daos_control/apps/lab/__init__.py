"""daos_lab: a whole DAOS system on one machine, made of ordinary parts.

::

    plan.py       what will be where: addresses, folders, configuration (pure)
    records.py    what is there: the lab's own notes, kept beside its data
    processes.py  starting, finding, signalling and ending the system's processes
    bringup.py    the way up, as a stream of steps for whoever shows it
"""
