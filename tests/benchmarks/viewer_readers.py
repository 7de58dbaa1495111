"""The readers' side of `viewer_load.py`, in a process of its own.

Each reader has a connection and a session of their own, opens a page, fetches what a browser would
fetch with it, and looks at it for a while before the next.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

_PICTURES = re.compile(r'<img[^>]+src="([^"]+)"')


class Reader:
    """Somebody who has signed in."""

    def __init__(self, load: dict[str, Any], number: int) -> None:
        self._load = load
        self._chance = random.Random(number)
        self.seconds: list[tuple[float, str]] = []
        self.failures: list[str] = []

    async def read(self, until: float) -> None:
        """Reads pages until a moment of `time.monotonic`."""
        name, value = self._load["cookie"]
        async with httpx2.AsyncClient(
            base_url=self._load["address"], cookies={name: value}, timeout=30, trust_env=False
        ) as client:
            await asyncio.sleep(self._chance.uniform(0, self._load["pause"]))
            while time.monotonic() < until:
                page = self._chance.choice(self._load["pages"])
                text = await self._fetch(client, page)
                for picture in _PICTURES.findall(text):
                    await self._fetch(client, picture.replace("&amp;", "&"))
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self._load["pause"])

    async def _fetch(self, client: httpx2.AsyncClient, path: str) -> str:
        begun = time.perf_counter()
        try:
            answer = await client.get(path)
        except httpx2.HTTPError as error:
            self.failures.append(f"{path}: {error!r}"[:200])
            return ""
        self.seconds.append((time.perf_counter() - begun, path))
        if answer.status_code != 200:
            self.failures.append(f"{path}: {answer.status_code}")
            return ""
        return answer.text if answer.headers["content-type"].startswith("text/html") else ""


async def read_all(load: dict[str, Any]) -> dict[str, Any]:
    """Lets all readers read at once."""
    readers = [Reader(load, number) for number in range(load["readers"])]
    until = time.monotonic() + load["seconds"]
    await asyncio.gather(*(one.read(until) for one in readers))
    answers = sorted(answer for one in readers for answer in one.seconds)
    taken = [second for second, _ in answers]
    failures = [failure for one in readers for failure in one.failures]
    return {
        "requests": len(taken),
        "failures": len(failures),
        "first_failures": failures[:3],
        "median": taken[len(taken) // 2],
        "p99": taken[int(len(taken) * 0.99)],
        "longest": taken[-1],
        "slowest": [path for _, path in answers[-3:]],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(read_all(json.loads(Path(sys.argv[1]).read_text())))))
