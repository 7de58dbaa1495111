"""The plugin's README says what the factors declare."""

from pathlib import Path

import pytest

from folkmoot_plugin_household_factors import folkmoot_risk_factors
from folkmoot_sdk.parameters import describe

FOLDER = Path(__file__).parents[3] / "plugins" / "household_factors"
LINES = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
FACTORS = folkmoot_risk_factors()


def row(name):
    """The row of the last table whose first cell is that name."""
    return [line for line in LINES if line.startswith(f"| `{name}` |")][-1].strip("| ").split(" | ")


@pytest.mark.parametrize("kind", FACTORS, ids=[kind.name for kind in FACTORS])
def test_inputs_parameters_and_codes_are_those_of_the_factor(kind):
    _, inputs, parameters = row(kind.name)
    assert inputs.split("; ") == [
        f"`{entry.name}`{'' if entry.required else '*'} {entry.unit or entry.type.value}"
        for entry in kind.inputs
    ]
    assert parameters.split("; ") == [
        f"`{entry.key}` {entry.default:g} {entry.unit}".strip()
        for entry in describe(kind.Parameters)
    ]
    for entry in kind.inputs:
        if entry.codes:
            assert row(entry.name)[1] == ", ".join(f"`{code}`" for code in entry.codes)


def test_every_factor_is_listed_under_its_domain():
    domain, listed = "", {}
    for line in LINES:
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if len(cells) == 4:
            domain = cells[0] or domain
            listed[cells[1]] = domain
    assert {kind.name: kind.domain for kind in FACTORS}.items() <= listed.items()
