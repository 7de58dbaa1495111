"""A run applies what upheld objections change: to the household that objected, and to no other."""

from __future__ import annotations

import datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_node.corrections.decisions import Corrected, Decision, InForce
from folkmoot_node.corrections.sealed_file import open_corrections
from folkmoot_node.households.corrected_values import applied, corrected_households, withheld
from folkmoot_node.operations.export_households import write_households
from folkmoot_node.pipeline.dry_run import try_policy
from folkmoot_node.pipeline.order import run_stages, silent
from folkmoot_node.pipeline.own_run import begin
from folkmoot_node.pipeline.stages import owned
from folkmoot_node.scoring.explain import explain_household
from folkmoot_node.scoring.known_inputs import Standing
from folkmoot_node.store.schema import (
    attribute_column,
    corrected_column,
    field_column,
    suppressed_column,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import Category, Combine, Field, FieldType
from tests.tables import count
from tests.unit.node.conftest import NODE, POLICY, TODAY, tax_rows
from tests.unit.node.pipeline.test_order import Recording

DECIDED = datetime.date(2026, 11, 20)
BANDS = {"band": ("none", "low", "high")}


def agree(node, uprn, objection="o1", **change):
    """Upholds an objection, by the fields of the policy as casework has them."""
    from folkmoot_node.scoring.binding import bind_for

    binding = bind_for(node.policy, node.config, node.plugins, TODAY)
    decision = Decision(objection=objection, decided_on=change.pop("on", DECIDED), **change)
    fields = {name: bound.field for name, bound in binding.fields.items()}
    open_corrections(node.config).add(uprn, decision, fields)


def explained(node, uprn):
    with node.open() as store:
        return explain_household(store, node.config, node.plugins, node.policy, uprn, today=TODAY)


def input_of(node, uprn, field):
    return {one.field: one for one in explained(node, uprn).inputs}[field]


def test_a_suppressed_field_is_unknown_and_not_zero(node):
    agree(node, 2, suppress=("council_tax_arrears",))
    summary = node.score()
    found = explained(node, 2)
    assert (found.score, found.band, found.completeness) == (40, "low", 0.4)
    assert found.contributions[0].points is None
    entry = input_of(node, 2, "council_tax_arrears")
    assert (entry.value, entry.standing) == (None, Standing.SUPPRESSED)
    assert entry.decided_on == DECIDED
    assert (
        "council_tax_arrears: unknown (you objected to it, and we agreed not to use it)"
        in found.as_text()
    )
    assert summary.corrections.model_dump() == {
        "suppressed": 1, "corrected": 0, "withheld": 0, "without_effect": 0
    }  # fmt: skip
    assert summary.as_json()["corrections"]["suppressed"] == 1


def test_a_corrected_field_has_the_value_and_says_so(node):
    agree(node, 2, correct={"council_tax_arrears": 500, "tenure": "owned", "people": 2})
    node.score()
    found = explained(node, 2)
    assert [one.points for one in found.contributions] == [15, 0, 0]
    assert found.completeness == 1
    entry = input_of(node, 2, "tenure")
    assert (entry.value, entry.standing) == ("owned", Standing.CORRECTED)
    assert "tenure: owned (corrected after an objection on 2026-11-20)" in found.as_text()
    assert input_of(node, 2, "people").value == 2
    assert input_of(node, 1, "people").standing is Standing.RECORDED


def test_what_is_corrected_is_known_where_nobody_knew_it(node):
    agree(node, 3, correct={"oldest_age": 80, "people": 1})
    node.score()
    assert explained(node, 3).contributions[1].points == 30


def test_attributes_and_the_audit_go_by_it_too(node):
    node.write_policy(POLICY + '[[equality]]\nfield = "oldest_age"\nbreaks = [65]\n')
    agree(node, 2, suppress=("oldest_age",))
    agree(node, 1, "o2", correct={"oldest_age": 30})
    node.score()
    with node.open() as store:
        found = store.columns([attribute_column("age_group"), suppressed_column("oldest_age"),
                               corrected_column("oldest_age")])  # fmt: skip
        codes = {"age_group": ("under_16", "16_24", "25_64", "65_74", "75_over", "unknown")}
        assert count(store, codes, [("age_group",)])[0].tolist() == [0, 0, 1, 0, 0, 2]
        audited = pl.concat(store.audited()).sort("uprn")["audit_oldest_age"].to_list()
    assert audited == [0, 2, 2]
    assert found.rows() == [
        (1, "25_64", None, DECIDED),
        (2, None, DECIDED, None),
        (3,) + (None,) * 3,
    ]


def test_a_value_that_was_rejected_and_is_corrected_is_not_called_rejected(node):
    node.write_node(NODE + "\n[quarantine]\nmaximum_share = 1.0\n")
    node.tax.batches = [
        tax_rows([1, 2], [-5.0, -5.0], ["owned"] * 2, ["E01000001"] * 2)
    ]  # fmt: skip
    agree(node, 1, correct={"council_tax_arrears": 100.0})
    node.score()
    assert input_of(node, 1, "council_tax_arrears").standing is Standing.CORRECTED
    assert input_of(node, 2, "council_tax_arrears").standing is Standing.REJECTED
    with node.open() as store:
        listed = store.households(["none", "low", "high"]).sort("uprn")
    assert listed["rejected_inputs"].to_list() == ["", "council_tax_arrears"]
    assert listed["corrected_inputs"].to_list() == ["council_tax_arrears", ""]


def test_the_list_of_households_names_what_was_not_used(node, tmp_path):
    agree(node, 2, suppress=("tenure", "people"))
    node.score()
    with node.open() as store:
        write_households(store, tmp_path / "out.csv", (), today=TODAY)
    found = pl.read_csv(tmp_path / "out.csv").filter(pl.col("uprn") == 2)
    assert sorted(found["suppressed_inputs"].item().split()) == ["people", "tenure"]


def test_other_households_are_as_they_were(node):
    node.score()
    before = node.rows().filter(pl.col("uprn") != 2)
    agree(node, 2, suppress=("tenure",), correct={"council_tax_arrears": 1.0}, withhold=True)
    node.score()
    after = node.rows().filter(pl.col("uprn") != 2)
    assert after.select(before.columns).equals(before)


KEYS = st.dictionaries(st.integers(1, 8), st.integers(0, 100))
FIELD = Field("age", FieldType.INTEGER, Combine.MAXIMUM, Category.DEMOGRAPHY, maximum=90)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ages=st.lists(st.one_of(st.none(), st.integers(0, 90)), min_size=1, max_size=8),
    suppressed=st.sets(st.integers(1, 8)),
    stated=KEYS,
    left_out=st.sets(st.integers(1, 8)),
    one=st.integers(1, 8),
)
def test_no_value_depends_on_another_households_decisions(ages, suppressed, stated, left_out, one):
    """With and without the decisions of one household, the rows of all others are the same."""
    frame = pl.DataFrame({"uprn": range(1, len(ages) + 1), "age": pl.Series(ages, dtype=pl.Int16)})
    stated = {uprn: value for uprn, value in stated.items() if uprn not in suppressed}

    def rows(leaving_out):
        in_force = InForce(
            {"age": dict.fromkeys(suppressed - leaving_out, DECIDED)},
            {"age": {u: Corrected(v, DECIDED) for u, v in stated.items() if u not in leaving_out}},
            left_out - leaving_out,
        )
        made = corrected_households(frame, in_force, {"age": FIELD})
        out = withheld(made, in_force)
        assert applied(made, out).of(in_force.effects).without_effect >= 0
        return {
            row["uprn"]: (row["age"], row.get("suppressed@age"), row.get("corrected@age"), bool(no))
            for row, no in zip(made.to_dicts(), out, strict=True)
        }

    all_, without = rows(set()), rows({one})
    assert all_.keys() == without.keys()
    assert {u: row for u, row in all_.items() if u != one} == {
        u: row for u, row in without.items() if u != one
    }
    for uprn, age in enumerate(ages, start=1):
        if uprn in suppressed:
            assert all_[uprn][0] is None
        elif uprn in stated:
            fits = stated[uprn] <= 90
            assert all_[uprn][0] == (stated[uprn] if fits else None)
            assert (all_[uprn][2] is not None) == fits
        else:
            assert all_[uprn][:3] == (age, None, None)


def test_a_correction_that_fits_the_field_no_more_makes_it_unknown(node):
    agree(node, 2, correct={"tenure": "rented"})
    schema = node.tax.schema
    mended = tuple(
        Field(f.name, f.type, f.combine, f.category, codes=("owned", "other"))
        if f.name == "tenure" else f
        for f in schema.fields
    )  # fmt: skip
    object.__setattr__(node.tax, "schema", type(schema)(
        schema.name, schema.level, mended, schema.supplier, has_date=True
    ))  # fmt: skip
    node.tax.batches = [tax_rows([1, 2], [0.0, 0.0], ["owned", "other"], ["E01000001"] * 2)]
    node.score()
    assert input_of(node, 2, "tenure").standing is Standing.SUPPRESSED
    assert input_of(node, 1, "tenure").value == "owned"


def test_what_changed_nothing_is_counted(node):
    agree(node, 77, suppress=("tenure",), withhold=True)  # not in the frame
    agree(node, 2, "o2", suppress=("tenure",))
    node.write_policy(
        POLICY.replace('[[factors]]\nfactor = "renting"\nweight = 10\n', "").replace(
            '[attributes.tenure]\nfield = "tenure"\n', ""
        )
    )
    assert node.score().corrections.without_effect == 3


def test_a_decision_counts_on_its_days_alone(node):
    day = datetime.timedelta(days=1)
    agree(node, 2, suppress=("tenure",), on=TODAY + day)
    agree(node, 1, "o2", suppress=("tenure",), until=TODAY - day)
    summary = node.score()
    assert summary.corrections.suppressed == summary.corrections.without_effect == 0
    assert node.score(today=TODAY + day).corrections.suppressed == 1


def test_a_withheld_household_is_scored_and_in_no_count_or_list(node):
    node.score()
    with node.open() as store:
        assert count(store, BANDS, [("band",), ()])[0].tolist() == [1, 1, 1]
    agree(node, 2, withhold=True)
    summary = node.score()
    assert (summary.households, summary.corrections.withheld) == (3, 1)
    with node.open() as store:
        by_band, all_ = count(store, BANDS, [("band",), ()])
        assert by_band.tolist() == [1, 1, 0]
        assert all_.tolist() == [2]
        assert store.households(["none", "low", "high"])["uprn"].to_list() == [1, 3]
        assert store.columns(["withheld"]).rows() == [(1, False), (2, True), (3, False)]
    assert explained(node, 2).band == "high"


def test_one_who_is_withheld_since_the_run_is_left_out_at_once(node):
    node.score()
    with node.open() as store:
        store.withhold({2, 77})
        assert count(store, BANDS, [("band",)])[0].tolist() == [1, 1, 0]
        assert store.households(["none", "low", "high"])["uprn"].to_list() == [1, 3]
        assert store.columns(["withheld"])["withheld"].to_list() == [False, True, False]
        assert store.household(2)["band"] == 2


@pytest.mark.parametrize("by_id", [False, True], ids=["here", "by id"])
@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_every_engine_applies_the_same(node, monkeypatch, by_id, shared):
    agree(node, 2, suppress=("tenure",), correct={"council_tax_arrears": 4.5}, withhold=True)
    node.write_node(NODE.replace("[scoring]", "[scoring]\npartitions = 3"))
    node.score()
    expected = node.rows()
    monkeypatch.setattr("folkmoot_node.pipeline.run.load_plugins", lambda _: node.loaded)
    begun = begin(node.config, node.plugins, node.policy, today=TODAY, shared=shared)
    with begun as run, owned(run):
        run_stages(run, Recording(run, by_id))
    assert node.rows().select(expected.columns).equals(expected)
    assert run.summary.corrections.model_dump() == {
        "suppressed": 1, "corrected": 1, "withheld": 1, "without_effect": 0
    }  # fmt: skip


def test_a_run_goes_by_the_decisions_that_there_were_at_its_beginning(node):
    agree(node, 2, suppress=("tenure",))
    with begin(node.config, node.plugins, node.policy, today=TODAY, shared=True) as run, owned(run):
        open_corrections(node.config).withdraw("o1")
        run_stages(run, Recording(run, by_id=True))
    assert run.summary.corrections.suppressed == 1


def test_a_trial_applies_them_and_leaves_them(node):
    agree(node, 2, suppress=("council_tax_arrears",))
    content = node.config.corrections_file.read_bytes()
    node.score()
    trial = try_policy(
        node.config, node.plugins, node.policy, today=TODAY, reference_date=None, progress=silent
    )
    assert trial.changed == 0
    assert trial.run.corrections.suppressed == 1
    assert node.config.corrections_file.read_bytes() == content


def test_nobody_is_scored_if_the_decisions_cannot_be_read(node):
    first = node.score()
    agree(node, 2, suppress=("tenure",))
    node.config.corrections_file.write_bytes(b"x" * 50)
    with pytest.raises(Problem, match="decisions about objections") as raised:
        node.score()
    assert raised.value.exit_code is ExitCode.DATA
    with node.open() as store:
        assert store.run.run_id == first.run_id


def test_no_new_key_is_made_while_there_are_decisions(node):
    agree(node, 2, suppress=("tenure",))
    node.config.key_file.unlink()
    with pytest.raises(Problem, match="key of the store is missing"):
        node.score()


def test_the_values_are_in_the_table_of_households(node):
    agree(node, 2, correct={"council_tax_arrears": 42})
    node.score()
    with node.open() as store:
        found = store.columns([field_column("council_tax_arrears")])
    assert found.rows() == [(1, 500.0), (2, 42.0), (3, None)]
