"""Generated protobuf and gRPC stubs of wire version 1. Written by `make proto`."""
