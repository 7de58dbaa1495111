"""Fifty people who read the region's site for half a minute, while councils submit.

`folkmoot-coordinator serve` runs both, on loopback; readers and councils are processes of their
own. Councils submit the same round to a coordinator whose site nobody reads, and to one whose site
is read: what their answers cost the coordinator is compared.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

import coordinator
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.rounds.round_store import StoredRound, open_round
from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_rehearsal.boundaries import BOUNDARIES_FILE, boundaries_file
from folkmoot_rehearsal.councils import Council
from folkmoot_web.site import open_state
from tests.ports import free_ports

COUNCILS, AREAS = 10, 100
BANDS = ("none", "low", "medium", "high")
READERS, SECONDS, PAUSE = 50, 30, 5
"""Readers, how long they read, and for how long they look at a page on average."""
LIMITS = {"failures": 0, "p99_seconds": 1.0}
_NAME, _PASSWORD = "reader@example.gov.uk", "three odd lamps hum"
_READERS = Path(__file__).with_name("viewer_readers.py")


def workload(invited: tuple[GssCode, ...]) -> Workload:
    """Households by band and area, by band, and in all."""
    areas = {
        council: tuple(f"E01{at * AREAS + area:06d}" for area in range(AREAS))
        for at, council in enumerate(invited)
    }
    return Workload(
        (Attribute("band", BANDS), Attribute("lsoa", by_council=areas)),
        (Marginal(("band", "lsoa")), Marginal(("band",)), Marginal(())),
    )


def add_site(region: coordinator.Region, invited: tuple[GssCode, ...]) -> str:
    """Gives a region a site with boundaries and a reader; returns its address."""
    home = region.home
    areas = workload(invited).attributes[1].by_council
    named = {Council(code, f"Council {at}", at): areas[code] for at, code in enumerate(invited)}
    (home.path / BOUNDARIES_FILE).write_text(boundaries_file(named))
    (port,) = free_ports(1)
    with home.settings_file.open("a") as file:
        file.write(
            f'\n[viewer]\nlisten = "127.0.0.1:{port}"\n'
            f'boundaries = [{{ file = "{BOUNDARIES_FILE}" }}]\n'
        )
    settings = site_settings(home, home.settings())
    state = open_state(settings, PERMISSIONS, home=home.path)
    state.database.prepare()
    link = state.accounts.add(_NAME, "Reader", ["reader"], by="benchmark")
    assert state.accounts.choose_password(link.rpartition("/")[2], _PASSWORD) is not None
    state.database.close()
    return settings.origin


def sign_in(address: str) -> tuple[str, str]:
    """Name and value of a session's cookie."""
    with httpx2.Client(base_url=address, timeout=30, trust_env=False) as client:
        end = time.monotonic() + 60
        while True:
            try:
                page = client.get("/sign-in").text
                break
            except httpx2.ConnectError:
                assert time.monotonic() < end, "the site does not start"
                time.sleep(0.1)
        [token] = re.findall(r'name="form_token" value="([^"]+)"', page)
        form = {"form_token": token, "name": _NAME, "password": _PASSWORD}
        assert client.post("/sign-in", data=form).status_code == 303
        [found] = [
            (one.name, one.value or "") for one in client.cookies.jar if "session" in one.name
        ]
        return found


def submit(
    region: coordinator.Region, invited: tuple[GssCode, ...], pid: int, folder: Path
) -> tuple[StoredRound, dict[str, Any]]:
    """Opens a round, and lets all councils answer it at once."""
    asked = coordinator.round_of(workload(invited), invited, int(time.time()))
    stored = open_round(region.database, region.signing, asked)
    load = region.load(stored)
    return stored, coordinator.submissions(pid, region.port, region.authority.pem, load, folder)


def main() -> dict[str, Any]:
    """Measures what readers wait, and what councils' answers cost meanwhile."""
    invited = coordinator.councils(COUNCILS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        region = coordinator.Region.create(folder / "region", invited)
        address = add_site(region, invited)
        command = Path(sys.executable).with_name("folkmoot-coordinator")
        serve = [str(command), "serve", "--home", str(region.home.path)]
        with coordinator.process(serve, folder / "serve.log") as (pid, _):
            cookie = sign_in(address)
            stored, _ = submit(region, invited, pid, folder)
            quiet = [submit(region, invited, pid, folder)[1] for _ in range(5)]
            page = f"/rounds/{stored.round_.round_id}"
            load = {
                "address": address,
                "cookie": cookie,
                "readers": READERS,
                "seconds": SECONDS,
                "pause": PAUSE,
                "pages": [
                    "/", page, f"{page}/statistics/band.lsoa", f"{page}/statistics/band",
                    f"{page}/statistics/band.lsoa?sort=name", f"{page}/method",
                    f"/councils/{invited[0]}",
                ],
            }  # fmt: skip
            file = folder / "readers.json"
            # Once each, so that it is not the first view which is measured: `viewer_pages` does.
            file.write_text(json.dumps(load | {"readers": 1, "seconds": 5, "pause": 0}))
            command_of_readers = [sys.executable, str(_READERS), str(file)]
            subprocess.run(command_of_readers, check=True, capture_output=True)
            file.write_text(json.dumps(load))
            reading = subprocess.Popen(command_of_readers, stdout=subprocess.PIPE, text=True)
            meanwhile = []
            time.sleep(2)
            while reading.poll() is None:
                meanwhile.append(submit(region, invited, pid, folder)[1])
                time.sleep(3)
            said, _ = reading.communicate()
        region.database.close()
    return {
        "readers": json.loads(said) | {"readers": READERS, "seconds": SECONDS, "pause": PAUSE},
        "councils": COUNCILS,
        "areas": COUNCILS * AREAS,
        "receipts": [one["receipts"] for one in meanwhile],
        "milliseconds_ratio": _mean(meanwhile, "milliseconds") / _mean(quiet, "milliseconds"),
        "seconds_ratio": _mean(meanwhile, "seconds") / _mean(quiet, "seconds"),
        "seconds": _mean(meanwhile, "seconds"),
        "limits": LIMITS,
    }


def _mean(runs: list[dict[str, Any]], what: str) -> float:
    return float(sum(one[what] for one in runs)) / len(runs)


def told(found: dict[str, Any]) -> str:
    """The figures in a few sentences."""
    readers, limits = found["readers"], found["limits"]
    return (
        f"{readers['readers']} people read the site of {found['areas']:,} areas for "
        f"{readers['seconds']} s, each page for {readers['pause']} s: {readers['requests']:,} "
        f"requests, {readers['failures']} failed (limit {limits['failures']}); median "
        f"{1000 * readers['median']:.0f} ms, 99 of 100 within {readers['p99']:.2f} s (limit "
        f"{limits['p99_seconds']:.0f}). Meanwhile {sum(found['receipts'])} of "
        f"{len(found['receipts']) * found['councils']} answers of councils were taken, for "
        f"{found['milliseconds_ratio']:.2f} times the processor time and "
        f"{found['seconds_ratio']:.2f} times the wait of a quiet site"
    )


if __name__ == "__main__":
    measured = main()
    print(json.dumps(measured, indent=2))
    print(told(measured))
