"""A region judges its policy by what then happened, end to end: from extracts to weights.

Real processes over TLS: councils keep their households as known on a past date, a round asks for
band by outcome by group, nodes pay for it and answer, and the coordinator judges from what they
sent. What it should find is counted in the councils' own files. One test, since a region costs a
quarter of a minute of processors.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from folkmoot.rounds import Round
from folkmoot.workload import Marginal, Workload
from folkmoot_node.home import open_home
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.release.tabulate import tabulate
from tests.commands import run_inside
from tests.document_blocks import blocks, lines
from tests.wire.coordinator.conftest import start_serve

DATE = "2026-04-01"
GROUPS = ("owned_outright", "owned_mortgage", "social_rented", "private_rented", "unknown")
FACTORS = ("financial_hardship", "relationship_breakdown")


def node(home: Path, *words: object) -> str:
    return run_inside("folkmoot-node", *words, "--home", home).said()


def as_on_the_page(home: Path) -> list[str]:
    """The node's command of docs/validation.md, with this council's file and date."""
    pages = (block for block in blocks() if block.page == "docs/validation.md")
    every = [line for block in pages for line in lines(block)]
    [line] = [line for line in every if line.program == "folkmoot-node"]
    here = {"evaluation.toml": str(home / "evaluation.toml"), "2025-12-01": DATE}
    assert here.keys() <= set(line.words)
    return [here.get(word, word) for word in line.words[1:]]


def let_more(home: Path) -> None:
    """So much loss that noise is small beside the events of a few thousand households."""
    policy = home / "release-policy.toml"
    limits = r"(?m)^(per_round|per_period|lifetime) = .*$"
    policy.write_text(re.sub(limits, r"\1 = 100", policy.read_text()))
    node(home, "policy", "sign", "--signer", "A tester")


def true_counts(home: Path) -> np.ndarray:
    """Households by tenure, band and outcome: int64, shape (5, 4, 2), from the council's file."""
    with open_home(home) as opened:
        (known,) = (
            one for one in opened.round_book().rounds() if "homelessness" in one.facts.title
        )
        round_: Round = opened.round_book().question(known)
        asked = Workload(
            round_.workload.attributes, (Marginal(("tenure", "band", "homelessness")),)
        )
        only = Round(**{**_fields(round_), "workload": asked})
        with opened.open_store_for_round(only) as store:
            assert store.run.reference_date.isoformat() == DATE
            (table,) = tabulate(store, only, opened.config.council)._tables
    return np.asarray(table).reshape(4, 2, 5).transpose(2, 0, 1)  # axes are as the round lists them


def _fields(round_: Round) -> dict[str, object]:
    return {name: getattr(round_, name) for name in Round.__dataclass_fields__}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_region_judges_bands_and_fits_weights_by_outcomes_of_a_past_date(tmp_path: Path) -> None:
    region = tmp_path / "region"
    command = Path(sys.executable).with_name("folkmoot-rehearse")
    words = (
        "--outcomes", "--councils", "2", "--households", "5000", "--seed", "7",
        "--date", "2026-11-23", "--out", region,
    )  # fmt: skip
    subprocess.run([command, *map(str, words)], check=True, capture_output=True)
    homes = sorted((region / "councils").iterdir())
    for home in homes:
        let_more(home)
        kept = node(home, *as_on_the_page(home))
        assert "homelessness (until 2026-10-01)" in kept
    coordinator = region / "coordinator"
    question = region / "rounds" / "outcomes.toml"
    question.write_text(question.read_text().replace("rho = 0.2", "rho = 90"))
    serving = start_serve(coordinator)
    try:
        run_inside("folkmoot-coordinator", "round", "open", question, "--home", coordinator).said()
        for home in homes:
            visit = [command.with_name("folkmoot-node"), "serve", "--until-idle", "--home", home]
            subprocess.run([*map(str, visit), "--poll-seconds", "0.5"], check=True, timeout=300)
    finally:
        serving.kill()
        assert serving.process.stdout is not None
        serving.process.stdout.close()
    truth = sum(true_counts(home) for home in homes)
    said = ("latest", "--outcome", "homelessness", "--home", coordinator)

    found = json.loads(
        run_inside("folkmoot-coordinator", "validate", *said, "--by", "tenure", "--json").said()
    )
    assert found["coverage"].startswith("2 of 2 councils")
    bands = truth.sum(axis=0)
    events = bands[:, 1]
    for at, row in enumerate(found["region"]):
        share = events[at] / bands[at].sum()
        assert row["precision"]["value"] == pytest.approx(share, abs=0.02)
        recall = events[at:].sum() / events.sum()
        assert row["recall"]["value"] == pytest.approx(recall, abs=0.05)
    largest = int(np.argmax(truth.sum(axis=(1, 2))))
    of_group = truth[largest, 0]
    row = found["groups"][GROUPS[largest]][0]
    assert row["precision"]["value"] == pytest.approx(of_group[1] / of_group.sum(), abs=0.02)

    run_inside(
        "folkmoot-coordinator", "policy", "add", region / "rounds" / "risk-policy.toml",
        "--home", coordinator,
    ).said()  # fmt: skip
    proposal = tmp_path / "proposal.toml"
    chosen = [word for name in FACTORS for word in ("--factor", name)]
    fitted = json.loads(
        run_inside(
            "folkmoot-coordinator", "weights", *said, *chosen, "--out", proposal, "--json"
        ).said()
    )
    assert set(fitted["proposal"]["points"]) <= set(FACTORS)
    assert sum(fitted["proposal"]["points"].values()) > 0
    proposed = load_policy(proposal)  # a node can take it, with what rounds may ask
    assert proposed.outcomes == {"homelessness"}

    exported = json.loads(
        run_inside(
            "folkmoot-coordinator", "export", "latest", "--out", tmp_path / "published",
            "--home", coordinator, "--json",
        ).said()
    )  # fmt: skip
    metadata = json.loads(Path(exported["metadata"]).read_text())
    assert set(metadata["coverage"]["as_of"].values()) == {DATE}
