"""The factor conforms, the file is what training gives, and words fit scores."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from falls_forest import model
from falls_forest.factor import FallsForest

TRAINING = Path(__file__).parents[1] / "training" / "train.py"
HOUSEHOLD = {
    "oldest_age": 88,
    "falls_last_year": 3,
    "medicines": 9,
    "lives_alone": True,
}


@pytest.fixture
def factor():
    return FallsForest(FallsForest.Parameters())


def test_conforms(check_factor):
    check_factor(FallsForest)


def test_batches_and_threads_change_nothing(
    factor, households, batches, scoring_context
):
    drawn = households(FallsForest, count=5000)
    whole = factor.score(drawn, scoring_context)
    parts = [factor.score(part, scoring_context) for part in batches(drawn, rows=7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_no_need_lowers_a_score(factor, households, scoring_context):
    drawn = households(FallsForest, unknown=0.0)
    before = factor.score(drawn, scoring_context)
    for name in drawn:
        raised = {**drawn, name: drawn[name] + 1}
        assert (factor.score(raised, scoring_context) >= before).all(), name


def test_what_is_missing_makes_the_score_unknown(
    factor, missing_values, scoring_context
):
    for what, drawn in missing_values(FallsForest):
        assert np.isnan(factor.score(drawn, scoring_context)).all(), what


def test_occlusion_is_the_score_less_that_of_the_reference(factor, scoring_context):
    arrays = {name: np.array([float(value)]) for name, value in HOUSEHOLD.items()}
    score = factor.score(arrays, scoring_context)[0]
    for name, moved in model.occlusion(HOUSEHOLD).items():
        occluded = {**arrays, name: np.array([model.references()[name].value])}
        less = factor.score(occluded, scoring_context)[0]
        assert moved == pytest.approx(score - less, abs=1e-12)


def test_the_explanation_names_inputs_by_weight(factor, scoring_context):
    arrays = {name: np.array([float(value)]) for name, value in HOUSEHOLD.items()}
    score = factor.score(arrays, scoring_context)[0]
    said = factor.explain(HOUSEHOLD, score, scoring_context)
    assert said.startswith(f"Estimated at {score:.1%}. Higher because ")
    moved = model.occlusion(HOUSEHOLD)
    first, second, *_ = sorted(moved, key=lambda name: -moved[name])
    assert (first, second) == ("oldest_age", "falls_last_year")
    assert said.index("oldest person is 88") < said.index("3 falls in the last year")
    nothing = {**HOUSEHOLD, "medicines": None}
    said = factor.explain(nothing, float("nan"), scoring_context)
    assert said == "Cannot be estimated: not known: medicines."


def test_the_file_is_what_training_gives(tmp_path, households):
    pytest.importorskip("sklearn")
    onnx = pytest.importorskip("onnx")
    subprocess.run([sys.executable, str(TRAINING), str(tmp_path)], check=True)
    assert (tmp_path / "model.json").read_text("utf-8") == (
        model.FOLDER / "model.json"
    ).read_text("utf-8")
    again = onnx.load(tmp_path / "model.onnx").graph.node[0].attribute
    shipped = onnx.load_from_string((model.FOLDER / "model.onnx").read_bytes())
    shipped = shipped.graph.node[0].attribute
    by_name = {entry.name: onnx.helper.get_attribute_value(entry) for entry in again}
    for entry in shipped:
        value = onnx.helper.get_attribute_value(entry)
        if entry.name in ("nodes_values", "target_weights"):
            np.testing.assert_allclose(by_name[entry.name], value, rtol=1e-5)
        else:
            assert by_name[entry.name] == value, entry.name
