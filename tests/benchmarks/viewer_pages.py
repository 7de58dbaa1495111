"""The page of a statistic over 1,849 areas: what the server spends on it, and what it sends.

The app is called without a network: what counts is what it does. Times are processor time, of all
threads of this process: other programs of the machine do not change them.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import map_page

from folkmoot.geography import GssCode
from folkmoot_coordinator.viewer.site import build_viewer
from tests.viewer_region import households, viewer_region

REPEATS = 15
ROWS_OF_A_COUNCIL = 4
LIMITS = {
    "milliseconds": 100,
    "kilobytes": 250,
    "kilobytes_without_map": 60,
    "first_seconds": 2,
}
_PASSWORD = "three odd lamps hum"


def councils() -> dict[GssCode, int]:
    """Made-up councils with the areas of some rows of the map each."""
    found: dict[GssCode, int] = {}
    for row in range(map_page.SIDE):
        code = GssCode(f"E08{row // ROWS_OF_A_COUNCIL:06d}")
        found[code] = found.get(code, 0) + map_page.SIDE
    return found


class Visits:
    """Asks an app for pages as somebody who has signed in."""

    def __init__(self, app: Any, origin: str) -> None:
        self._app = app
        with TestClient(app, base_url=origin) as client:
            accounts = app.state.site.accounts
            link = accounts.add("reader@example.gov.uk", "Reader", ["reader"], by="benchmark")
            accounts.choose_password(link.rpartition("/")[2], _PASSWORD)
            [token] = re.findall(r'name="form_token" value="([^"]+)"', client.get("/sign-in").text)
            form = {"form_token": token, "name": "reader@example.gov.uk", "password": _PASSWORD}
            client.post("/sign-in", data=form)
            self._cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
        self._host = origin.partition("//")[2]

    async def get(self, address: str, **more: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body as they go over the wire."""
        path, _, query = address.partition("?")
        headers = {
            "host": self._host, "cookie": self._cookie, "accept-encoding": "gzip", **more,
        }  # fmt: skip
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "client": ("127.0.0.1", 1),
            "server": tuple(self._host.split(":")),
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        found = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
        body = b"".join(one.get("body", b"") for one in sent[1:])
        return sent[0]["status"], found, body


async def measure(visits: Visits, address: str) -> dict[str, Any]:
    """First view, later views, and an answer to a browser that has the page already."""
    begun, wall = time.process_time(), time.perf_counter()
    status, headers, body = await visits.get(address)
    first, first_wall = time.process_time() - begun, time.perf_counter() - wall
    assert status == 200, status
    taken = []
    for _ in range(REPEATS):
        begun = time.process_time()
        _, _, again = await visits.get(address)
        taken.append((time.process_time() - begun) * 1000)
    assert gzip.decompress(again) == gzip.decompress(body)
    begun = time.process_time()
    status, _, _ = await visits.get(address, **{"if-none-match": headers["etag"]})
    assert status == 304, status
    text = gzip.decompress(body).decode()
    without = re.sub(r'<svg class="folkmoot-map".*?</svg>', "", text, flags=re.DOTALL)
    return {
        "first_seconds": first,
        "first_wall_seconds": first_wall,
        "milliseconds": statistics.median(taken),
        "not_changed_milliseconds": (time.process_time() - begun) * 1000,
        "kilobytes": len(body) / 1e3,
        "kilobytes_without_map": len(gzip.compress(without.encode(), 5)) / 1e3,
        "other_hosts": len(re.findall(r'(?:src|href|srcset)="(?:https?:)?//', text)),
    }


def main() -> dict[str, Any]:
    """Measures the page of a table by band and area, with and without a change."""
    sizes = councils()
    shapes = json.dumps(map_page.boundaries())
    with (
        tempfile.TemporaryDirectory() as name,
        viewer_region(Path(name), sizes, shapes=shapes, first=0) as region,
    ):
        for round_name, year in (("earlier", 0), ("winter", 1)):
            stored = region.open(round_name, region.question(f"Winter {year}"))
            for number, council in enumerate(sorted(sizes)):
                region.release(stored, council, households(sizes[council], year, number))
            region.clock.now += 86_400
        app = build_viewer(region.home, clock=region.clock)
        visits = Visits(app, f"http://{region.home.settings().viewer.site['listen']}")
        page = f"/rounds/{region.id('winter')}/statistics/band.lsoa"
        return {
            "areas": sum(sizes.values()),
            "limits": LIMITS,
            "page": asyncio.run(measure(visits, page)),
            "with_change": asyncio.run(measure(visits, f"{page}?since={region.id('earlier')}")),
        }


def told(found: dict[str, Any]) -> str:
    """The figures in a few sentences."""
    limits, page = found["limits"], found["page"]
    return (
        f"The page of a statistic over {found['areas']:,} areas: {page['milliseconds']:.0f} ms of "
        f"processor time (limit {limits['milliseconds']}), "
        f"{found['with_change']['milliseconds']:.0f} ms with a change since an earlier round, "
        f"{page['not_changed_milliseconds']:.0f} ms where the browser has it already; "
        f"{page['kilobytes']:.0f} kB compressed (limit {limits['kilobytes']}), "
        f"{page['kilobytes_without_map']:.0f} kB without the map (limit "
        f"{limits['kilobytes_without_map']}); {page['other_hosts']} requests to other hosts. First "
        f"view {page['first_seconds']:.2f} s (limit {limits['first_seconds']})"
    )


if __name__ == "__main__":
    print(told(main()))
