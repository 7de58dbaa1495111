"""Two households from an extract to an explanation: one in great need, one unknown."""

import csv
import datetime
import json

import pytest

from folkmoot_node.pipeline.local import score
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.explain import explain
from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import create_key
from folkmoot_operator.problems import Problem
from folkmoot_plugin_household_factors import folkmoot_risk_factors
from folkmoot_sdk import FieldType
from folkmoot_sdk.loading import load

TODAY = datetime.date(2026, 4, 1)
FACTORS = folkmoot_risk_factors()
FIELDS = {entry.name: entry for kind in FACTORS for entry in kind.inputs}
PROTECTED = {
    "oldest_age": "age",
    "shielded": "disability",
    "care_package": "disability",
    "frailty_category": "disability",
    "frailty_index": "disability",
    "young_carer": "age",
}
KNOWN, UNKNOWN = 100000000001, 100000000002

HOUSEHOLD = """
| factor                 | inputs                                                                      | score | because                              |
|------------------------|-----------------------------------------------------------------------------|-------|--------------------------------------|
| financial_hardship     | council_tax_arrears=400 rent_arrears=600 council_tax_support=true           | 0.7   | £400 of council tax and £600 of rent |
| council_tax_arrears    | council_tax_arrears=400 council_tax_recovery=summons                        | 0.3   | A summons has been sent              |
| rent_arrears           | rent_arrears=600 weekly_rent=150                                            | 0.5   | 4.0 weeks of it                      |
| benefit_dependency     | council_tax_support=true household_earnings=500                             | 0.75  | Earns £500 a month                   |
| benefit_cap            | benefit_capped=true benefit_cap_reduction=200                               | 0.75  | by £200 a month                      |
| fuel_poverty           | epc_band=F council_tax_support=true energy_arrears=100                      | 0.9   | energy rating is F                   |
| overcrowding           | people=1 bedrooms=1                                                         | 0     | enough for one each                  |
| housing_insecurity     | homelessness_duty=prevention possession_claim_date=2026-03-12               | 0.8   | prevention duty; 12 March 2026       |
| isolation              | oldest_age=75 people=1                                                      | 0.8   | The oldest person is 75              |
| clinical_vulnerability | shielded=true                                                               | 1     | on the shielded patient list         |
| frailty                | frailty_index=0.3                                                           | 0.7   | moderately frail                     |
| social_care_need       | care_package=low                                                            | 0.4   | low adult social care package        |
| unpaid_care            | unpaid_carer=true unpaid_care_hours=25                                      | 0.65  | 25 hours a week                      |
| domestic_abuse         | domestic_abuse_reports=1 domestic_abuse_last_report=2026-03-22              | 0.6   | One report                           |
| relationship_breakdown | single_person_discount=true single_person_discount_from=2026-03-02          | 0.7   | since 2 March 2026                   |
| child_need             | children_services=false                                                     | 0     | not involved                         |
| area_deprivation       | imd_decile=2                                                                | 0.667 | decile 2                             |
"""  # fmt: skip


def mapping():
    """A mapping file of one extract, whose columns are the factors' inputs."""
    lines = ['schema = 1\nname = "everything"\nlevel = "household"']
    lines += ['files = ["everything.csv"]\nuprn = "UPRN"\nnull_values = [""]']
    for name, entry in FIELDS.items():
        lines += [f'[fields.{name}]\ncolumn = "{name}"\ntype = "{entry.type.value}"']
        lines += ['combine = "first"\ncategory = "finance"']
        if entry.unit:
            lines += [f'unit = "{entry.unit}"']
        if entry.type is FieldType.CATEGORY:
            lines += [f"codes = {json.dumps(list(entry.codes))}"]
        if entry.type is FieldType.BOOLEAN:
            lines += ['true = ["true"]\nfalse = ["false"]']
        if name in PROTECTED:
            lines += [f'protected = "{PROTECTED[name]}"']
    return "\n".join(lines) + "\n"


def policy(permitted):
    lines = ['schema = 1\nname = "All"\npurpose = "test"\nlegal_basis = "none"\nowner = "nobody"']
    lines += ["sunset = 2099-01-01"]
    lines += [f'[[factors]]\nfactor = "{kind.name}"\nweight = 10' for kind in FACTORS]
    lines += ['[[bands]]\nname = "none"\nfrom = 0\naction = "Nothing"']
    lines += [
        f'[[protected]]\ncharacteristic = "{name}"\nreason = "Need"' for name in sorted(permitted)
    ]
    return "\n".join(lines) + "\n"


def write_home(home, examples, permitted):
    known = {}
    for row in examples.rows(HOUSEHOLD):
        known |= dict(pair.split("=") for pair in row["inputs"].split())
    home.mkdir()
    with (home / "everything.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["UPRN", *FIELDS], restval="")
        writer.writeheader()
        writer.writerow({"UPRN": KNOWN} | known)
        writer.writerow({"UPRN": UNKNOWN})
    (home / "everything.toml").write_text(mapping(), "utf-8")
    (home / "risk-policy.toml").write_text(policy(permitted), "utf-8")
    (home / "node.toml").write_text(
        'schema = 1\ncouncil = "E08000009"\nname = "Trafford"\n[scoring]\nframe = "everything"\n'
        '[[sources]]\nname = "everything"\nkind = "extracts"\n[sources.options]\n'
        'mapping = "everything.toml"\nfolder = "."\n',
        "utf-8",
    )
    create_key(home / "keys" / "store.key")
    config = load_config(home)
    return config, load_policy(config.risk_policy)


@pytest.fixture(scope="module")
def explained(tmp_path_factory, examples):
    home = tmp_path_factory.mktemp("node") / "home"
    config, risk_policy = write_home(home, examples, set(PROTECTED.values()))
    plugins = load()
    score(config, plugins, risk_policy, today=TODAY)
    return {uprn: explain(config, plugins, risk_policy, uprn) for uprn in (KNOWN, UNKNOWN)}


def test_every_factor_scores_and_says_why(explained, examples):
    found = {entry.factor: entry for entry in explained[KNOWN].contributions}
    rows = examples.rows(HOUSEHOLD)
    assert [row["factor"] for row in rows] == list(found) == [kind.name for kind in FACTORS]
    for row in rows:
        contribution = found[row["factor"]]
        assert contribution.points == pytest.approx(10 * float(row["score"]), abs=0.01), row
        for words in row["because"].split(";"):
            assert words.strip() in contribution.words, (row, contribution.words)
    assert explained[KNOWN].completeness == 1


def test_a_household_of_which_nothing_is_known_scores_nothing_and_says_so(explained):
    found = explained[UNKNOWN]
    assert found.completeness == 0
    assert [entry.points for entry in found.contributions] == [None] * len(FACTORS)
    assert all("not known" in entry.words.lower() for entry in found.contributions)


@pytest.mark.parametrize("missing", sorted(set(PROTECTED.values())))
def test_inputs_marked_as_protected_are_refused_without_a_reason(tmp_path, examples, missing):
    config, risk_policy = write_home(
        tmp_path / "home", examples, set(PROTECTED.values()) - {missing}
    )
    with pytest.raises(Problem, match=f"protected characteristic '{missing}'"):
        score(config, load(), risk_policy, today=TODAY)
