"""`validate` and `weights` on closed rounds: what they say, write and refuse."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.inference.comparisons import Verdict
from folkmoot_coordinator.inference.validation import Agreement, Figure
from folkmoot_coordinator.publication.noisy_tables import NoisyTables
from folkmoot_coordinator.publication.outcome_validation import validate
from folkmoot_coordinator.publication.outcome_weights import regional_weights
from folkmoot_coordinator.publication.outcome_words import difference_says
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.policies import keep_policy
from folkmoot_coordinator.rounds.question import read_question
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_coordinator.rounds.withdrawal import withdraw
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_operator.problems import Problem
from tests.commands import Done, help_of, run_inside
from tests.document_blocks import blocks, lines
from tests.outcome_region import (
    ATTRIBUTES,
    BANDS,
    COUNCILS,
    LEVELS,
    OUTCOME,
    WORKLOAD,
    Households,
    a_round,
    asked,
    numbers,
    region,
)

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

ROOT = Path(__file__).resolve().parents[4]
POLICY = ROOT / "rehearsal/folkmoot_rehearsal/documents/risk-policy.toml"


@pytest.fixture(scope="module")
def councils() -> Mapping[GssCode, Households]:
    return region(8_000)


def opened(office: Office, round_: Round, councils: Mapping[GssCode, Households]) -> str:
    """A round that all councils answered and that is closed; gives its id."""
    now = office.clock()
    round_ = replace(
        round_,
        policy_digest=hashlib.sha256(POLICY.read_bytes()).digest(),
        opened_at=now,
        deadline=now + 3600,
    )
    stored = office.open(round_)
    for council, found in numbers(round_, councils).items():
        office.release(stored, council, found.tolist())
    if office.again(stored).state.name == "OPEN":
        close_round(office.database, round_.round_id, now)
    return round_.round_id


def run(office: Office, *arguments: object) -> Done:
    return run_inside("folkmoot-coordinator", *arguments, "--home", office.home.path)


def test_a_region_is_validated(office: Office, councils: Mapping[GssCode, Households]) -> None:
    round_id = opened(office, a_round(), councils)
    command = ("validate", "latest", "--outcome", OUTCOME, "--by", "financial_hardship")
    facts = json.loads(run(office, *command, "--json").said())
    assert facts["round_id"] == round_id
    assert [one["band"] for one in facts["region"]] == list(BANDS)
    assert set(facts["councils"]) == set(COUNCILS)
    assert set(facts["groups"]) == {"no", "yes"}
    assert facts["unknown_outcome"] is None
    assert all(one["agrees"] for one in facts["agreement"])
    band = np.concatenate([one.band for one in councils.values()])
    event = np.concatenate([one.event for one in councils.values()])
    highest = facts["region"][-1]["precision"]
    low, high = highest["interval_of_noise"]
    assert low - 0.01 < event[band == 2].mean() < high + 0.01
    assert highest["interval_of_noise_and_chance"][0] < low
    text = run(office, *command).said()
    assert "No council differs from the others by more than noise and chance explain" in text
    assert "financial_hardship yes" in text


def test_a_council_apart_is_named(office: Office) -> None:
    councils = region(8_000)
    council = COUNCILS[1]
    event = councils[council].event * (np.arange(8_000) % 2)
    opened(office, a_round(), councils | {council: replace(councils[council], event=event)})
    text = run(office, "validate", "latest", "--outcome", OUTCOME).said()
    assert f"{council}, precision of high: lower by" in text


def test_weights_become_a_policy_that_nodes_accept(
    office: Office, councils: Mapping[GssCode, Households], tmp_path: Path
) -> None:
    round_id = opened(office, a_round(), councils)
    out = tmp_path / "proposal.toml"
    command = ("weights", "latest", "--outcome", OUTCOME, "--out", out, "--councils")
    assert "policy add" in run(office, *command).said(expect=5)
    keep_policy(office.database, POLICY.read_bytes(), POLICY.name, office.clock())
    facts = json.loads(run(office, *command, "--json").said())
    assert set(facts["councils"]) == set(COUNCILS)
    before, after = (tomllib.loads(one.read_text()) for one in (POLICY, out))
    policy = load_policy(out)
    points = {one.factor: one.weight for one in policy.factors}
    old = {one["factor"]: one["weight"] for one in before["factors"]}
    fitted = facts["proposal"]["points"]
    assert set(fitted) == set(LEVELS)
    assert {name: weight for name, weight in points.items() if name in fitted} == {
        name: weight for name, weight in fitted.items() if weight
    }
    assert sum(fitted.values()) == sum(old[name] for name in LEVELS)
    assert {name: old[name] for name in facts["proposal"]["kept"]} == {
        name: points[name] for name in facts["proposal"]["kept"]
    }
    assert fitted["financial_hardship"] > fitted["isolation"] > fitted["child_need"]
    without = [
        {key: value for key, value in one.items() if key != "factors"} for one in (before, after)
    ]
    assert without[0] == without[1]
    assert "PROPOSAL. Not in force" in out.read_text()
    assert round_id in out.read_text()
    assert facts["proposal"]["bands"] == []
    assert "not count households by the policy's bands" in facts["proposal"]["bands_not_fitted"]
    text = run(office, *command).said()
    assert "Bands start where they did and were not fitted" in text
    listed = help_of("folkmoot-coordinator", "weights")
    assert "bands move with the points where the round shows scores" in listed
    assert "that they were not fitted, and why" in listed
    assert "It is not in force" in text
    assert "alone" in text


def test_weights_are_a_table_in_80_columns(
    office: Office, councils: Mapping[GssCode, Households], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    opened(office, a_round(), councils)
    text = run(office, "weights", "latest", "--outcome", OUTCOME).said()
    assert "┃ Factor: level" in text
    assert "│ isolation: some" in text


def test_no_difference_of_shares_is_said_to_be_above_100_points() -> None:
    one = Agreement("social", "low", Figure.RECALL, Verdict.FIRST_LARGER, 0.68, 0.03, 1.34)
    assert difference_says(one, "Social") == "Social, recall of low: higher by 3.0 to 100.0 points"


def test_an_attribute_stands_for_a_factor_of_another_name(
    office: Office, councils: Mapping[GssCode, Households], tmp_path: Path
) -> None:
    opened(office, a_round(), councils)
    keep_policy(office.database, POLICY.read_bytes(), POLICY.name, office.clock())
    out = tmp_path / "proposal.toml"
    command = ("weights", "latest", "--outcome", OUTCOME, "--out", out)
    pairs = ("--factor", "domestic_abuse=financial_hardship", "--factor", "child_need=isolation")
    facts = json.loads(run(office, *command, *pairs, "--json").said())
    assert set(facts["proposal"]["points"]) == {"domestic_abuse", "child_need"}
    said = run(office, *command, "--factor", "cold_home=isolation").said(expect=2)
    assert "the policy has no factor 'cold_home'" in said
    assert "clinical_vulnerability" in said
    twice = ("--factor", "child_need=isolation", "--factor", "child_need=financial_hardship")
    assert "'child_need' is named twice" in run(office, *command, *twice).said(expect=2)


def of_workload(*marginals: tuple[str, ...], outcome: Attribute | None = None) -> Workload:
    attributes = [outcome if outcome and one.name == OUTCOME else one for one in ATTRIBUTES]
    return Workload(tuple(attributes), tuple(map(Marginal, marginals)))


def exact(workload: Workload, councils: Mapping[GssCode, Households]) -> Any:
    round_ = a_round(workload=workload)
    return asked(round_, numbers(round_, councils, noise=False))


def test_what_the_round_did_not_ask_for_is_named(councils: Mapping[GssCode, Households]) -> None:
    found = exact(of_workload(("band",), ("isolation", OUTCOME)), councils)
    with pytest.raises(Problem, match="did not ask for band"):
        validate(found)
    weights = regional_weights(found)
    assert weights.factors == ("isolation",)
    with pytest.raises(Problem, match="counts by in all councils"):
        regional_weights(found, ["isolatoin"])
    with pytest.raises(Problem, match="is no factor"):
        regional_weights(found, ["band"])
    with pytest.raises(Problem, match="named twice"):
        regional_weights(found, ["isolation", "isolation"])
    found = exact(of_workload(("band", OUTCOME)), councils)
    with pytest.raises(Problem, match="no attribute is counted by"):
        regional_weights(found)
    with pytest.raises(Problem, match="counts by in all councils"):
        validate(found, "isolation")
    with pytest.raises(Problem, match="band is not a group"):
        validate(exact(WORKLOAD, councils), "band")


def test_few_events_are_refused(councils: Mapping[GssCode, Households]) -> None:
    rare = {
        one: replace(of, event=of.event * (np.arange(8_000) < 100)) for one, of in councils.items()
    }
    with pytest.raises(Problem, match="20 are needed, 10 for each weight"):
        regional_weights(exact(WORKLOAD, rare))


def test_a_level_without_events_is_no_matter_of_too_many_factors(
    councils: Mapping[GssCode, Households],
) -> None:
    none = {one: replace(of, event=np.zeros_like(of.event)) for one, of in councils.items()}
    with pytest.raises(Problem, match="no factor has two levels") as refused:
        regional_weights(exact(WORKLOAD, none), ["isolation"])
    assert "broader levels" in str(refused.value.remedy)


def test_unknown_outcomes_are_in_no_rate_and_their_number_is_said(
    councils: Mapping[GssCode, Households],
) -> None:
    """Every tenth household's outcome is not known; the code stands before the others."""
    outcome = Attribute(OUTCOME, ("unknown", "yes", "no"))
    workload = of_workload(("band", OUTCOME), ("isolation", OUTCOME), outcome=outcome)
    known = np.arange(8_000) % 10 > 0
    placed = {
        one: replace(of, event=np.where(known, np.where(of.event == 1, 1, 2), 0))
        for one, of in councils.items()
    }
    found = validate(exact(workload, placed))
    assert found.unknown is not None
    assert found.unknown.value == pytest.approx(2_400)
    kept = [(of.band[known], of.event[known]) for of in councils.values()]
    band, event = (np.concatenate(one) for one in zip(*kept, strict=True))
    for at, one in enumerate(found.region):
        assert one.precision.value == pytest.approx(event[band == at].mean())
        assert one.recall.value == pytest.approx(event[band >= at].sum() / event.sum())
    with pytest.raises(Problem, match="without a known outcome"):
        regional_weights(exact(workload, placed))


def test_bands_that_are_counted_together_and_outcomes_without_yes_are_refused(
    office: Office, councils: Mapping[GssCode, Households]
) -> None:
    workload = Workload(
        (Attribute("band", BANDS[:2], others=True), *ATTRIBUTES[1:]), (Marginal(("band", OUTCOME)),)
    )
    with pytest.raises(Problem, match="together"):
        validate(exact(workload, councils))
    opened(office, a_round(), councils)
    said = run(office, "validate", "latest", "--outcome", "isolation").said(expect=3)
    assert "no and yes" in said


def test_open_and_withdrawn_rounds(office: Office, councils: Mapping[GssCode, Households]) -> None:
    round_id = opened(office, a_round(), councils)
    withdraw(office.database, round_id, "Bolton counted twice", office.clock(), "test")
    assert "WITHDRAWN" in run(office, "validate", "latest", "--outcome", OUTCOME).said()
    assert "withdrawn" in run(office, "weights", "latest", "--outcome", OUTCOME).said(expect=5)
    office.clock.now += 60
    office.open()
    assert "is open" in run(office, "validate", "latest", "--outcome", OUTCOME).said(expect=5)


def test_covariances_are_those_of_single_cells(councils: Mapping[GssCode, Households]) -> None:
    """The variance of each cell, and of a total that noise of its cells cancels in."""
    round_ = a_round()
    found = asked(round_, numbers(round_, councils))
    tables = NoisyTables(found.known, COUNCILS)
    names = (OUTCOME, "band")
    shape = tables.values(names).shape
    assert shape == (2, 3)
    unit = np.eye(6).reshape(6, *shape)
    noise = tables.covariance({names: unit})
    np.testing.assert_allclose(np.diag(noise), tables.variances(names).ravel(), rtol=1e-9)
    total = tables.covariance({names: np.ones((1, *shape))})[0, 0]
    assert total == pytest.approx(noise.sum())
    assert total == pytest.approx(tables.variances(())[()] if tables.has(()) else total)
    swapped = tables.values(("band", OUTCOME))
    np.testing.assert_allclose(swapped.T, tables.values(names))


def test_a_table_of_three_factors_is_used_where_there_is_one(
    councils: Mapping[GssCode, Households],
) -> None:
    pairs = exact(WORKLOAD, councils)
    three = ("financial_hardship", "isolation", "social_care_need", "child_need")
    whole = exact(Workload(ATTRIBUTES, (*WORKLOAD.marginals, Marginal(three))), councils)
    left_open = [
        max(one.left_open for one in regional_weights(found).region.coefficients)
        for found in (pairs, whole)
    ]
    assert left_open[1] < 1e-4 < left_open[0]


def test_the_page_says_what_works(
    office: Office,
    councils: Mapping[GssCode, Households],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The round of docs/validation.md is asked, and the region's commands are run in order."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLKMOOT_COORDINATOR_HOME", str(office.home.path))
    found = [block for block in blocks() if block.page == "docs/validation.md"]
    files = [block.text for block in found if block.language == "toml"]
    [written] = [text for text in files if text.startswith("title")]
    (tmp_path / "risk-policy.toml").write_bytes(POLICY.read_bytes())
    (tmp_path / "round.toml").write_text(written)
    asked_for = make_round(read_question(tmp_path / "round.toml"), COUNCILS, office.clock()).round_
    opened(office, asked_for, councils)
    keep_policy(office.database, POLICY.read_bytes(), POLICY.name, office.clock())
    every = [line for block in found if block.language == "console" for line in lines(block)]
    commands = [line for line in every if line.program == "folkmoot-coordinator"]
    # The node's is run in tests/wire/test_rehearsed_outcome_round.py.
    assert (len(commands), len(every)) == (3, 4)
    for line in commands:
        program, *words = line.words
        said = run_inside(program, *words).said()
    assert "proposal.toml" in said
    assert load_policy(tmp_path / "proposal.toml").total_weight == 110
