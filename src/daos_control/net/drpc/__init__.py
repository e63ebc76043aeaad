"""dRPC: DAOS's own protocol between processes of one host, protobuf messages in chunks over SEQPACKET sockets."""
