"""A policy is fitted by the real command, from dated extracts, and then scores by it are tried."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest

from folkmoot_node.home import open_home
from folkmoot_node.policies.risk_policy import load_policy
from tests.commands import run_inside

HOUSEHOLDS = 3000
EFFECTS = {"council_tax_arrears": 2.5, "rent_arrears": 1.2, "clinical_vulnerability": 0.0}
"""Log odds of the event: of GBP 1,000 owed, and of being shielded. The extracts are drawn so."""
POLICY = """
# Written by hand.
schema = 1
name = "Winter support"
purpose = "winter_support"
legal_basis = "Local Government Act 2000, section 2"
owner = "Head of Revenues"
sunset = 2099-03-31

[[factors]]
factor = "council_tax_arrears"
weight = 20  # as in 2019

[[factors]]
factor = "clinical_vulnerability"
weight = 30

# Owed to the landlord.
[[factors]]
factor = "rent_arrears"
weight = 40

[[factors]]
factor = "isolation"
weight = 10

[[bands]]
name = "none"
from = 0
action = "No action"
[[bands]]
name = "some"
from = 10
action = "Letter"
[[bands]]
name = "high"
from = 45
action = "Telephone call"

[[protected]]
characteristic = "age"
reason = "Older people who live alone are at greater risk"
[[protected]]
characteristic = "disability"
reason = "Shielded residents are offered help because of their health"

[[equality]]
field = "ethnic_group"
"""
HOMES = """
schema = 1
name = "homes"
level = "household"
files = ["homes.csv"]
uprn = "UPRN"
record_date = { column = "Date" }
[fields.council_tax_arrears]
column = "Tax"
type = "number"
unit = "GBP"
combine = "sum"
category = "finance"
[fields.rent_arrears]
column = "Rent"
type = "number"
unit = "GBP"
combine = "sum"
category = "finance"
[fields.shielded]
column = "Shielded"
type = "boolean"
combine = "any"
category = "health"
true = ["Y"]
false = ["N"]
[fields.oldest_age]
column = "Age"
type = "integer"
unit = "years"
combine = "max"
category = "demography"
protected = "age"
[fields.ethnic_group]
column = "Group"
type = "category"
codes = ["heron", "kite"]
combine = "first"
category = "demography"
protected = "race"
"""
HOUSING = """
schema = 1
name = "housing"
level = "household"
files = ["housing.csv"]
uprn = "UPRN"
record_date = { column = "Recorded" }
[fields.homeless]
column = "Event"
type = "date"
combine = "min"
category = "housing"
outcome = true
"""
EVALUATION = """
schema = 1
name = "Did it find homelessness?"
dates = [2025-01-31, 2025-04-30]
capacity = [200, 500]
resamples = 200
[outcomes.homelessness]
events = ["homeless"]
months = 3
"""
FIT = 'schema = 1\nevaluation = "evaluation.toml"\n'
SOURCE = """
[[sources]]
name = "{name}"
kind = "extracts"
[sources.options]
mapping = "mappings/{name}.toml"
folder = "extracts"
"""


def drawn() -> tuple[str, str]:
    """The two extracts."""
    draw = np.random.default_rng(5)
    tax = np.where(draw.random(HOUSEHOLDS) < 0.4, draw.uniform(0, 1200, HOUSEHOLDS), 0).round(2)
    rent = np.where(draw.random(HOUSEHOLDS) < 0.4, draw.uniform(0, 1200, HOUSEHOLDS), 0).round(2)
    shielded = draw.random(HOUSEHOLDS) < 0.3
    age = draw.integers(20, 95, HOUSEHOLDS)
    group = draw.choice(["heron", "kite"], HOUSEHOLDS, p=[0.7, 0.3])
    homes = ["UPRN,Date,Tax,Rent,Shielded,Age,Group"]
    events = ["UPRN,Recorded,Event"]
    for at in range(HOUSEHOLDS):
        uprn = 100010000000 + at
        homes.append(
            f"{uprn},2024-12-01,{tax[at]},{rent[at]},{'NY'[int(shielded[at])]},{age[at]},{group[at]}"
        )
        odds = np.exp(
            -3.6
            + EFFECTS["council_tax_arrears"] * min(tax[at] / 1000, 1)
            + EFFECTS["rent_arrears"] * min(rent[at] / 1000, 1)
        )
        for first in (datetime.date(2025, 1, 31), datetime.date(2025, 4, 30)):
            if draw.random() < odds / (1 + odds):
                day = first + datetime.timedelta(int(draw.integers(1, 80)))
                events.append(f"{uprn},{day + datetime.timedelta(2)},{day}")
    events.append(f"{100010000000},2025-09-30,2025-09-29")
    return "\n".join(homes) + "\n", "\n".join(events) + "\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = tmp_path_factory.mktemp("fit") / "node"
    command = ["init", "--home", made, "--council", "E08000009", "--name", "Trafford"]
    run_inside("folkmoot-node", *command).said()
    (made / "risk-policy.toml").write_text(POLICY)
    settings = (made / "node.toml").read_text().replace('frame = "council_tax"', 'frame = "homes"')
    settings += SOURCE.format(name="homes") + SOURCE.format(name="housing")
    (made / "node.toml").write_text(settings)
    for folder in ("extracts", "mappings"):
        (made / folder).mkdir(exist_ok=True)
    (made / "mappings" / "homes.toml").write_text(HOMES)
    (made / "mappings" / "housing.toml").write_text(HOUSING)
    homes, housing = drawn()
    (made / "extracts" / "homes.csv").write_text(homes)
    (made / "extracts" / "housing.csv").write_text(housing)
    (made / "evaluation.toml").write_text(EVALUATION)
    (made / "fit.toml").write_text(FIT)
    return made


def fit(home, *arguments, expect=0, file="fit.toml"):
    return run_inside("folkmoot-node", "fit", home / file, "--home", home, *arguments).said(expect)


def actions(home):
    with open_home(home) as node:
        assert not list(node.egress.departures())
        return [entry.body for entry in node.audit.entries() if "fit_sha256" in entry.body]


def test_a_policy_is_proposed_recorded_and_may_be_tried(home, tmp_path):
    out, page = tmp_path / "proposed.toml", tmp_path / "report.html"
    before = (home / "risk-policy.toml").read_bytes()
    said = fit(home, "--out", out, "--html", page)
    for words in ("council_tax_arrears", "reads a protected characteristic", "is not in force"):
        assert words in said
    assert "would be in another band" in page.read_text()
    for path in (out, page):
        assert path.stat().st_mode & 0o077 == 0, "both tell of residents"

    proposed = load_policy(out)
    weight = {entry.factor: entry.weight for entry in proposed.factors}
    assert weight.keys() == {"council_tax_arrears", "rent_arrears"}
    assert weight["council_tax_arrears"] > 1.5 * weight["rent_arrears"]
    assert "weight = 40" not in proposed.text
    assert "# as in 2019" in proposed.text
    assert (home / "risk-policy.toml").read_bytes() == before, "nothing is put into force"

    fitted, written = actions(home)[-2:]
    assert (fitted["action"], written["action"]) == ("policy fitted", "policy proposed")
    assert written["proposed_sha256"] == proposed.digest.hex()
    assert written["run"] == fitted["run"]
    assert written["run"] in proposed.text

    run_inside("folkmoot-node", "score", "--home", home, "--policy", out, "--try").said()


def test_the_same_seed_gives_the_same_and_json_has_what_the_text_has(home, tmp_path):
    first, second = (
        json.loads(fit(home, "--out", tmp_path / f"{at}.toml", "--json", "--seed", "7"))
        for at in range(2)
    )
    assert (first.pop("file"), second.pop("file")) == (
        str(tmp_path / "0.toml"),
        str(tmp_path / "1.toml"),
    )
    assert first == second
    assert (tmp_path / "0.toml").read_text() == first["text"]
    assert {one["factor"] for one in first["factors"]} == {*EFFECTS, "isolation"}
    assert sum(map(sum, first["moves"])) == first["households"] == HOUSEHOLDS
    assert len(first["judged"]) == 1


def test_protected_inputs_are_used_only_where_the_file_says_so(home, tmp_path):
    (home / "other.toml").write_text(FIT + 'protected_inputs = true\nkeep = ["isolation"]\n')
    found = json.loads(fit(home, "--out", tmp_path / "p.toml", "--json", file="other.toml"))
    assert found["protected"] == ["isolation"]


@pytest.mark.parametrize(
    "text,code,says",
    [
        ('leave_out = ["rent_arrear"]', 3, "rent_arrear"),
        ('keep = ["isolation"]', 3, "protected"),
        ('outcome = "evictions"', 3, "evictions"),
        ('[[recall]]\nfield = "ethnic_group"\ncapacity = 200\nleast = 1', 5, "no weights"),
        ('[[recall]]\nfield = "religion"\ncapacity = 200\nleast = 0.1', 3, "not held"),
    ],
)
def test_what_cannot_be_met_is_refused_and_nothing_is_written(home, tmp_path, text, code, says):
    (home / "other.toml").write_text(f"{FIT}{text}\n")
    said = fit(home, "--out", tmp_path / "p.toml", expect=code, file="other.toml")
    assert says in said
    assert "Remedy" in said
    assert not (tmp_path / "p.toml").exists()


def test_a_file_that_is_there_stays(home, tmp_path):
    out = tmp_path / "p.toml"
    out.write_text("mine")
    assert "is there already" in fit(home, "--out", out, expect=2)
    assert out.read_text() == "mine"


def test_dates_of_which_none_can_be_judged_are_refused_before_anything_is_read(home, tmp_path):
    (home / "near.toml").write_text(EVALUATION.replace("2025-04-30", "2025-04-29"))
    (home / "other.toml").write_text('schema = 1\nevaluation = "near.toml"\n')
    looks = len(actions(home))
    said = fit(home, "--out", tmp_path / "p.toml", expect=3, file="other.toml")
    assert "2025-04-30 or later" in said
    assert len(actions(home)) == looks


def test_a_factor_that_knows_the_outcome_is_refused(home, tmp_path):
    """A council records arrears of those whom it has evicted, and dates them back."""
    homes, housing = (home / "extracts" / f"{name}.csv" for name in ("homes", "housing"))
    kept = homes.read_text()
    evicted = {
        line.split(",")[0]
        for line in housing.read_text().splitlines()[1:]
        if line.split(",")[2] < "2025-04-30"
    }
    rows = [line.split(",") for line in kept.splitlines()]
    for row in rows[1:]:
        row[3] = "5000" if row[0] in evicted else "0"
    try:
        homes.write_text("\n".join(map(",".join, rows)) + "\n")
        said = fit(home, "--out", tmp_path / "p.toml", expect=4)
    finally:
        homes.write_text(kept)
    assert "nearly equal the outcome" in said
    assert "rent_arrears" in said
