"""HTTP/2 (RFC 9113) as gRPC needs it, at either end of a connection: bytes in, values out, no sockets and no clocks.

``frames`` and ``headers`` are the two encodings; ``connection`` knows the rules and holds the state.
"""
