"""A council whose records go back in time: a node that back-tests can be run at.

Arrears make homelessness more likely, and nothing else does. Its folder is made as an operator
makes one, and everything is read by the plugins that come with the node.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import create_key

COUNCIL = "E08000009"
HOUSEHOLDS = 1500
FIRST = 10_000_000_001
"""UPRN of the first household."""
MONTHS = tuple(
    datetime.date(2025, month, 28) for month in (8, 9, 10, 11, 12)
)  # fmt: skip
"""When council tax was extracted: before the dates of the evaluation, between them, after them."""
REACHES = datetime.date(2026, 6, 30)
"""The latest record of housing."""
GROUPS = ("heron", "kite", "wren")
"""Codes that occur nowhere else, so that they can be looked for."""
_TAX = """\
schema = 1
name = "council_tax"
level = "household"
supplier = "Revenues"
files = ["council_tax.csv"]
uprn = "UPRN"
record_date = { column = "As at", format = "%Y-%m-%d" }

[fields.council_tax_arrears]
column = "Arrears"
type = "number"
combine = "latest"
category = "finance"
unit = "GBP"
minimum = 0

[fields.oldest_age]
column = "Oldest"
type = "integer"
combine = "latest"
category = "demography"
unit = "years"
protected = "age"
minimum = 0
maximum = 120

[fields.people]
column = "People"
type = "integer"
combine = "latest"
category = "demography"
minimum = 0

[fields.ethnic_group]
column = "Group"
type = "category"
codes = ["heron", "kite", "wren"]
combine = "latest"
category = "demography"
protected = "race"
"""
_HOUSING = """\
schema = 1
name = "housing"
level = "household"
supplier = "Housing Options"
files = ["housing.csv"]
uprn = "UPRN"
record_date = { column = "Recorded", format = "%Y-%m-%d" }

[fields.homelessness_application]
column = "Applied"
type = "date"
combine = "min"
category = "housing"
outcome = true
"""
_NODE = f"""\
schema = 1
council = "{COUNCIL}"
name = "Trafford"
[scoring]
frame = "council_tax"
[[sources]]
name = "council_tax"
kind = "extracts"
options = {{ mapping = "mappings/council_tax.toml", folder = "extracts" }}
[[sources]]
name = "housing"
kind = "extracts"
options = {{ mapping = "mappings/housing.toml", folder = "extracts" }}
"""
POLICY = """\
schema = 1
name = "Winter support 2026"
purpose = "winter_support"
legal_basis = "Localism Act 2011, s.1"
owner = "Head of Revenues"
sunset = 2099-03-31

[[factors]]
factor = "council_tax_arrears"
weight = 50
[[factors]]
factor = "isolation"
weight = 30

[[bands]]
name = "none"
from = 0
action = "Nothing"
[[bands]]
name = "low"
from = 10
action = "Write a letter"
[[bands]]
name = "high"
from = 40
action = "Telephone"

[[protected]]
characteristic = "age"
reason = "Isolation of older people is what the policy is about"

[[equality]]
field = "ethnic_group"
"""


def make_council(folder: Path) -> Path:
    """Makes the node's home.

    Args:
        folder: Where.

    Returns:
        The home.
    """
    home = folder / "home"
    for name in ("extracts", "mappings"):
        (home / name).mkdir(parents=True)
    home.chmod(0o700)
    (home / "mappings" / "council_tax.toml").write_text(_TAX)
    (home / "mappings" / "housing.toml").write_text(_HOUSING)
    (home / "risk-policy.toml").write_text(POLICY)
    (home / "node.toml").write_text(_NODE)
    config = load_config(home)
    create_key(config.key_file)
    StateDatabase(config.state_path, create=True).close()
    _write_extracts(home / "extracts")
    return home


def _write_extracts(folder: Path) -> None:
    draw = np.random.default_rng(1)
    debt = np.where(draw.random(HOUSEHOLDS) < 0.3, draw.gamma(2.0, 800, HOUSEHOLDS), 0).round(2)
    oldest, people = draw.integers(20, 95, HOUSEHOLDS), draw.integers(1, 6, HOUSEHOLDS)
    group = draw.choice(GROUPS, HOUSEHOLDS, p=(0.6, 0.3, 0.1))
    tax = ["UPRN,As at,Arrears,Oldest,People,Group"]
    for number, month in enumerate(MONTHS):
        owes = (debt * (0.6 + 0.1 * number)).round(2)
        tax += [
            f"{FIRST + at},{month},{owes[at]},{oldest[at]},{people[at]},{group[at]}"
            for at in range(HOUSEHOLDS)
        ]
    applies = draw.random(HOUSEHOLDS) < 0.03 + 0.25 * np.minimum(debt / 3000, 1)
    days = draw.integers(1, (REACHES - MONTHS[0]).days, HOUSEHOLDS)
    housing = ["UPRN,Recorded,Applied", f"{FIRST},{REACHES},{REACHES}"]
    for at in np.flatnonzero(applies):
        applied = MONTHS[0] + datetime.timedelta(int(days[at]))
        housing.append(f"{FIRST + at},{applied},{applied}")
    (folder / "council_tax.csv").write_text("\n".join(tax) + "\n")
    (folder / "housing.csv").write_text("\n".join(housing) + "\n")
