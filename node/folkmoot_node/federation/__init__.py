"""The wire to the coordinator: identity, enrolment, calls. Zone W."""

import os

# gRPC reads this when it is imported. Its own lines would stand between messages for people,
# which say the same; who looks for a fault in it can set the variable.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
