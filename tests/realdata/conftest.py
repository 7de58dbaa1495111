"""Ten councils made of the people of a published census sample, one a region."""

from __future__ import annotations

import csv
import datetime
import gzip
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_sdk import FieldType, Input, RiskFactor
from folkmoot_sdk.loading import Origin, Plugins, load

HERE = Path(__file__).parent / "census_microdata"
FILES = ("microdata_50000.csv.gz", "nanodata_10000.csv.gz")
COUNCILS = {
    "E12000001": "E06000047",
    "E12000002": "E08000003",
    "E12000003": "E08000035",
    "E12000004": "E06000018",
    "E12000005": "E08000025",
    "E12000006": "E06000032",
    "E12000007": "E09000012",
    "E12000008": "E06000043",
    "E12000009": "E06000023",
    "W92000004": "W06000015",
}
"""The regions of the sample, and one council of each that stands for all of it."""
TODAY = datetime.date(2026, 11, 1)
NODE = """
schema = 1
council = "{council}"
name = "The council of {council}"
[scoring]
frame = "census"
[quarantine]
maximum_share = 0.0
[[sources]]
name = "census"
kind = "extracts"
[sources.options]
mapping = "mappings/census.toml"
folder = "{folder}"
"""
CODES = {
    "general_health": ("very_good", "good", "fair", "bad", "very_bad"),
    "economic_activity": (
        "employee", "self_employed", "unemployed", "student", "retired", "home_or_family",
        "long_term_sick", "other_inactive",
    ),
    "family_composition": (
        "not_in_family", "married", "cohabiting", "lone_parent", "other_related",
    ),
    "social_grade": ("AB", "C1", "C2", "DE"),
    "ethnic_group": ("white", "mixed", "asian", "black", "chinese_or_other"),
    "religion": (
        "none", "christian", "buddhist", "hindu", "jewish", "muslim", "sikh", "other",
        "not_stated",
    ),
}  # fmt: skip
SCORES = {
    "poor_health": ("general_health", {"bad": 0.75, "very_bad": 1.0}),
    "out_of_work": ("economic_activity", {"unemployed": 1.0, "long_term_sick": 0.5}),
    "lone_parent": ("family_composition", {"lone_parent": 1.0}),
    "low_social_grade": ("social_grade", {"DE": 1.0}),
    "by_ethnic_group": ("ethnic_group", {"black": 1.0}),
    "by_religion": ("religion", {"muslim": 1.0}),
}


def code_factor(factor: str, field: str, scores: Mapping[str, float]) -> type[RiskFactor]:
    """A factor that scores some codes of one field, made as a vendor would make it."""

    class CodeFactor(RiskFactor):
        name = factor
        title = factor.replace("_", " ")
        description = f"Scores codes of {field}."
        domain = "census"
        inputs = (Input(field, FieldType.CATEGORY, codes=CODES[field]),)

        def score(self, inputs: Any, context: Any) -> Any:
            table = np.array([*(scores.get(code, 0.0) for code in CODES[field]), np.nan])
            return table[inputs[field]]

        def explain(self, values: Mapping[str, Any], score: float, context: Any) -> str:
            return f"{field}: {values[field] or 'not known'}."

    return CodeFactor


@dataclass(frozen=True)
class CensusCouncil:
    """One region of the sample as a scored council.

    Attributes:
        region: GSS code.
        code: GSS code of the council that stands for the region in this test.
        config: Its node home.
        plugins: The installed plugins and the factors above.
        policy: The policy it was scored by.
        summary: What the scoring run did.
        exact: Number of people by band and age group, counted by hand from the file.
    """

    region: str
    code: str
    config: NodeConfig
    plugins: Plugins
    policy: RiskPolicy
    summary: RunSummary
    exact: Mapping[tuple[str, str], int]


@pytest.fixture(scope="session")
def census_folder(public_data: Path) -> Path:
    """The folder of the two samples."""
    folder = public_data / "census2011_microdata"
    if not all((folder / name).exists() for name in FILES):
        pytest.skip(f"the census microdata are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def census_people(census_folder: Path) -> Mapping[str, Mapping[str, str]]:
    """The union of both samples by person, read without any of the project's code."""
    people: dict[str, Mapping[str, str]] = {}
    for name in FILES:
        with gzip.open(census_folder / name, "rt", newline="") as stream:
            for row in csv.DictReader(stream):
                people.setdefault(row["Person ID"], row)
    return people


@pytest.fixture(scope="session")
def census_plugins() -> Plugins:
    """The installed plugins, and factors over census codes."""
    installed = load()
    made = [code_factor(name, field, scores) for name, (field, scores) in SCORES.items()]
    origin = Origin("census-factors", "1.0", "census")
    return replace(
        installed,
        factors={**installed.factors, **{factor.name: factor for factor in made}},
        factor_origins={**installed.factor_origins, **{f.name: origin for f in made}},
    )


def census_home(home: Path, region: str, folder: Path) -> NodeConfig:
    """A node home that reads one region of the samples through a mapping file."""
    (home / "mappings").mkdir(parents=True)
    where = f'\n[[where]]\ncolumn = "Region"\nin = ["{region}"]\n'
    mapping = (HERE / "census.toml").read_text(encoding="utf-8")
    (home / "mappings" / "census.toml").write_text(mapping + where, encoding="utf-8")
    settings = NODE.format(council=COUNCILS[region], folder=folder)
    (home / "node.toml").write_text(settings, encoding="utf-8")
    policy = (HERE / "risk-policy.toml").read_bytes()
    (home / "risk-policy.toml").write_bytes(policy)
    config = load_config(home)
    create_key(config.key_file)
    return config


def band_by_hand(person: Mapping[str, str]) -> str:
    """The band of one person, straight from the ONS codes."""
    points = {"4": 30, "5": 40}.get(person["Health"], 0)
    points += {"3": 30, "8": 15}.get(person["Economic Activity"], 0)
    points += 20 if person["Family Composition"] in {"4", "5"} else 0
    points += 10 if person["Approximated Social Grade"] == "4" else 0
    return (
        "high" if points >= 60 else "medium" if points >= 30 else "low" if points >= 10 else "none"
    )


AGE_GROUPS = (
    "under_16", "16_24", "25_34", "35_44", "45_54", "55_64", "65_74", "75_over",
)  # fmt: skip


@pytest.fixture(scope="session")
def census_councils(
    census_folder: Path,
    census_people: Mapping[str, Mapping[str, str]],
    census_plugins: Plugins,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[CensusCouncil, ...]:
    """Ten scored councils, one a region, and their exact counts of band by age group."""
    councils = []
    for region, code in COUNCILS.items():
        config = census_home(tmp_path_factory.mktemp(region) / "home", region, census_folder)
        policy = load_policy(config.risk_policy)
        summary = score(config, census_plugins, policy, today=TODAY)
        exact = Counter(
            (band_by_hand(person), AGE_GROUPS[int(person["Age"]) - 1])
            for person in census_people.values()
            if person["Region"] == region
        )
        councils.append(
            CensusCouncil(region, code, config, census_plugins, policy, summary, dict(exact))
        )
    return tuple(councils)
