"""Where a name is not provided, the plugin that was refused comes before other names."""

from __future__ import annotations

from folkmoot_node.plugins.failures import after_broken
from folkmoot_sdk.loading import BrokenPlugin, Origin


def test_a_refused_plugin_is_to_be_corrected_first() -> None:
    broken = BrokenPlugin(Origin("meters", "1", "meters"), "", "was revoked", "Uninstall it")
    said = after_broken([broken], "Valid: frailty")
    assert said.index("folkmoot-node plugins list") < said.index("Valid: frailty")
    assert after_broken([], "Valid: frailty") == "Valid: frailty"
