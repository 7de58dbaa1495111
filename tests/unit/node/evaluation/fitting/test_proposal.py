"""A whole fit: what is proposed, what is refused, and that it is the same again."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from rich.console import Console

from folkmoot_node.evaluation.fitting.proposal import CONSTANT, LEFT_OUT, PROTECTED
from folkmoot_node.evaluation.fitting.report import as_document
from folkmoot_node.evaluation.reporting.as_text import print_document
from folkmoot_node.evaluation.reporting.document import Sheet
from folkmoot_node.policies.risk_policy import parse_policy
from folkmoot_operator.problems import ExitCode, Problem
from tests.evaluation_snapshots import FACTORS, in_points, snapshots_of, thousandths
from tests.fitted_policies import points_of, policy_of, proposed


@pytest.fixture(scope="module")
def snapshots():
    return snapshots_of(8, 3000, factors=8)


@pytest.fixture(scope="module")
def found(snapshots):
    return proposed(snapshots)


def test_the_proposed_file_loads_and_has_the_proposed_points(snapshots, found):
    read = parse_policy(found.text.encode(), "proposed.toml")
    given = {name: points for name, points in points_of(found).items() if points}
    assert {entry.factor: entry.weight for entry in read.factors} == given
    assert [band.minimum for band in read.bands] == [cut.proposed_from for cut in found.bands]
    present = policy_of(snapshots[0])
    unchanged = {"factors": present.factors, "bands": present.bands}
    assert read.document.model_copy(update=unchanged) == present.document


def test_the_evidence_names_the_run_and_files_and_nothing_counted(found):
    lines = [line for line in found.text.splitlines() if line.startswith("# ")][:9]
    said = "\n".join(lines)
    for word in (found.run, "f" * 64, "e" * 64, found.policy_sha256, "seed 1", "not cover"):
        assert word in said
    assert str(found.events) not in said
    assert str(found.households) not in said


def test_the_same_files_and_seed_give_the_same_and_another_seed_other_intervals(snapshots, found):
    again = proposed(snapshots)
    assert json.dumps(again.as_json()) == json.dumps(found.as_json())
    other = proposed(snapshots, evaluation={"seed": 2})
    assert other.run != found.run
    assert points_of(other) == points_of(found)
    assert [one.low for one in other.factors] != [one.low for one in found.factors]


def test_the_order_of_households_makes_no_difference(snapshots, found):
    draw = np.random.default_rng(1)

    def shuffled(one):
        order = draw.permutation(one.households)
        rows = {
            field.name: getattr(one, field.name)[order]
            for field in dataclasses.fields(one)
            if isinstance(getattr(one, field.name), np.ndarray)
            and len(getattr(one, field.name)) == one.households
        }
        happened = {
            name: dataclasses.replace(
                what,
                first=what.first[order],
                before=what.before[order],
                ended=what.ended[order],
                gone=what.gone[order],
            )
            for name, what in one.happened.items()
        }
        groups = tuple(dataclasses.replace(g, index=g.index[order]) for g in one.groups)
        return dataclasses.replace(one, **rows, happened=happened, groups=groups)

    again = proposed([shuffled(one) for one in snapshots])
    assert again.text == found.text
    assert again.moves == found.moves
    for one, other in zip(again.groups, found.groups, strict=True):
        assert one.recall.proposed == pytest.approx(other.recall.proposed)


def test_what_may_not_be_used_is_not_and_it_is_said_why(snapshots):
    found = proposed(snapshots, protected=["arrears"], leave_out=["crowding"])
    reasons = {one.factor: one.reason for one in found.factors}
    assert reasons["arrears"] == PROTECTED
    assert reasons["crowding"] == LEFT_OUT
    assert points_of(found)["arrears"] == points_of(found)["crowding"] == 0
    assert 'factor = "arrears"' not in found.text
    allowed = proposed(snapshots, protected=["arrears"], protected_inputs=True)
    assert points_of(allowed)["arrears"] > 20
    assert allowed.protected == ("arrears",)


def test_a_factor_that_never_varies_is_taken_out(snapshots):
    same = []
    for one in snapshots:
        points = in_points(one)
        points[:, 0] = 3.0
        same.append(dataclasses.replace(one, points=thousandths(points)))
    found = proposed(same)
    assert found.factors[0].reason == CONSTANT


def test_limits_hold_in_the_proposed_file(snapshots):
    found = proposed(snapshots, points=200, most_points=40, most={"crowding": 9}, keep=["age_75"])
    given = points_of(found)
    assert max(given.values()) <= 40
    assert given["crowding"] <= 9
    assert given["age_75"] >= 1


def test_too_few_events_are_refused_with_the_number_needed():
    with pytest.raises(Problem) as refused:
        proposed(snapshots_of(8, 150, rate=0.03))
    assert refused.value.exit_code == ExitCode.DATA
    assert "60 households" in refused.value.problem
    assert refused.value.for_operator[0].startswith("There are ")


def test_a_factor_that_is_the_outcome_is_refused():
    with pytest.raises(Problem, match="perfect separation") as refused:
        proposed(snapshots_of(8, 1500, leak=True, unknown=0.0))
    assert FACTORS[5] in refused.value.for_operator[0]
    assert FACTORS[5] not in str(refused.value)


def short(found, width=300, *, whole=False):
    """What a terminal shows unless it is asked for all; in one line without `whole`."""
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    print_document(as_document(found), console, everything=False)
    return out.getvalue() if whole else " ".join(out.getvalue().split())


def knows_the_outcome_at_first(dates):
    """Snapshots of which the first ones have a factor that only households with the event have."""
    found = []
    for at, one in enumerate(snapshots_of(8, 3000, unknown=0.0)):
        points = in_points(one)
        if at < dates:
            points[:, 5] = 2.0 * ~np.isnat(one.happened["homeless"].first)
        found.append(dataclasses.replace(one, points=thousandths(points)))
    return found


def test_a_date_before_which_no_points_could_be_fitted_is_named_and_judges_nothing():
    found = proposed(knows_the_outcome_at_first(1))
    assert found.not_judged == ("2025-07-01",)
    assert [one.date for one in found.judged] == ["2025-08-01"]
    assert "Warning: Not judged: 2025-07-01." in short(found)


def test_what_no_later_date_has_judged_is_not_proposed():
    with pytest.raises(Problem, match="perfect separation"):
        proposed(knows_the_outcome_at_first(2))


def test_small_groups_are_shown_together_and_few_events_show_no_figure():
    found = proposed(
        snapshots_of(8, 1500, factors=4), evaluation={"smallest": 200, "capacity": [50]}
    )
    assert [one.group for one in found.groups] == ["heron", "kite + wren"]
    assert min(one.households for one in found.groups) >= 200
    assert all(one.recall is None for one in found.groups)
    assert all(one.area is None and one.events is None for one in found.judged)
    assert "Too few events to say: ethnic_group heron and ethnic_group kite + wren." in short(found)


def test_groups_too_small_even_together_are_named_without_figures():
    found = proposed(
        snapshots_of(8, 1500, factors=4), evaluation={"smallest": 1450, "capacity": [50]}
    )
    assert found.groups == ()
    assert found.small_groups == ("ethnic_group heron + kite + wren",)
    assert "Too small to judge: ethnic_group heron + kite + wren." in short(found)


def test_the_report_in_short_fits_and_keeps_every_warning(found):
    lines = short(found, 80, whole=True).splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 80
    said = short(dataclasses.replace(found, warnings=("Look at left_on.",), undated=("tenancies",)))
    for words in (
        "Warning: Look at left_on.",
        "Warning: Read as they are today, since they have no dates: tenancies.",
        "there is no evidence either way.",
        "may do a little better or worse.",
        "No proposed factor reads a protected characteristic.",
        *as_document(found).footer,
    ):
        assert words in said
    for factor in found.factors:
        assert factor.factor in said
        assert factor.reason in said


def test_too_few_events_on_every_later_date_are_said_and_not_counted(found):
    def unknown(one):
        few = tuple(dataclasses.replace(at, recall=None) for at in one.capacities)
        return dataclasses.replace(one, capacities=few)

    said = short(dataclasses.replace(found, judged=tuple(map(unknown, found.judged))))
    assert "Not known: there are too few events on" in said
    assert "comparisons" not in said


def test_the_report_shows_every_factor_band_and_later_date(found):
    sheets = [
        block
        for section in as_document(found).sections
        for block in section.blocks
        if isinstance(block, Sheet)
    ]
    cells = {cell for sheet in sheets for row in sheet.rows for cell in row}
    assert {one.factor for one in found.factors} <= cells
    assert {cut.band for cut in found.bands} <= cells
    assert {one.date for one in found.judged} <= cells
    assert sum(sum(row) for row in found.moves) == found.households
