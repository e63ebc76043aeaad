"""gRPC over HTTP/2 (``net.http2``) on asyncio: only this package knows either.

``channels`` calls other hosts, ``server`` answers them. Both stand on ``link``, one connection, and on ``messages``,
what gRPC writes into it; ``tls`` is what the programs of a system demand of each other.
"""
