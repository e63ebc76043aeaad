"""What this server answers over gRPC and dRPC: thin shells around the engines, the host and the management service."""
