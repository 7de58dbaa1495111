"""Homes of nodes and coordinators that earlier versions wrote are read, and go on.

Everything goes through the public commands: what modules are called is not part of the promise.
`folders/README.md` says what is kept and how it was made.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import socket
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from folkmoot_node.home import open_home
from tests.commands import run_inside
from tests.night import by_night
from tests.packaging.folders.make import SERIES_ENDS, serving
from tests.packaging.folders.views import (
    HERE,
    View,
    compared,
    look,
    unpack,
    views,
)

KEPT = sorted(path.parent for path in HERE.glob("*/made.json"))
"""The flat one first: it is the oldest, and everything in it has to move."""
FALLEN = 8
"""Households that come into need before the third month of the series."""
TODAY = datetime.datetime.now(datetime.UTC).date()


def made_of(kept: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((kept / "made.json").read_text())
    return found


def seen(kept: Path, name: str) -> Any:
    """What the version that wrote the folder said."""
    text = (kept / "seen" / name).read_text("utf-8")
    return json.loads(text) if name.endswith(".json") else rows_of(text)


VIEWS = [
    pytest.param(kept, view, id=f"{kept.name}-{view.file}")
    for kept in KEPT
    for view in views(made_of(kept))
]


@pytest.mark.parametrize("kept, view", VIEWS)
def test_a_folder_of_before_says_what_it_said(
    kept: Path, view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(kept, tmp_path)
    if view.name == "node-expired":  # as of then: extracts go 30 days after a run has read them
        *_, last = seen(kept, "node-ledger.json")["debits"]
        then = int(datetime.datetime.fromisoformat(last["at"]).timestamp())
        monkeypatch.setattr("folkmoot_node.home.open_home", partial(open_home, clock=lambda: then))
    said = look(view, tmp_path, made_of(kept), tmp_path / "out")
    before = (kept / "seen" / view.file).read_bytes().decode()
    if view.file.endswith(".csv"):
        differences = list(missing(rows_of(before), rows_of(said)))
        assert said.startswith(before.partition("\n")[0]), "columns keep their places"
    else:
        differences = list(missing(compared(json.loads(before)), json.loads(said)))
        assert not differences, "\n".join(differences)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def missing(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """What was said before and is not said now; a later version may say more."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in before.items():
            if key in now:
                yield from missing(value, now[key], f"{where}.{key}")
            else:
                yield f"{where}.{key} is missing"
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for at, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from missing(one, other, f"{where}[{at}]")
    elif before != now:
        yield f"{where} was {before!r} and is {now!r}"


def test_a_difference_would_be_found() -> None:
    before = {"head": "7:ab", "debits": [{"rho": "0.5"}]}
    assert not list(missing(before, {**before, "more": 1}))
    for now in (
        {"head": "7:ab"},
        {**before, "head": "7:ac"},
        {**before, "debits": []},
        {**before, "debits": [{"rho": "0.4"}]},
    ):
        assert list(missing(before, now))


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.name)
def test_what_is_kept_is_a_node_and_a_coordinator_in_use(kept: Path) -> None:
    made = made_of(kept)
    evidence = seen(kept, "node-evidence.json")
    assert evidence["ledger"]["entries"] == 4
    assert evidence["answers"] == evidence["receipts"] == 6
    statuses = {one["round_id"]: one["status"] for one in seen(kept, "node-rounds.json")}
    assert {title: statuses[id_] for title, id_ in made["rounds"].items()} == {
        "areas": "released, receipt held",
        "pure": "released, receipt held",
        "refused": "refused, receipt held",
        "declined": "refused, receipt held",
        "waiting": "ready to answer",
        "month_1": "released, receipt held",
        "month_2": "released, receipt held",
    }
    states = {one["round_id"]: one["state"] for one in seen(kept, "coordinator-rounds.json")}
    assert Counter(states.values()) == {"complete": 4, "partial": 1, "void": 1, "open": 1}
    trial = seen(kept, "node-trial.json")
    bands = Counter(row["band"] for row in seen(kept, "node-households.csv"))
    assert trial["run"]["bands"] == {**dict.fromkeys(trial["run"]["bands"], 0), **bands}
    assert len(bands) >= 3
    assert trial["changed"] == 0


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.name)
def test_nobody_else_may_read_what_is_kept(kept: Path, tmp_path: Path) -> None:
    unpack(kept, tmp_path)
    modes = {
        str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    }
    for folder in ("coordinator", "coordinator/keys", "node/keys", "node/store"):
        assert modes[folder] == 0o700, folder
    for file in ("node/state.sqlite", "node/keys/store.key", "coordinator/keys/authority.key"):
        assert modes[file] == 0o600, file


@dataclass(frozen=True)
class Resumed:
    """A node and a coordinator of before, at work again."""

    kept: Path
    made: dict[str, Any]
    folder: Path

    def node(self, *words: object) -> str:
        return run_inside("folkmoot-node", *words, "--home", self.folder / "node").said()

    def coordinator(self, *words: object) -> str:
        home = self.folder / "coordinator"
        return run_inside("folkmoot-coordinator", *words, "--home", home).said()

    def asked(self, *words: object) -> Any:
        return json.loads(self.coordinator(*words, "--json"))

    def published(self, round_id: str) -> list[dict[str, str]]:
        out = self.folder / round_id
        self.coordinator("export", round_id, "--out", out)
        (file,) = out.glob("*.csv")
        return rows_of(file.read_text("utf-8"))


@pytest.fixture(params=by_night(KEPT), ids=lambda kept: kept.name)
def resumed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Resumed]:
    kept: Path = request.param
    unpack(kept, tmp_path)
    made = made_of(kept)
    with socket.socket() as one, socket.socket() as other:
        for before, probe in zip(made["ports"], (one, other), strict=True):
            probe.bind(("127.0.0.1", 0))
            for file in ("node/node.toml", "coordinator/coordinator.toml"):
                text = (tmp_path / file).read_text("utf-8")
                assert f":{before}" in text
                text = text.replace(f":{before}", f":{probe.getsockname()[1]}")
                (tmp_path / file).write_text(text, "utf-8")
    region = Resumed(kept, made, tmp_path)
    with serving(tmp_path / "coordinator"):
        (one,) = (c for c in region.asked("councils") if c["council"] == made["council"])
        if not one["valid_certificates"]:  # it has ended meanwhile
            region.coordinator("invite", made["council"], "--out", tmp_path)
            region.node("enrol", tmp_path / f"invitation-{made['council']}.toml")
        yield region


@pytest.mark.slow
def test_a_round_approved_before_is_answered_once_and_paid_for(resumed: Resumed) -> None:
    made, round_id = resumed.made, resumed.made["rounds"]["waiting"]
    before = seen(resumed.kept, "node-ledger.json")
    resumed.node("rounds", "list")  # both sides hold the same answers
    released = json.loads(resumed.node("release", round_id, "--json"))
    assert released["status"] == "released, receipt held"
    ledger = json.loads(resumed.node("ledger", "show", "--json"))
    assert ledger["debits"][:-1] == before["debits"]
    assert (ledger["debits"][-1]["round_id"], ledger["debits"][-1]["rho"]) == (round_id, "100")
    assert released["ledger_head"] == ledger["head"]
    resumed.node("ledger", "verify", "--expect", before["head"], "--expect", ledger["head"])
    assert resumed.asked("round", "show", round_id)["state"] == "complete"
    bands = Counter(row["band"] for row in seen(resumed.kept, "node-households.csv"))
    published = [
        row
        for row in resumed.published(round_id)
        if row["place"] == made["council"] and row["band"]
    ]
    assert sorted(row["band"] for row in published) == ["high", "low", "medium", "none"]
    for row in published:  # at so large a loss there is little noise
        assert float(row["standard_error"]) < 0.5
        within = 8 * float(row["standard_error"])
        assert float(row["value"]) == pytest.approx(bands[row["band"]], abs=within), row["band"]
    again = resumed.node("release", round_id)
    assert "receipt held" in again
    assert json.loads(resumed.node("ledger", "show", "--json"))["head"] == ledger["head"]


@pytest.mark.slow
@pytest.mark.skipif(
    TODAY >= datetime.date.fromisoformat(SERIES_ENDS), reason="the series has ended"
)
def test_a_series_goes_on_and_counts_only_who_is_new(resumed: Resumed) -> None:
    made = resumed.made
    extract = resumed.folder / "node" / "extracts" / "council_tax.csv"
    households = seen(resumed.kept, "node-households.csv")
    rows = list(csv.DictReader(io.StringIO(extract.read_text("utf-8"))))
    unaffected = {row["uprn"] for row in households if row["band"] == "none"}
    fallen = sorted(unaffected)[:FALLEN]
    for row in rows:
        if row["UPRN"] in fallen:
            row |= {"Arrears": "9000.00", "Support": "Y"}
    with extract.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    # Some extracts of before hold no record, which stops a run until a person accepts it.
    names = [one["name"] for one in seen(resumed.kept, "node-trial.json")["run"]["sources"]]
    accepted = ("--reason", "as before", "--until", "2099-12-31")
    resumed.node("sources", "accept", *names, *accepted)
    summary = json.loads(resumed.node("score", "--reference-date", made["scored_at"], "--json"))
    assert summary["households"] == len(households)
    assert summary["bands"]["none"] == len(unaffected) - FALLEN
    resumed.node("doctor", "--offline")

    round_id = resumed.asked("series", "next", made["series"])["round_id"]
    resumed.node("rounds", "list")
    resumed.node("approve", round_id)
    resumed.node("release", round_id)
    resumed.coordinator("round", "close", round_id)
    counted = {"cumulative": len(households) - len(unaffected) + FALLEN, "new": FALLEN}
    for measure, expected in counted.items():
        found = [
            row
            for row in resumed.published(round_id)
            if (row["place"], row["month"], row["measure"]) == (made["council"], "3", measure)
            and row["band"]
        ]
        assert len(found) == 4
        error = math.sqrt(sum(float(row["standard_error"]) ** 2 for row in found))
        assert error < 0.5
        total = sum(float(row["value"]) for row in found)
        assert total == pytest.approx(expected, abs=6 * error), measure
