"""Bought data is read until its licence ends, and not a day longer."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import polars as pl
import pytest
from typer.testing import CliRunner

from folkmoot_node import cli
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.operations.export_households import write_households
from folkmoot_node.scoring import checks
from folkmoot_node.scoring.explain import explain
from folkmoot_node.sources import connect as plugins
from folkmoot_operator.problems import ExitCode, Problem

END = datetime.date(2026, 11, 30)
AFTER = datetime.date(2026, 12, 1)
USE = f'[[consumer_data]]\nfield = "tenure"\npurpose = "Need"\nlicence_ends = {END}\n'


@pytest.fixture
def licensed(node):
    """A node of which the tenure, a factor and an attribute, is bought until `END`."""
    node.tax.schema = replace(
        node.tax.schema,
        fields=tuple(
            replace(entry, consumer_data=True) if entry.name == "tenure" else entry
            for entry in node.tax.schema.fields
        ),
    )
    text = node.config.risk_policy.read_text()
    node.write_policy(text.replace("[[protected]]", USE + "[[protected]]"))
    return node


def test_the_last_day_of_the_licence_is_a_day_of_use(licensed):
    run = licensed.score(today=END)
    assert "tenure" in licensed.tax.asked
    assert run.licences == {"tenure": END}
    assert run.unlicensed == {}
    assert run.last_day == END
    assert licensed.rows()["points_renting"].null_count() < run.households


def test_after_it_the_field_is_not_read_and_scoring_goes_on(licensed):
    whole = licensed.score(today=END)
    run = licensed.score(today=AFTER)
    assert "tenure" not in licensed.tax.asked
    assert run.unlicensed == {"tenure": END}
    assert run.licences == {}
    assert run.last_day == run.policy_sunset
    assert run.households == whole.households
    rows = licensed.rows()
    assert rows["points_renting"].null_count() == run.households
    assert run.incomplete == run.households
    assert "field_tenure" not in rows.columns


def test_a_source_need_not_have_the_field_any_more(licensed):
    licensed.tax.batches = [batch.drop("tenure") for batch in licensed.tax.batches]
    assert licensed.score(today=AFTER).households
    with pytest.raises(Problem, match="gives no column 'tenure'"):
        licensed.score(today=END)


def test_an_attribute_made_of_it_is_left_out(licensed):
    assert "tenure" in licensed.score(today=END).attributes
    run = licensed.score(today=AFTER)
    assert "tenure" not in run.attributes
    assert {"band", "age_group", "lsoa"} <= set(run.attributes)


def test_an_explanation_says_why_it_was_not_read(licensed):
    licensed.score(today=AFTER)
    found = explain(licensed.config, licensed.plugins, licensed.policy, 1, today=AFTER)
    assert "tenure: unknown (not read: its licence ended on 2026-11-30)" in found.as_text()
    assert found.contributions[2].points is None
    assert found.contributions[2].words == "Tenure: not known."
    assert found.completeness == pytest.approx(0.9)


def test_a_clock_set_back_does_not_bring_it_back(licensed):
    licensed.score(today=AFTER)
    given = licensed.config, licensed.plugins, licensed.policy, 1
    then, now = explain(*given, today=END), explain(*given, today=AFTER)
    assert then.as_text() == now.as_text()


def test_scores_that_rest_on_it_are_not_used_after_it(licensed, tmp_path):
    licensed.score(today=END)
    with licensed.open() as store:
        assert write_households(store, tmp_path / "out.csv", [], today=END)
        with pytest.raises(Problem, match="whose licence ended on 2026-11-30") as raised:
            write_households(store, tmp_path / "later.csv", [], today=AFTER)
    assert raised.value.exit_code is ExitCode.REFUSED
    assert not (tmp_path / "later.csv").exists()
    given = licensed.config, licensed.plugins, licensed.policy, 1
    assert explain(*given, today=END).inputs
    with pytest.raises(Problem, match="whose licence ended"):
        explain(*given, today=AFTER)


def test_a_field_named_twice_is_refused(licensed):
    text = licensed.config.risk_policy.read_text()
    licensed.write_policy(text.replace("[[protected]]", USE + "[[protected]]"))
    with pytest.raises(Problem, match="a field is named twice"):
        licensed.score()


def test_the_command_warns_and_scores(licensed, monkeypatch):
    text = licensed.config.risk_policy.read_text()
    # The command reads the clock: an end that holds on any day.
    licensed.write_policy(text.replace(str(END), "2020-01-31"))
    monkeypatch.setattr(plugins, "load_plugins", lambda _: licensed.loaded)
    done = CliRunner().invoke(cli.app, ["score", "--home", str(licensed.home), "--json"])
    assert done.exit_code == 0, done.output
    assert "the licence of 'tenure' ended on 2020-01-31" in done.stderr
    assert '"unlicensed": {' in done.stdout


def test_doctor_warns_where_scoring_goes_on(licensed, monkeypatch):
    """The licence has ended, and the source has lost the field with it."""
    fields = tuple(entry for entry in licensed.tax.schema.fields if entry.name != "tenure")
    licensed.tax.schema = replace(licensed.tax.schema, fields=fields)
    with StateDatabase(licensed.config.state_path, create=True):
        pass
    for module in (plugins, checks):
        monkeypatch.setattr(module, "load_plugins", lambda _: licensed.loaded, raising=False)
    command = ["doctor", "--offline", "--home", str(licensed.home)]

    def found():
        rows = json.loads(CliRunner().invoke(cli.app, [*command, "--json"]).stdout)
        return next(row for row in rows if row["check"] == "policies and sources")

    text = licensed.config.risk_policy.read_text()
    licensed.write_policy(text.replace(str(END), "2999-01-31"))
    assert not found()["ok"]
    assert "no source provides the field 'tenure'" in found()["detail"]
    licensed.write_policy(text.replace(str(END), "2020-01-31"))
    assert licensed.score(today=AFTER).unlicensed
    assert found()["ok"]
    assert "the licence of 'tenure' ended on 2020-01-31" in found()["detail"]
    assert found()["remedy"].startswith("Renew the licence in the policy")
    shown = " ".join(CliRunner().invoke(cli.app, command).stdout.split())
    assert "warn policies and sources: " in shown
    assert "Remedy: Renew the licence in the policy" in shown


def test_bands_move_only_by_what_is_unknown(licensed):
    licensed.score(today=END)
    before = licensed.rows()
    licensed.score(today=AFTER)
    after = licensed.rows()
    lost = before["points_renting"].fill_null(0)
    assert (before["score"] - after["score"] == lost).all()
    assert isinstance(lost, pl.Series)
