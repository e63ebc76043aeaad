"""Remote procedure calls without a transport: what a method is, who may call it, what a caller is known by.

Servicers, authorisation and the client library are written against this package alone; ``net.grpc`` carries it.
"""
