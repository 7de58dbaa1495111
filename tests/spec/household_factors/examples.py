"""Reads the tables of worked examples in this folder."""

import datetime
import math

import numpy as np

from folkmoot_sdk import FieldType, ScoringContext
from tests.spec.worked import rows

TODAY = datetime.date(2026, 4, 1)
CONTEXT = ScoringContext(TODAY)
WORDS = {"yes": True, "no": False}


def days_ago(days):
    return TODAY - datetime.timedelta(days)


def _value(entry, text):
    if text == "?":
        return None
    if entry.type is FieldType.BOOLEAN:
        return WORDS[text]
    if entry.type is FieldType.CATEGORY:
        assert text in entry.codes
        return text
    if entry.type is FieldType.DATE:
        return days_ago(int(text.removesuffix(" days ago")))
    return float(text)


def _element(entry, value):
    if entry.type is FieldType.CATEGORY:
        return np.int16(-1 if value is None else entry.codes.index(value))
    if entry.type is FieldType.DATE:
        return np.datetime64("NaT" if value is None else value, "D")
    return np.nan if value is None else float(value)


def check(factor, table):
    """Scores each row of a table by itself and all together; `?` is unknown.

    A row has the columns of some inputs, `score`, and perhaps `because`: words that the
    explanation must contain, separated by `;`. Inputs without a column are unknown.
    """
    examples = rows(table)
    assert examples
    known = {entry.name: entry for entry in factor.inputs}
    assert set(examples[0]) - {"score", "because"} <= set(known)
    households = [
        {name: _value(entry, row.get(name, "?")) for name, entry in known.items()}
        for row in examples
    ]
    together = factor.score(
        {
            name: np.array([_element(entry, values[name]) for values in households])
            for name, entry in known.items()
        },
        CONTEXT,
    )
    for row, values, score in zip(examples, households, together, strict=True):
        expected = math.nan if row["score"] == "?" else float(row["score"])
        np.testing.assert_allclose(score, expected, atol=5e-4, err_msg=str(row))
        said = factor.explain(values, float(score), CONTEXT)
        for words in row.get("because", "").split(";"):
            assert words.strip() in said, (row, said)
