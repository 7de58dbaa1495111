"""The table `[linkage]`, as its documentation shows it."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from folkmoot_node.settings.linkage import AddressSettings, LinkageSettings

DOCUMENT = (Path(__file__).parents[4] / "docs" / "linkage.md").read_text("utf-8")


def test_the_documented_tables_are_valid_and_show_the_defaults():
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    addresses = tomllib.loads(blocks[0])["linkage"]
    settings = LinkageSettings.model_validate(addresses)
    assert settings.model_copy(update={"addresses": None}) == LinkageSettings()
    assert settings.addresses is not None
    assert settings.addresses == AddressSettings()
    for block in blocks[1:]:
        LinkageSettings.model_validate(tomllib.loads(block)["linkage"])


def test_nothing_is_linked_unless_a_table_says_so():
    assert LinkageSettings().addresses is None
    assert LinkageSettings().people is None


@pytest.mark.parametrize(
    "table",
    [
        {"adresses": {}},
        {"addresses": {"match_wieght": 3}},
        {"addresses": {"match_weight": 3, "review_weight": 4}},
        {"addresses": {"distinguishability": -1}},
        {"addresses": {"candidates": 0}},
        {"addresses": True},
        {"communal_households": "perhaps"},
    ],
)
def test_what_is_wrong_is_refused(table):
    with pytest.raises(ValidationError):
        LinkageSettings.model_validate(table)
