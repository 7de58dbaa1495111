"""A council whose homelessness comes from arrears, by a mechanism that is known."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from tests.commands import run_inside
from tests.council_files import events_mapping, source_tables

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
HOUSING = events_mapping("homeless", file="housing.csv", column="Event", recorded="Recorded")
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


def make_council(folder: Path) -> Path:
    """A node with dated extracts, a policy, an evaluation file and a fit file; returns its home."""
    made = folder / "node"
    command = ["init", "--home", made, "--council", "E08000009", "--name", "Trafford"]
    run_inside("folkmoot-node", *command).said()
    (made / "risk-policy.toml").write_text(POLICY)
    settings = (made / "node.toml").read_text().replace('frame = "council_tax"', 'frame = "homes"')
    settings += source_tables("homes", "housing")
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
