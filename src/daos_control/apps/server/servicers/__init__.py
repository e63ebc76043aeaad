"""What the server answers over gRPC and over its dRPC socket: tables of handlers, no transport."""
