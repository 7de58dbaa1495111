"""The councils' side of `coordinator.py`, in a process of its own.

Each council dials with its own certificate, over a connection of its own, and submits bytes
that were prepared before: what is measured is the server. All come at once.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import grpc

from folkmoot.v1 import collection_pb2

SUBMIT = "/folkmoot.v1.CollectionService/Submit"
SECONDS = 60
"""How long one council waits for its receipt."""


async def submit(council: dict[str, Any], address: str, authority: bytes) -> tuple[bytes, float]:
    """One council's answer, serialised, and the second at which it came."""
    credentials = grpc.ssl_channel_credentials(authority, council["key"], council["certificate"])
    async with grpc.aio.secure_channel(address, credentials) as channel:
        call = channel.stream_unary(SUBMIT)(iter(council["messages"]), timeout=SECONDS)
        return await call, time.perf_counter()


async def submit_all(load: dict[str, Any]) -> dict[str, Any]:
    """Submits for all councils at once."""
    begin = time.perf_counter()
    outcomes = await asyncio.gather(
        *(submit(one, load["address"], load["authority"]) for one in load["councils"]),
        return_exceptions=True,
    )
    receipts, failures, last = 0, [], begin
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            failures.append(repr(outcome)[:300])
            continue
        answer = collection_pb2.SubmitResponse.FromString(outcome[0])
        if answer.WhichOneof("outcome") == "receipt":
            receipts += 1
            last = max(last, outcome[1])
        else:
            failures.append(str(answer)[:300])
    return {"receipts": receipts, "seconds": last - begin, "failures": failures[:3]}


if __name__ == "__main__":
    prepared = pickle.loads(Path(sys.argv[1]).read_bytes())
    print(json.dumps(asyncio.run(submit_all(prepared))))
