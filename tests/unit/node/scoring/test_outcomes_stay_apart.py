"""An outcome is never an input, attribute or audited field, and no run of today reads it."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import polars as pl
import pytest

from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import Category, Combine, Field, FieldType, Input, ProtectedCharacteristic
from tests.unit.node.conftest import NODE, POLICY, TAX, TODAY, Renting

EVENT = Field(
    "evicted", FieldType.DATE, Combine.MINIMUM, Category.HOUSING, outcome=True,
    protected=ProtectedCharacteristic.DISABILITY,
)  # fmt: skip
KNOWN = KnownOn(on=datetime.date(2026, 3, 31), today=TODAY, undated=("people",))

JUDGED = KNOWN.model_copy(update={"outcomes": ("evicted",)})


class Evicted(Renting):
    name = "evicted"
    inputs = (Input("evicted", FieldType.DATE),)

    def score(self, inputs, context):
        return np.where(np.isnat(inputs["evicted"]), 0.0, 1.0)


@pytest.fixture
def dated(node):
    """A node whose council tax says when households were evicted."""
    node.tax.schema = dataclasses.replace(TAX, fields=(*TAX.fields, EVENT))
    node.tax.batches = [
        batch.with_columns(evicted=pl.lit(None, pl.Date)) for batch in node.tax.batches
    ]
    node.factors["evicted"] = Evicted
    return node


def refused(node, policy, known=None):
    node.write_policy(policy)
    with pytest.raises(Problem) as caught:
        bind_for(node.policy, node.config, node.plugins, TODAY, known=known)
    assert caught.value.exit_code is ExitCode.SETTINGS
    return caught.value


@pytest.mark.parametrize("known", [None, KNOWN, JUDGED])
@pytest.mark.parametrize(
    ("more", "where"),
    [
        ('[attributes.evicted]\nfield = "evicted"\n', "attributes.evicted"),
        ('[[equality]]\nfield = "evicted"\n', "equality[0].field"),
    ],
)
def test_no_attribute_or_audit_is_made_of_an_outcome(dated, more, where, known):
    found = refused(dated, POLICY + more, known)
    assert "is an outcome, by which policies are judged" in found.problem
    assert where in found.where


@pytest.mark.parametrize("required", [True, False])
def test_no_factor_gets_an_outcome(dated, required):
    Evicted.inputs = (Input("evicted", FieldType.DATE, required=required),)
    more = '[[factors]]\nfactor = "evicted"\nweight = 5\n'
    found = refused(dated, POLICY.replace("[[bands]]", more + "[[bands]]", 1))
    assert "is an outcome" in found.problem
    assert found.where.endswith("evicted, input evicted")


def test_a_run_does_not_read_it(dated):
    dated.score()
    assert "evicted" not in dated.tax.asked
    assert not [name for name in dated.rows().columns if "evicted" in name]


def test_a_back_test_reads_it_and_nothing_else_changes(dated):
    from folkmoot_node.pipeline.local import score
    from folkmoot_node.pipeline.own_run import Judged

    dated.write_node(NODE)
    known = KnownOn(on=TODAY, today=TODAY, outcomes=("evicted",), undated=("people",))
    dated.score()
    before = dated.rows()
    score(dated.config, dated.plugins, dated.policy, today=TODAY, judged=Judged(stops=False),
          known=known)  # fmt: skip
    assert dated.tax.asked[-1] == "evicted"
    now = dated.rows()
    assert now.drop("first@evicted", "before@evicted", "gone@evicted").equals(before)
    assert now["first@evicted"].dtype == pl.Date


@pytest.mark.parametrize("asked", [{"outcomes": ("evicted",)}, {"kept": ("council_tax_arrears",)}])
def test_bought_data_whose_licence_has_ended_judges_nothing(dated, asked):
    """It is not read, so that a back-test would have no place for anybody in that order."""
    [[name]] = asked.values()
    licence = f'[[consumer_data]]\nfield = "{name}"\npurpose = "x"\nlicence_ends = 2026-01-31\n'
    found = refused(dated, POLICY + licence, KNOWN.model_copy(update=asked))
    assert found.problem == f"the licence of {name!r} ended on 2026-01-31"
    assert "evaluation file" in found.remedy
