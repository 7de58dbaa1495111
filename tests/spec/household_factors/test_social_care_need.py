"""Social-care need: the largest care package in the household."""

import pytest

from folkmoot_plugin_household_factors import SocialCareNeed
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build


def test_the_largest_package_scores(examples):
    examples.check(SocialCareNeed(SocialCareNeed.Parameters()), """
    | care_package | score | because                                     |
    |--------------|-------|---------------------------------------------|
    | none         | 0     | Nobody here has an adult social care package |
    | low          | 0.4   | a low adult social care package             |
    | medium       | 0.7   | a medium adult                              |
    | high         | 1     | a high adult                                |
    | ?            | ?     | not known                                   |
    """)  # fmt: skip


def test_a_smaller_package_never_scores_more():
    with pytest.raises(PluginError, match="do not ascend"):
        build(SocialCareNeed.Parameters, {"low": 0.9, "medium": 0.5}, "parameters")
