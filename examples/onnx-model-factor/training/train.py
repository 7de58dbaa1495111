"""Trains the forest and writes it as ONNX: `python training/train.py [FOLDER]`.

The people are made up here, from rates that nobody has measured: replace `people()`
with your cohort, and keep that out of the repository. The ONNX file is written node by
node: what is shipped is what is described, and there is no converter to trust. It is
then compared with scikit-learn on people that it has not seen.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import brier_score_loss, roc_auc_score

INPUTS = ("oldest_age", "falls_last_year", "medicines", "lives_alone")
TREES = 30
SEED = 20_260_401
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]


def people(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Made-up people, a row each, and whether they were admitted."""
    generator = np.random.default_rng(seed)
    age = np.clip(generator.normal(62, 18, count), 18, 104).round()
    falls = generator.poisson(np.where(age > 70, 0.5, 0.1))
    medicines = generator.poisson(np.clip((age - 30) / 12, 0.2, None))
    alone = generator.random(count) < np.where(age > 75, 0.45, 0.25)
    odds = -6.6 + 0.042 * age + 0.9 * np.minimum(falls, 4) + 0.09 * medicines
    chance = 1 / (1 + np.exp(-(odds + 0.5 * alone)))
    admitted = generator.random(count) < chance
    table = np.stack([age, falls, medicines, alone], 1).astype(np.float32)
    return table, admitted.astype(int)


def forest(table: np.ndarray, admitted: np.ndarray) -> RandomForestClassifier:
    """Trees that rise in every input, so that no need lowers a score."""
    return RandomForestClassifier(
        TREES,
        max_depth=5,
        min_samples_leaf=40,
        monotonic_cst=[1] * len(INPUTS),
        random_state=SEED,
    ).fit(table, admitted)


def as_onnx(trained: RandomForestClassifier) -> onnx.ModelProto:
    """The forest as one TreeEnsembleRegressor: the mean of the trees' probabilities."""
    nodes: dict[str, list] = {
        key: []
        for key in (
            "nodes_treeids nodes_nodeids nodes_featureids nodes_values nodes_modes "
            "nodes_truenodeids nodes_falsenodeids target_treeids target_nodeids "
            "target_ids target_weights"
        ).split()
    }
    for number, estimator in enumerate(trained.estimators_):
        tree = estimator.tree_
        for at in range(tree.node_count):
            is_leaf = tree.children_left[at] < 0
            row = {
                "nodes_treeids": number,
                "nodes_nodeids": at,
                "nodes_featureids": 0 if is_leaf else int(tree.feature[at]),
                "nodes_values": 0.0 if is_leaf else float(tree.threshold[at]),
                "nodes_modes": "LEAF" if is_leaf else "BRANCH_LEQ",
                "nodes_truenodeids": 0 if is_leaf else int(tree.children_left[at]),
                "nodes_falsenodeids": 0 if is_leaf else int(tree.children_right[at]),
            }
            if is_leaf:
                share = tree.value[at][0] / tree.value[at][0].sum()
                row["target_treeids"], row["target_nodeids"] = number, at
                row["target_ids"], row["target_weights"] = 0, float(share[1]) / TREES
            for key, value in row.items():
                nodes[key].append(value)
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        ["inputs"],
        ["probability"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        **nodes,
    )
    graph = helper.make_graph(
        [ensemble],
        "falls_forest",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])],
    )
    made = helper.make_model(graph, opset_imports=OPSETS, producer_name="falls-forest")
    made.ir_version = 8  # read by every onnxruntime since 1.14
    onnx.checker.check_model(made)
    return made


def main(folder: Path) -> None:
    """Trains, compares, writes."""
    import onnxruntime

    table, admitted = people(6000, SEED)
    trained = forest(table, admitted)
    made = as_onnx(trained)
    unseen, outcome = people(4000, SEED + 1)
    expected = trained.predict_proba(unseen)[:, 1]
    session = onnxruntime.InferenceSession(made.SerializeToString())
    (found,) = session.run(None, {"inputs": unseen})
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-6)
    print(f"area under the curve {roc_auc_score(outcome, expected):.3f}")
    print(f"Brier score {brier_score_loss(outcome, expected):.4f}")
    references = {
        name: {
            "value": float(np.median(column)),
            "minimum": float(column.min()),
            "maximum": float(column.max()),
        }
        for name, column in zip(INPUTS, table.T, strict=True)
    }
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    (folder / "model.json").write_text(
        json.dumps({"references": references}, indent=2) + "\n", "utf-8"
    )


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[1] / "falls_forest"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here)
