"""The gRPC servers: who calls, and which room answers."""
