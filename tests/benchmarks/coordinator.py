"""Councils that submit to a real coordinator at once, beside a bare server, in one run.

`folkmoot-coordinator serve` runs as a process of its own, with its database on disk; the
councils are another process, each with its own certificate and its own connection. The floor
is `coordinator_floor.py`. Processor time is that of the server's process, from the first byte
to the receipt, which is sent when the release is durable.
"""

from __future__ import annotations

import json
import os
import pickle
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from folkmoot.answer_codec import encode_release
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.release import NoisyCounts, Release
from folkmoot.rounds import Mechanism, Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_authority import Authority, SigningRequest
from folkmoot_coordinator.membership.councils import record_certificate
from folkmoot_coordinator.rounds.round_store import StoredRound, open_round
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.settings import parse
from tests.ports import free_ports

COUNCILS = 400
AREAS, BANDS, AGES = 100, 5, 20
"""Of each council: 12,726 whole numbers, of 10,626 cells."""
SHARED_AREAS = 2_000
"""Codes that all councils have, in the small round: 12,006 whole numbers."""
REPEATS = 3
LIMIT_MILLISECONDS = 8
LIMIT_RATIO = 4
LIMIT_SECONDS = 4
LIMIT_MIB = 300
_HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")


def councils(count: int = COUNCILS) -> tuple[GssCode, ...]:
    """Codes of so many councils."""
    return tuple(GssCode(f"E{7_000_001 + at:08d}") for at in range(count))


def many_areas(invited: tuple[GssCode, ...]) -> Workload:
    """A hundred areas of each council, by band and age: a signed round of 450 KB."""
    areas = {
        council: tuple(f"E01{at * AREAS + area:06d}" for area in range(AREAS))
        for at, council in enumerate(invited)
    }
    return Workload(
        (
            Attribute("lsoa", by_council=areas),
            Attribute("band", tuple(f"b{at}" for at in range(BANDS))),
            Attribute("age", tuple(f"{5 * at}-{5 * at + 4}" for at in range(AGES))),
        ),
        tuple(
            map(
                Marginal,
                [("lsoa", "band", "age"), ("lsoa", "band"), ("band", "age"), ("age",), ("band",),
                 ()],
            )
        ),
    )  # fmt: skip


def shared_codes() -> Workload:
    """Codes that all councils have, by band."""
    return Workload(
        (
            Attribute("group", tuple(f"g{at}" for at in range(SHARED_AREAS))),
            Attribute("band", tuple(f"b{at}" for at in range(BANDS))),
        ),
        (Marginal(("group", "band")),),
    )


def round_of(workload: Workload, invited: tuple[GssCode, ...], now: int) -> Round:
    """A round that asks all of these councils."""
    return Round(
        round_id=secrets.token_hex(16),
        title="Winter support",
        purpose="winter_support",
        councils=invited,
        minimum_councils=1,
        policy_digest=bytes(range(32)),
        workload=workload,
        loss=Rho.of("0.5"),
        mechanism=Mechanism.DISCRETE_GAUSSIAN,
        delta=Delta.of("1e-6"),
        opened_at=now,
        deadline=now + 86_400,
    )


@dataclass
class Region:
    """A coordinator's home whose councils have certificates already."""

    home: Home
    database: Database
    authority: Authority
    signing: SigningKey
    port: int
    keys: dict[GssCode, tuple[bytes, bytes]] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, invited: tuple[GssCode, ...]) -> Region:
        """Makes the home, and a certificate for each council."""
        home = Home(folder)
        make_private_folder(home.path)
        make_private_folder(home.keys)
        collection, enrolment = free_ports(2)
        text = settings_text("Benchmark", ("127.0.0.1",), "127.0.0.1", collection, enrolment)
        home.settings_file.write_text(text)
        home.settings_file.chmod(0o600)
        database = Database(home.database_url(parse(CoordinatorSettings, text.encode(), "")))
        database.create()
        now = int(time.time())
        authority = Authority.create(home.keys, "Benchmark", now)
        region = cls(home, database, authority, SigningKey.create(home.keys), collection)
        with database.writing() as session:
            for council in invited:
                key = ec.generate_private_key(ec.SECP256R1())
                issued = authority.issue_node_certificate(
                    SigningRequest(key.public_key()), council, now, 30
                )
                record_certificate(session, issued)
                region.keys[council] = (
                    key.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    ),
                    x509.load_der_x509_certificate(issued.certificate).public_bytes(
                        serialization.Encoding.PEM
                    ),
                )
        return region

    def load(self, stored: StoredRound) -> list[dict[str, Any]]:
        """What each council sends, and with which certificate."""
        rng = np.random.default_rng(1)
        found = []
        for council in stored.round_.councils:
            rows = stored.round_.plan(council).rows
            values = np.rint(rng.normal(scale=300, size=rows)).astype(np.int64)
            release = Release(
                round_id=stored.round_.round_id,
                round_digest=stored.digest,
                council=council,
                mechanism=stored.round_.mechanism,
                loss=stored.round_.loss,
                ledger_entry=bytes(32),
                counts=NoisyCounts(array("q", values.tobytes())),
            )
            key, certificate = self.keys[council]
            messages = [part.SerializeToString() for part in encode_release(release, 1)]
            found.append({"key": key, "certificate": certificate, "messages": messages})
        return found


@contextmanager
def process(command: list[str], log: Path) -> Iterator[tuple[int, str]]:
    """A server's process id, and the first line it printed; stopped at the end."""
    with log.open("w") as errors:
        started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert started.stdout is not None
        try:
            yield started.pid, started.stdout.readline()
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait()
            started.stdout.close()


def processor_seconds(pid: int) -> float:
    """Processor time a process has used, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mib(pid: int) -> float:
    """The most memory a process has held, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not say how much memory a process has held")


def submissions(
    pid: int, port: int, authority: bytes, load: list[dict[str, Any]], folder: Path
) -> dict[str, Any]:
    """Lets all councils submit at once; milliseconds of the server for each."""
    file = folder / "load.pickle"
    file.write_bytes(
        pickle.dumps({"address": f"127.0.0.1:{port}", "authority": authority, "councils": load})
    )
    before = processor_seconds(pid)
    run = subprocess.run(
        [sys.executable, str(_HERE / "coordinator_load.py"), str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(run.stdout)
    used = processor_seconds(pid) - before
    return found | {"milliseconds": 1000 * used / len(load)}


def measure(count: int, repeats: int) -> list[dict[str, Any]]:
    """Both rounds, each `repeats` times on both servers; the median of the ratios."""
    invited = councils(count)
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        region = Region.create(folder / "region", invited)
        identity = region.authority.issue_server_identity(("127.0.0.1",), int(time.time()), 30)
        given = {
            "key": identity.key,
            "certificate": identity.certificate,
            "authority": region.authority.pem,
        }
        (folder / "identity.pickle").write_bytes(pickle.dumps(given))
        floor = [
            sys.executable,
            str(_HERE / "coordinator_floor.py"),
            str(folder / "identity.pickle"),
        ]
        serve = [
            str(Path(sys.executable).parent / "folkmoot-coordinator"),
            "serve",
            "--home",
            str(region.home.path),
        ]
        for title, workload in (
            (f"{SHARED_AREAS + BANDS:,} codes", shared_codes()),
            (f"{AREAS} areas each", many_areas(invited)),
        ):
            with (
                process(floor, folder / "floor.log") as (bare, port),
                process(serve, folder / "serve.log") as (pid, _),
            ):
                runs = []
                for _ in range(repeats):
                    round_ = round_of(workload, invited, int(time.time()))
                    stored = open_round(region.database, region.signing, round_)
                    load = region.load(stored)
                    pem = region.authority.pem
                    runs.append(
                        {
                            "bare": submissions(bare, int(port), pem, load, folder),
                            "ours": submissions(pid, region.port, pem, load, folder),
                        }
                    )
                ours = [run["ours"] for run in runs]
                found.append(
                    {
                        "round": title,
                        "round_bytes": len(stored.serialised),
                        "rows": stored.round_.plan(invited[0]).rows,
                        "councils": count,
                        "receipts": [one["receipts"] for one in ours],
                        "failures": [one["failures"] for one in ours if one["failures"]],
                        "milliseconds": statistics.median(one["milliseconds"] for one in ours),
                        "milliseconds_bare": statistics.median(
                            run["bare"]["milliseconds"] for run in runs
                        ),
                        "ratio": statistics.median(
                            run["ours"]["milliseconds"] / run["bare"]["milliseconds"]
                            for run in runs
                        ),
                        "seconds": statistics.median(one["seconds"] for one in ours),
                        "seconds_bare": statistics.median(run["bare"]["seconds"] for run in runs),
                        "peak_mib": peak_mib(pid),
                        "limits": {
                            "milliseconds": LIMIT_MILLISECONDS,
                            "ratio": LIMIT_RATIO,
                            "seconds": LIMIT_SECONDS,
                            "peak_mib": LIMIT_MIB,
                        },
                    }
                )
        region.database.close()
    return found


def main() -> list[dict[str, Any]]:
    """Measures 400 councils."""
    return measure(COUNCILS, REPEATS)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if sys.argv[1:] else COUNCILS, REPEATS), indent=2))
