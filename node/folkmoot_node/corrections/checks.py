"""Whether what was agreed with residents can be read, without which nobody is scored."""

from __future__ import annotations

from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.checks import Check


def readable(config: NodeConfig) -> Check:
    """Whether the decisions about objections can be read; says nothing of what they are."""

    def look() -> str:
        decisions_of(config)
        return "the decisions about objections can be read"

    return Check("corrections", look)
