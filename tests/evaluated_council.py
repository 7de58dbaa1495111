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
from tests.council_files import events_mapping, source_tables, tax_mapping, winter_policy

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
_TAX = (
    tax_mapping("latest", "latest", "latest")
    + """
[fields.ethnic_group]
column = "Group"
type = "category"
codes = ["heron", "kite", "wren"]
combine = "latest"
category = "demography"
protected = "race"
"""
)
_HOUSING = events_mapping(
    "homelessness_application", file="housing.csv", column="Applied", recorded="Recorded"
)
_NODE = f"""\
schema = 1
council = "{COUNCIL}"
name = "Trafford"
[scoring]
frame = "council_tax"
{source_tables("council_tax", "housing")}"""
POLICY = (
    winter_policy({"council_tax_arrears": 50, "isolation": 30}, sunset="2099-03-31")
    + """
[[equality]]
field = "ethnic_group"
"""
)


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
