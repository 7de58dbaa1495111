"""A node's catalogue reaches the coordinator, and whoever plans a round reads of it."""

from __future__ import annotations

import pytest
from region import TRAFFORD, Region

pytestmark = pytest.mark.slow


def test_what_a_council_signs_is_told_to_who_plans(region: Region) -> None:
    node = region.new_node(TRAFFORD)
    region.open_round([TRAFFORD])
    file = region.folder / "round.toml"
    file.write_text(file.read_text().replace('"winter_support"', '"flood"'))
    assert region.json("round", "plan", file)["doubts"] == [
        "risk-policy.toml is for the purpose winter_support, the round for flood. "
        "Make them agree, if they are meant to"
    ]
    node.run_inside("rounds", "list")
    [purpose, _] = region.json("round", "plan", file)["doubts"]
    assert purpose == (
        "Nobody whose catalogue is known allows the purpose flood, so would refuse. "
        "Purposes allowed: winter_support"
    )
    policy = node.home / "release-policy.toml"
    policy.write_text(policy.read_text().replace('["winter_support"]', '["flood"]'))
    node.run_inside("policy", "sign", "--signer", "A tester")
    node.run_inside("rounds", "list")
    assert len(region.json("round", "plan", file)["doubts"]) == 1
