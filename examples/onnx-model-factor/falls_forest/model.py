"""An ONNX file that onnxruntime applies, and what explanations compare with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDER = resources.files(__package__)


@dataclass(frozen=True)
class Reference:
    """What the training data were like, for one input.

    Attributes:
        value: The reference: the median of the training data.
        minimum: The smallest value; the model knows nothing below it.
        maximum: The largest value.
    """

    value: float
    minimum: float
    maximum: float


@cache
def references() -> Mapping[str, Reference]:
    """By input, in the order of the model's columns."""
    read = json.loads((FOLDER / "model.json").read_text("utf-8"))
    return {name: Reference(**entry) for name, entry in read["references"].items()}


@cache
def _session() -> Any:
    # Set before it is imported: else it reports to its makers, or that it cannot.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread: the node calls from several, and sums in one order give one result.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    content = (FOLDER / "model.onnx").read_bytes()
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )


def predict(columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
    """Probabilities, NaN where an input is not known.

    Args:
        columns: By input, arrays of shape (households,), NaN where unknown.

    Returns:
        float64 of shape (households,).
    """
    table = np.stack([np.asarray(columns[name], float) for name in references()], 1)
    low = [entry.minimum for entry in references().values()]
    high = [entry.maximum for entry in references().values()]
    known = ~np.isnan(table).any(axis=1)
    result = np.full(len(table), np.nan)
    if known.any():
        rows = np.clip(table[known], low, high).astype(np.float32)
        (found,) = _session().run(None, {"inputs": rows})
        result[known] = np.clip(found[:, 0].astype(np.float64), 0.0, 1.0)
    return result


def occlusion(values: Mapping[str, float]) -> dict[str, float]:
    """By input, how much lower the probability were with that input at its reference.

    Each input is changed alone, so these do not add up to the score: what several
    inputs do together counts for each of them.
    """
    names = list(references())
    columns = {name: np.full(len(names) + 1, float(values[name])) for name in names}
    for row, name in enumerate(names):
        columns[name][row] = references()[name].value
    found = predict(columns)
    return {name: float(found[-1] - found[row]) for row, name in enumerate(names)}
