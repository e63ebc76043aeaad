"""Thousands of ranks on one machine: many hosts with their engines in a single process.

::

    layout.py      which hosts there are and what each is made of (pure)
    commons.py     the fabric and the group, as the engines of one process share them
    engines.py     engines that are tasks instead of processes
    host.py        one host: a real control server over simulated engines, with a control port that can fail
    system.py      all of them, and what can be done to them
    orders.py      the socket at which another process asks for that; remote.py is the other end
    lab.py         a simulation beside the hosts of a lab
    in_memory.py   another kind: no sockets, and time that passes when everybody waits

What goes over sockets in a real system goes over sockets here: joins, orders and events over gRPC, engines and their
control server over dRPC, and what engines outside of the process have to do with those inside over the emulator's
fabric. Only what simulated engines say to each other stays in memory: a group map is kept once and not two thousand
times, and one failure detector watches for all of them.
"""
