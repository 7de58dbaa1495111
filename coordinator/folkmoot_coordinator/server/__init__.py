"""The gRPC servers: who calls, and which room answers."""

import os

# gRPC reads this when it is imported. Its own lines would stand between those of the log, one for
# each stranger who does not speak TLS; who looks for a fault in it can set the variable.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
