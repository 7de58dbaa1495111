"""Makes a kept folder with the version that is installed: a node and a coordinator in use.

    python -m tests.packaging.folders.make NAME

Runs the public commands alone. The residents are those of a rehearsal: nobody's.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.packaging.folders.views import (
    COORDINATOR,
    HERE,
    NODE,
    command,
    look,
    program,
    unpack,
    views,
)

PLACE = Path("/var/tmp/folkmoot-folders")
"""Where the folders are made: the encrypted store keeps the path of its policy."""
KEPT, OTHER = "E08000001", "E08000002"
NAMES = {KEPT: "Bolton", OTHER: "Bury"}
"""The node of the first is kept; the other only answers."""
SCORED_AT = "2026-11-02"
HOUSEHOLDS = 60
LONGEST_DAYS = 3660
CERTIFICATE_DAYS = 825
SERIES_ENDS = "2032-06-30"
PERIOD_START = "2026-11-01"

RELEASE_POLICY = """\
schema = 1
council = "{council}"
sunset = 2099-12-31
purposes = ["winter_support"]
attributes = ["band", "tenure", "lsoa"]
maximum_ways = 3
maximum_cells = 1000
mechanisms = ["discrete_gaussian", "discrete_laplace"]
operator_approval = {approval}
maximum_delta = 1e-6

[loss]
per_round = {per_round}
per_period = 1000
per_series = 100
lifetime = 5000
period_start = {period_start}
period_months = 120
households_per_person = 2
"""

BANDS = ("none", "low", "medium", "high")
TENURES = ("owned", "mortgaged", "social_rented", "private_rented")
ROUND = """\
title = "{title}"
purpose = "winter_support"
policy = "risk-policy.toml"
councils = ["E08000001", "E08000002"]
minimum_councils = {minimum}
{loss}
delta = 1e-6
{deadline}

[[attributes]]
name = "band"
codes = ["none", "low", "medium", "high"]
"""
BY_BAND = """
[[marginals]]
attributes = ["band"]
"""
BY_AREA = """
[[attributes]]
name = "lsoa"
areas = "areas.csv"

[[marginals]]
attributes = ["band"]

[[marginals]]
attributes = ["band", "lsoa"]
weight = 2
"""
SERIES = f"""
[series]
rounds = 3
until = {SERIES_ENDS}

[series.event]
attribute = "band"
codes = ["low", "medium", "high"]
"""
SOON = "deadline_hours = 24"
ROUNDS = {
    # Ordinary noise; everybody answers.
    "areas": ROUND.format(title="Areas", minimum=2, loss="rho = 0.5", deadline=SOON) + BY_AREA,
    "pure": ROUND.format(
        title="Pure", minimum=2, loss='mechanism = "discrete_laplace"\nepsilon = 1', deadline=SOON
    )
    + BY_BAND,
    # The policy of the kept node refuses so large a loss; the other council's answer suffices.
    "refused": ROUND.format(title="Refused", minimum=1, loss="rho = 101", deadline=SOON) + BY_BAND,
    # Its operator declines, and the round is void.
    "declined": ROUND.format(title="Declined", minimum=2, loss="rho = 0.1", deadline=SOON)
    + BY_BAND,
    # So much loss that the noise is zero for all one will ever see: what comes out is what went
    # in. Approved by the operator and not answered, by a round that stays open.
    "waiting": ROUND.format(
        title="Waiting", minimum=2, loss="rho = 100", deadline="deadline = 2099-12-31T00:00:00Z"
    )
    + BY_BAND,
}
SERIES_ROUND = (
    ROUND.format(title="Months", minimum=1, loss="rho = 100", deadline=SOON) + BY_BAND + SERIES
)


def make(name: str) -> None:
    """Makes the kept folder `name` beside this file."""
    kept = HERE / name
    if kept.exists() or PLACE.exists():
        raise SystemExit(f"{kept} or {PLACE} is there already; remove it first")
    os.environ["LOGNAME"] = "officer"  # who did it, by the audit log
    try:
        made = _run_region()
        kept.mkdir()
        _repack(PLACE / "councils" / KEPT)
        for side, home in ((NODE, PLACE / "councils" / KEPT), (COORDINATOR, PLACE / COORDINATOR)):
            _pack(home, side, kept / f"{side}.tar.gz")
        _see(kept, made)
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)


def _run_region() -> dict[str, Any]:
    subprocess.run(
        [Path(sys.executable).with_name("folkmoot-rehearse"), "--files-only", "--councils", "2",
         "--households", str(HOUSEHOLDS), "--seed", "7", "--date", SCORED_AT, "--out", PLACE],
        check=True,
    )  # fmt: skip
    region = PLACE / COORDINATOR
    ports = _free_ports()
    command(
        COORDINATOR, "init", "--home", region, "--name", "Region of before", "--host", "127.0.0.1",
        "--collection-port", ports[0], "--enrolment-port", ports[1],
    )  # fmt: skip
    settings = region / "coordinator.toml"
    _replace(settings, "node_days = 30", f"node_days = {CERTIFICATE_DAYS}")
    with settings.open("a") as file:
        file.write("\n[names]\n")
        file.writelines(f'{code} = "{name}"\n' for code, name in NAMES.items())
    command(COORDINATOR, "invite", *NAMES, "--home", region, "--out", PLACE)
    with serving(region):
        nodes = {council: _node(council) for council in NAMES}
        rounds, series = _rounds(region, nodes)
    found = _households(nodes[KEPT])
    commit = subprocess.run(  # the last that changed what is installed
        ["git", "log", "-1", "--format=%H", "--", "proto", "plugins", "operator", "node",
         "coordinator", "rehearsal"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {
        "commit": commit.stdout.strip(),
        "council": KEPT,
        "ports": ports,
        "scored_at": SCORED_AT,
        "rounds": rounds,
        "series": series,
        "published": ["areas", "pure", "refused", "month_1", "month_2"],
        "explained": {row["band"]: row["uprn"] for row in found},
    }


def _node(council: str) -> Path:
    """Makes a node that is enrolled and has scored, twice where it was asked about addresses."""
    home = PLACE / "councils" / council
    command(NODE, "init", "--home", home, "--council", council, "--name", NAMES[council])
    policy = home / "risk-policy.toml"
    text = policy.read_text("utf-8")
    for key, days in (("sunset = ", "2099-12-31"), *((f"{kind}_days = ", LONGEST_DAYS) for kind in (
        "scores", "quarantine", "review"))):  # fmt: skip
        text, number = re.subn(rf"^{key}\S+", f"{key}{days}", text, flags=re.M)
        assert number == 1, key
    policy.write_text(text, "utf-8")
    (home / "release-policy.toml").write_text(
        RELEASE_POLICY.format(
            council=council,
            approval=str(council == KEPT).lower(),
            per_round=100 if council == KEPT else 200,
            period_start=PERIOD_START,
        )
    )
    with (home / "node.toml").open("a") as file:
        file.write("\n[linkage.addresses]\n" if council == KEPT else "")
        for mapping in sorted(home.glob("mappings/*.toml")):
            file.write(
                f'\n[[sources]]\nname = "{mapping.stem}"\nkind = "extracts"\n[sources.options]\n'
                f'mapping = "mappings/{mapping.name}"\nfolder = "extracts"\n'
            )
    _replace(home / "node.toml", "maximum_share = 0.02", "maximum_share = 0.1")
    command(NODE, "policy", "sign", "--signer", "A. Khan, Data Protection Officer", "--home", home)
    command(NODE, "enrol", PLACE / f"invitation-{council}.toml", "--home", home)
    # Some extracts hold no record, which stops a run until a person accepts it.
    names = [mapping.stem for mapping in sorted(home.glob("mappings/*.toml"))]
    accepted = ("--reason", "a sample", "--until", "2099-12-31")
    command(NODE, "sources", "accept", *names, *accepted, "--home", home)
    command(NODE, "score", "--reference-date", SCORED_AT, "--home", home)
    if _review(home):
        command(NODE, "score", "--reference-date", SCORED_AT, "--home", home)
    return home


def _review(home: Path) -> bool:
    """Answers the first pair that waits for clerical review, if any does."""
    for path in sorted(home.glob("review/*.csv")):
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
        rows[0]["decision"] = "no"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return True
    return False


def _rounds(region: Path, nodes: Mapping[str, Path]) -> tuple[dict[str, str], str]:
    """Opens all rounds and has them answered; returns their ids, and that of the series."""
    files = PLACE / "rounds"
    files.mkdir()
    shutil.copy(nodes[KEPT] / "risk-policy.toml", files)
    areas = {
        f"{council},{row['lsoa']}\n"
        for council, home in nodes.items()
        for row in _households(home)
        if row["lsoa"]
    }
    (files / "areas.csv").write_text("".join(["council,area\n", *sorted(areas)]))
    rounds: dict[str, str] = {}
    for title, text in {**ROUNDS, "month_1": SERIES_ROUND}.items():
        (files / f"{title}.toml").write_text(text)
        what = "series" if title == "month_1" else "round"
        opened = _json(COORDINATOR, region, what, "open", files / f"{title}.toml")
        rounds[title] = opened["round_id"]
        _answer(title, rounds[title], nodes)
    series = opened["series"]["series_id"]
    rounds["month_2"] = _json(COORDINATOR, region, "series", "next", series)["round_id"]
    _answer("month_2", rounds["month_2"], nodes)
    states = {one["round_id"]: one["state"] for one in _json(COORDINATOR, region, "round", "list")}
    expected = dict.fromkeys(rounds, "complete")
    expected |= {"refused": "partial", "declined": "void", "waiting": "open"}
    found = {title: states[round_id] for title, round_id in rounds.items()}
    assert found == expected, found
    return rounds, series


def _answer(title: str, round_id: str, nodes: Mapping[str, Path]) -> None:
    kept, other = nodes[KEPT], nodes[OTHER]
    command(NODE, "rounds", "list", "--home", kept)
    command(NODE, "release", round_id, "--home", other)
    if title == "refused":
        command(NODE, "release", round_id, "--home", kept, expect=5)
    elif title == "declined":
        command(NODE, "decline", round_id, "--home", kept)
        command(NODE, "release", round_id, "--home", kept, expect=5)
    else:
        command(NODE, "approve", round_id, "--home", kept)
        if title != "waiting":
            command(NODE, "release", round_id, "--home", kept)


@contextmanager
def serving(region: Path) -> Iterator[None]:
    """Serves a coordinator until the end of the block."""
    with (region.parent / "serve.log").open("a") as log:
        server = subprocess.Popen(
            [program(COORDINATOR), "serve", "--home", region],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline().startswith("Serving"), log.name
            yield
        finally:
            server.send_signal(signal.SIGTERM)


def _repack(home: Path) -> None:
    """Has DuckDB copy its encrypted files into smaller blocks, table by table.

    In blocks of their usual size sixty households take three megabytes of encrypted padding.
    """
    import duckdb
    import duckdb_extension_httpfs  # type: ignore[import-untyped]

    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions"
    extension = folder / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
    key = (home / "keys" / "store.key").read_text().strip()
    for file in home.glob("store/**/*.duckdb"):
        small = file.with_name("small")
        with duckdb.connect() as connection:
            connection.execute(f"LOAD '{extension}'")
            connection.execute(f"ATTACH '{file}' AS large (ENCRYPTION_KEY '{key}', READ_ONLY)")
            connection.execute(
                f"ATTACH '{small}' AS small (ENCRYPTION_KEY '{key}', BLOCK_SIZE 16384)"
            )
            connection.execute("COPY FROM DATABASE large TO small")
        small.chmod(0o600)
        small.replace(file)


def _pack(home: Path, side: str, archive: Path) -> None:
    """Packs a home as the folder `side`, with modes, and with nothing left to be checkpointed."""
    for database in home.glob("*.sqlite"):
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    left = [*home.rglob("*-wal"), *home.rglob("*-shm"), *home.rglob("*.wal")]
    assert not left, left
    subprocess.run(
        ["tar", "--create", "--gzip", "--sort=name", "--owner=0", "--group=0", "--numeric-owner",
         f"--transform=s,^{home.name},{side},", "--file", archive, "--directory", home.parent,
         home.name],
        check=True,
    )  # fmt: skip


def _see(kept: Path, made: dict[str, Any]) -> None:
    """Writes down what every view says, each of folders freshly unpacked."""
    (kept / "made.json").write_text(json.dumps(made, indent=1) + "\n")
    (kept / "seen").mkdir()
    for view in views(made):
        folder = PLACE / "unpacked"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        unpack(kept, folder)
        said = look(view, folder, made, PLACE / "out")
        (kept / "seen" / view.file).write_bytes(said.encode())


def _households(home: Path) -> list[dict[str, str]]:
    path = PLACE / "households.csv"
    command(NODE, "households", "--out", path, "--home", home)
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def _json(side: str, home: Path, *words: object) -> Any:
    return json.loads(command(side, *words, "--home", home, "--json"))


def _replace(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{path}: {before}"
    path.write_text(text.replace(before, after), "utf-8")


def _free_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in (one, other)]


if __name__ == "__main__":
    make(sys.argv[1])
