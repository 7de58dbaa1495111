"""A council whose node is a real one: dated CSV files, mappings, and the reader of extracts that
comes with it. It is so small that each score and event can be told by hand.
"""

from __future__ import annotations

from folkmoot_node.evaluation.dated_snapshots import snapshots
from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_plugin_extracts.source import ExtractsSource
from folkmoot_sdk.loading import Plugins
from tests.unit.node.conftest import ORIGIN, TODAY, Arrears, Renting

NODE = """
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "homes"
[quarantine]
maximum_share = 0.9
[[sources]]
name = "homes"
kind = "extracts"
options = { mapping = "homes.toml", folder = "extracts" }
[[sources]]
name = "tax"
kind = "extracts"
options = { mapping = "tax.toml", folder = "extracts" }
[[sources]]
name = "housing"
kind = "extracts"
options = { mapping = "housing.toml", folder = "extracts" }
"""
HOMES = """
schema = 1
name = "homes"
level = "property"
files = ["homes.csv"]
uprn = "UPRN"
[fields.tenure]
column = "Tenure"
type = "category"
codes = ["owned", "rented"]
combine = "first"
category = "housing"
[fields.deprivation]
column = "Rank"
type = "integer"
combine = "first"
category = "geography"
"""
TAX = """
schema = 1
name = "tax"
level = "household"
files = ["tax.csv"]
uprn = "UPRN"
record_date = { column = "Date" }
[fields.council_tax_arrears]
column = "Arrears"
type = "number"
unit = "GBP"
combine = "latest"
category = "finance"
absent = 0
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
[fields.moved_away]
column = "Left"
type = "date"
combine = "min"
category = "housing"
outcome = true
"""
FILES = {
    "homes": "UPRN,Tenure,Rank\n1,owned,5\n2,rented,1\n3,rented,2\n4,owned,\n",
    "tax": (
        "UPRN,Date,Arrears\n1,2026-01-10,100\n1,2026-03-10,1000\n2,2026-02-01,500\n"
        "2,2026-02-02,\n3,2026-04-01,1000\n3,,900\n"
    ),
    "housing": (
        "UPRN,Recorded,Event,Left\n1,2026-03-05,2026-03-02,\n1,2026-03-06,2026-03-02,\n"
        "1,2026-06-30,2026-05-01,\n2,2026-06-01,2026-05-30,2026-04-15\n3,2026-01-05,2026-01-04,\n"
        "9,2026-03-01,2026-03-01,\n4,2026-06-30,,\n"
    ),
}  # fmt: skip
POLICY = """
schema = 1
name = "Winter support 2026"
purpose = "winter_support"
legal_basis = "Localism Act 2011, s.1"
owner = "Head of Revenues"
sunset = 2027-03-31
[[factors]]
factor = "arrears"
weight = 60
[[factors]]
factor = "renting"
weight = 10
[[bands]]
name = "none"
from = 0
action = "Nothing"
[[bands]]
name = "high"
from = 30
action = "Call"
"""
EVALUATION = {
    "schema": 1,
    "name": "Does it find need?",
    "dates": ["2026-02-28", "2026-03-31"],
    "capacity": [1],
    "undated": ["homes"],
    "outcomes": {"homelessness": {"events": ["homeless"], "months": 3, "moved_away": "moved_away"}},
    "baselines": {"oldest_first": ["council_tax_arrears"], "deprivation": "deprivation"},
}


class Council:
    """A node's home with extracts, mappings and a policy."""

    def __init__(self, home):
        self.home = home
        (home / "extracts").mkdir(parents=True)
        self.write(node=NODE, policy=POLICY, homes=HOMES, tax=TAX, housing=HOUSING, **{
            f"{name}_csv": text for name, text in FILES.items()
        })  # fmt: skip
        create_key(self.config.key_file)

    def write(self, **texts):
        for name, text in texts.items():
            path = {"node": "node.toml", "policy": "risk-policy.toml"}.get(name, f"{name}.toml")
            if name.endswith("_csv"):
                path = f"extracts/{name.removesuffix('_csv')}.csv"
            (self.home / path).write_text(text)

    @property
    def config(self):
        return load_config(self.home)

    @property
    def plugins(self):
        factors = {factor.name: factor for factor in (Arrears, Renting)}
        kinds = {"extracts": ExtractsSource}
        return Plugins(
            kinds, factors, dict.fromkeys(kinds, ORIGIN), dict.fromkeys(factors, ORIGIN), ()
        )

    @property
    def policy(self):
        return load_policy(self.config.risk_policy)

    def begin(self, **changes):
        evaluation = EvaluationFile.model_validate(EVALUATION | changes)
        return snapshots(self.config, self.plugins, self.policy, evaluation, today=TODAY)

    def evaluate(self, **changes):
        return list(self.begin(**changes))
