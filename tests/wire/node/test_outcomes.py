"""What casework found comes back as a source, is an attribute, and is counted in a round."""

from __future__ import annotations

import csv
import datetime
import hashlib
import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
from monthly import TOTAL, answer, permit, read
from stage import COUNCIL, Stage, ask

from folkmoot import answer_codec
from folkmoot.attributes import Attribute
from folkmoot.rounds import Round
from folkmoot.v1 import collection_pb2
from folkmoot.workload import Marginal, Workload
from folkmoot_node.federation.identity import load_policy_key
from folkmoot_node.home import NodeHome, open_home
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.release_policy import sign
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.release.tabulate import tabulate
from folkmoot_node.scoring.explain import explain_household
from folkmoot_node.sources.connect import load_plugins
from folkmoot_node.sources.outcomes import (
    COLUMNS,
    FILE_NAME,
    MAPPING_NAME,
    Outcome,
    outcomes_attribute,
    outcomes_mapping,
    outcomes_settings,
    write_outcomes,
)
from folkmoot_operator.problems import Problem
from tests.commands import run_inside
from tests.tables import measured
from tests.unit.coordinator.conftest import Office, office  # noqa: F401

DAY = datetime.date(2026, 11, 2)
OWING = set(range(60))
NEED, NONE_FOUND = set(range(40)) | {200}, set(range(40, 50)) | {201, 202}


def outcome(number: int, found: bool, days: int = 0) -> Outcome:
    return Outcome(10_000_000 + number, DAY + datetime.timedelta(days=days), found)


@pytest.fixture
def home(stage: Stage) -> Path:
    """300 households, 60 of them in the band high; 53 were visited."""
    home = stage.home
    outcomes = [outcome(n, True) for n in NEED] + [outcome(n, False) for n in NONE_FOUND]
    outcomes += [outcome(0, False, -20), outcome(40, True, -20)]  # earlier, and found otherwise
    assert write_outcomes(home / "casework" / "outcomes" / FILE_NAME, outcomes) == len(outcomes)
    (home / "mappings" / MAPPING_NAME).write_text(outcomes_mapping())
    with (home / "node.toml").open("a") as stream:
        stream.write("\n" + outcomes_settings())
    with (home / "risk-policy.toml").open("a") as stream:
        stream.write("\n" + outcomes_attribute())
    rows = [f"{10_000_000 + n},{5000 if n in OWING else 0},N,E01006064" for n in range(300)]
    text = "\n".join(["UPRN,Arrears,Support,LSOA", *rows]) + "\n"
    (home / "extracts" / "council_tax.csv").write_text(text)
    permit(home)
    return home


def scored(node: NodeHome) -> None:
    policy = load_policy(node.config.risk_policy)
    today = datetime.date(2026, 11, 23)
    score(node.config, load_plugins(node.config), policy, today=today, judged=Judged())


def question(home: Path) -> Round:
    """Of those in the band high, how many had a need?"""
    return ask(
        1,
        loss=TOTAL,
        policy_digest=hashlib.sha256((home / "risk-policy.toml").read_bytes()).digest(),
        workload=Workload(
            (
                Attribute("band", ("none", "high")),
                Attribute("need_found", ("no", "yes", "unknown")),
            ),
            (Marginal(("band", "need_found")),),
        ),
        opened_at=int(time.time()) - 10,
    )


EXPECTED = np.array([[2, 1, 237], [10, 40, 10]])


def test_those_with_a_need_are_counted_by_band_and_unknown_is_not_no(home: Path) -> None:
    with open_home(home) as node:
        scored(node)
        with node.open_store() as store:
            (table,) = tabulate(store, question(home), COUNCIL)._tables
    assert table.reshape(2, 3).tolist() == EXPECTED.tolist()


def test_the_round_is_answered_by_the_real_release(stage: Stage, home: Path) -> None:
    policy = home / "release-policy.toml"
    text = policy.read_text()
    assert "need_found" not in text
    policy.write_text(re.sub(r"(?m)^attributes = \[", r'\g<0>"need_found", ', text))
    sign(policy, load_policy_key(home / "keys" / "policy-signing.key"), "Tester", 1_790_000_002)
    with open_home(home) as node:
        scored(node)
        values = np.array(read(answer(stage, node, question(home))).counts.values)
    # At this loss noise is small beside one household.
    off = np.abs(values - measured(question(home).plan(COUNCIL), EXPECTED))
    assert off.max() < 4


def test_a_coordinator_judges_bands_by_what_the_node_released(
    stage: Stage,
    home: Path,
    office: Office,  # noqa: F811
) -> None:
    """From a council's extracts to precision and recall: what the node sent is taken as it is."""
    policy = home / "release-policy.toml"
    text = re.sub(r"(?m)^attributes = \[", r'\g<0>"need_found", ', policy.read_text())
    policy.write_text(text)
    sign(policy, load_policy_key(home / "keys" / "policy-signing.key"), "Tester", 1_790_000_002)
    office.clock.now = int(time.time())
    round_ = question(home)
    office.open(round_)
    with open_home(home) as node:
        scored(node)
        frames = answer(stage, node, round_).frames
    parts = iter([collection_pb2.SubmitRequest.FromString(frame) for frame in frames])
    office.intake.accept_release(COUNCIL, answer_codec.decode_header(next(parts)), parts)
    words = ("latest", "--outcome", "need_found", "--json", "--home", office.home.path)
    facts = json.loads(run_inside("folkmoot-coordinator", "validate", *words).said())
    [_, high] = facts["region"]
    # At this loss noise is small beside one household.
    assert high["precision"]["value"] == pytest.approx(40 / 50, abs=0.08)
    assert high["recall"]["value"] == pytest.approx(40 / 41, abs=0.08)
    low, upper = high["precision"]["interval_of_noise_and_chance"]
    assert low < 0.75
    assert upper > 0.85
    assert facts["unknown_outcome"]["value"] == pytest.approx(247, abs=8)
    said = run_inside("folkmoot-coordinator", "weights", *words).said(expect=3)
    assert "without a known outcome" in said


def test_it_is_no_input_of_the_score(home: Path) -> None:
    with open_home(home) as node:
        scored(node)
        with node.open_store() as store:
            policy = load_policy(node.config.risk_policy)
            today = datetime.date(2026, 11, 23)
            for number in (0, 41, 55):
                found = explain_household(
                    store,
                    node.config,
                    load_plugins(node.config),
                    policy,
                    10_000_000 + number,
                    today=today,
                )
                assert (found.band, "need_found" in found.as_text()) == ("high", False)


def test_the_file_has_three_columns_and_is_private(home: Path) -> None:
    path = home / "casework" / "outcomes" / FILE_NAME
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert tuple(rows[0]) == COLUMNS == ("uprn", "need_found", "decided_on")
    assert {len(row) for row in rows} == {3}
    assert rows[1] == ["10000000", "no", "2026-10-13"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_but_a_fact_about_the_household_can_be_written() -> None:
    """No queue, allocation or rate: an outcome has no room for them."""
    with pytest.raises(TypeError):
        Outcome(1, DAY, True, days_from_flag=3)  # type: ignore[call-arg]
    with pytest.raises(Problem, match="UPRN"):
        Outcome(10**12, DAY, True)


def test_a_row_that_cannot_be_read_makes_it_unknown_and_not_no(home: Path) -> None:
    path = home / "casework" / "outcomes" / FILE_NAME
    path.write_text(path.read_text().replace("10000005,yes", "10000005,maybe"))
    settings = home / "node.toml"
    settings.write_text(
        re.sub(r"(?m)^maximum_share = .*$", "maximum_share = 0.1", settings.read_text())
    )
    with open_home(home) as node:
        scored(node)
        with node.open_store() as store:
            (table,) = tabulate(store, question(home), COUNCIL)._tables
    assert table.reshape(2, 3)[1].tolist() == [10, 39, 11]
