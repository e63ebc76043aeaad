"""``daos_engine_emulator``: a daos_engine that needs no hardware and moves no data, for labs and tests.

It takes daos_engine's command line and environment, speaks dRPC with daos_server in both directions, and keeps pools
on its storage path. Engines reach each other over TCP at the addresses of the group map, so that what the fabric does
between genuine engines really happens: maps spread, pools are created on every rank, dead ranks are noticed.

It is an independent reading of the protocol, a witness beside our server and not its mirror: it shares the wire
messages, the dRPC sockets and what lies below with the rest of this package, and nothing else.

How it is built, from the pure to the shell::

    argv settings             what daos_server asked for
    acl properties pool_map   what a pool is made of: rules without I/O
    replicas space
    pool                      one pool's service state, and every operation on it
    membership swim           who is in the group, who seems dead
    neighbourhood             an engine among its peers
    devices checker
    storage                   files that survive kill -9
    fabric                    calls between engines
    upcalls ras               calls to daos_server
    script                    faults on request, for tests
    services rebuild          the pool services this engine keeps or leads
    engine                    one engine, put together
    handlers                  dRPC method -> reply
    main                      a process: signals, sockets, start-up order
"""
