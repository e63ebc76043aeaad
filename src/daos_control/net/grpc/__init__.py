"""gRPC on grpcio: the only package that knows that library.

Importing any module of it sets the cipher list that genuine peers need *before* grpcio is loaded.
"""
