"""Sample settings, policies and units are valid, and name things that exist."""

from __future__ import annotations

import datetime
import re
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_node.casework.authority.policy import SAMPLE, CaseworkPolicy
from folkmoot_node.casework.authority.policy import load_policy as load_casework_policy
from folkmoot_node.casework.initialise import initialise as initialise_casework
from folkmoot_node.casework.site_settings import site_settings as casework_settings
from folkmoot_node.operations.initialise import initialise
from folkmoot_node.policies.release_policy import load_unsigned
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.settings.node_toml import load_config
from folkmoot_operator.moments import usual_sunset
from folkmoot_operator.problems import Problem
from folkmoot_operator.settings import parse
from folkmoot_plugin_savvi.standard import load
from folkmoot_sdk.loading import load as load_installed
from folkmoot_sdk.parameters import build
from folkmoot_web.sign_in.openid import CALLBACK
from tests.commands import run_inside
from tests.night import by_night

ROOT = Path(__file__).resolve().parents[2]


def test_a_new_node_has_valid_settings_and_a_policy_whose_factors_are_installed(
    tmp_path: Path,
) -> None:
    initialise(tmp_path / "node", "E08000009", "Trafford", "0.2", "1", "5")
    config = load_config(tmp_path / "node")
    assert config.council == "E08000009"
    policy, _ = load_unsigned(config.release_policy)
    assert policy.operator_approval
    risk = load_policy(config.risk_policy)
    assert {factor.factor for factor in risk.document.factors} <= set(load_installed().factors)


def test_policies_of_a_new_node_end_with_a_financial_year_at_least_three_months_ahead(
    tmp_path: Path,
) -> None:
    before = datetime.datetime.now(datetime.UTC).date()
    initialise(tmp_path / "node", "E08000009", "Trafford", "0.2", "1", "5")
    casework = initialise_casework(tmp_path / "node")
    after = datetime.datetime.now(datetime.UTC).date()
    config = load_config(tmp_path / "node")
    release, _ = load_unsigned(config.release_policy)
    assert release.sunset == load_policy(config.risk_policy).sunset
    made = {release.sunset, load_casework_policy(casework.policy).policy.sunset}
    assert made <= {usual_sunset(before), usual_sunset(after)}
    for day in range(0, 3660, 5):
        today = datetime.date(2026, 11, 30) + datetime.timedelta(days=day)
        last = usual_sunset(today)
        assert (last.month, last.day) == (3, 31)
        assert datetime.timedelta(days=90) <= last - today <= datetime.timedelta(days=455)


def test_nobodys_loss_is_chosen_for_them(tmp_path: Path) -> None:
    initialise(tmp_path / "node", "E08000009", "Trafford", None, None, None)
    with pytest.raises(Problem) as caught:
        load_unsigned(tmp_path / "node" / "release-policy.toml")
    assert [line for line in caught.value.problem.splitlines() if "is missing" in line] == [
        f"loss.{limit} is missing" for limit in ("per_round", "per_period", "lifetime")
    ]


def test_the_rehearsals_policy_is_valid(tmp_path: Path) -> None:
    shipped = resources.files("folkmoot_rehearsal") / "documents" / "risk-policy.toml"
    path = tmp_path / "risk-policy.toml"
    path.write_text(shipped.read_text("utf-8"), "utf-8")
    risk = load_policy(path)
    assert {factor.factor for factor in risk.document.factors} <= set(load_installed().factors)


SAMPLES = {
    "council_tax": "council_records",
    "savvi": "savvi",
    "nhs_shielding": "nhs_shielding",
    "notifications": "notifications",
    "adult_social_care": "council_records",
    "childrens_services": "council_records",
    "deaths": "council_records",
    "homelessness": "council_records",
    "housing_benefit": "council_records",
    "housing_register": "council_records",
    "rents": "council_records",
}
"""By source, the plugin that brings it; first one of each plugin."""
FEED = (
    'standard = "alpha-2026-06"\nfields = ["lives_alone", "falls", "domestic_abuse_last_report"]\n'
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", by_night(SAMPLES, by_day=4))
def test_a_vendor_s_check_passes_on_the_shipped_samples(kind: str, tmp_path: Path) -> None:
    plugin = SAMPLES[kind]
    folder = resources.files(f"folkmoot_plugin_{plugin}") / "samples"
    (tmp_path / "options.toml").write_text(
        (FEED if kind == "savvi" else "") + f'folder = "{folder}"\n', "utf-8"
    )
    options = ["--source", kind, "--options", str(tmp_path / "options.toml")]
    name = f"folkmoot-plugin-{plugin.replace('_', '-')}"
    run_inside("folkmoot-plugin", "check", name, *options).said()


@pytest.mark.slow
def test_a_vendor_s_check_passes_on_the_sample_of_a_database(
    tmp_path: Path,
) -> None:
    folder = resources.files("folkmoot_plugin_sql") / "samples"
    with closing(sqlite3.connect(tmp_path / "council_tax.sqlite")) as database, database:
        database.executescript((folder / "council_tax.sql").read_text("utf-8"))
    (tmp_path / "options.toml").write_text(
        f'mapping = "{folder / "council_tax.toml"}"\nurl = "sqlite:///council_tax.sqlite"\n',
        "utf-8",
    )
    options = ["--source", "sql", "--options", str(tmp_path / "options.toml")]
    run_inside("folkmoot-plugin", "check", "folkmoot-plugin-sql", *options).said()


def test_fields_of_shipped_sources_fit_the_inputs_that_have_their_names(tmp_path: Path) -> None:
    plugins = load_installed()
    inputs = {entry.name: entry for factor in plugins.factors.values() for entry in factor.inputs}
    met = set()
    for kind in SAMPLES:
        source = plugins.sources[kind]
        given: dict[str, object] = {}
        if kind == "savvi":
            given = {
                "standard": "alpha-2026-06",
                "fields": list(load("alpha-2026-06", None).fields),
            }
        for field in source(build(source.Options, given, "options")).schema.fields:
            if field.name not in inputs:
                continue
            entry = inputs[field.name]
            met.add(field.name)
            assert field.household_type is entry.type, field.name
            assert field.unit == entry.unit, field.name
            assert set(field.codes) <= set(entry.codes), field.name
    assert len(met) >= 10


def test_the_settings_in_the_guide_to_the_site_are_valid(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "site.md").read_text("utf-8")
    site, sign_in = re.findall(r"```toml\n(.*?)```", text, re.S)
    base = settings_text("Region", ("127.0.0.1",), "127.0.0.1", 7443, 7444)
    base = base.replace("[rounds]\n", "").replace("[retention]\n", "")
    settings = parse(CoordinatorSettings, (base + site + sign_in).encode(), "coordinator.toml")
    web = site_settings(Home(tmp_path), settings)
    assert web.sign_in.openid is not None
    assert f"{web.origin}{CALLBACK}`" in text
    roles = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert roles == list(PERMISSIONS.roles)


def test_the_settings_in_the_guide_to_casework_are_valid(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "casework-setup.md").read_text("utf-8")
    command_line, settings, sign_in = re.findall(r"```toml\n(.*?)```", text, re.S)
    base = (
        'schema = 1\ncouncil = "E08000009"\nname = "Trafford"\n[scoring]\nframe = "council_tax"\n'
    )
    (tmp_path / "node.toml").write_text(base + settings + sign_in, "utf-8")
    config = load_config(tmp_path)
    assert config.readers == 0
    web = casework_settings(config)
    assert web.sign_in.openid is not None
    assert f"{web.origin}{CALLBACK}`" in text
    sample = SAMPLE.format(council="E08000009", sunset="2029-03-31").partition("[command_line]")[0]
    policy = parse(CaseworkPolicy, (sample + command_line).encode(), "casework-policy.toml")
    assert policy.command_line.accounts == {"jo": ("manager",)}
    mapped = {role for roles in web.sign_in.openid.roles.values() for role in roles}
    assert mapped <= set(policy.roles)
