"""The floor of `coordinator.py`: a bare grpc.aio server that receives the same bytes over the
same mutual TLS, sums them, and answers. It checks nothing and keeps nothing.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc

from folkmoot.v1 import collection_pb2, collection_pb2_grpc


class Sum(collection_pb2_grpc.CollectionServiceServicer):
    """Sums what it receives."""

    async def Submit(  # type: ignore[override]
        self, request_iterator: AsyncIterator[collection_pb2.SubmitRequest], context: object
    ) -> collection_pb2.SubmitResponse:
        total = 0
        async for part in request_iterator:
            total += sum(part.cells.values)
        return collection_pb2.SubmitResponse(
            receipt={"receipt": total.to_bytes(8, "big", signed=True), "signature": b"none"}
        )


async def serve(identity: dict[str, bytes]) -> None:
    """Serves until it is killed; prints the port when it listens."""
    server = grpc.aio.server()
    collection_pb2_grpc.add_CollectionServiceServicer_to_server(Sum(), server)
    credentials = grpc.ssl_server_credentials(
        [(identity["key"], identity["certificate"])], identity["authority"], True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(pickle.loads(Path(sys.argv[1]).read_bytes())))
