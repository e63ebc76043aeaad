"""Talking to others: dRPC over local sockets, gRPC between hosts."""
