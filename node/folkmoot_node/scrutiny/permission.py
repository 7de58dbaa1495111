"""Whether scoring and releasing may go on, asked by whoever begins either.

A node that does not ask for an approved dossier loads nothing more for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome
    from folkmoot_node.settings.node_toml import NodeConfig


def permit_run(config: NodeConfig, policy: Path | None = None) -> None:
    """Asked before a scoring run begins.

    Args:
        config: The node's settings.
        policy: The policy by which households are scored; that of the settings if None.

    Raises:
        Problem: Exit code REFUSED, if the node is not as it was approved.
    """
    if config.scrutiny.require_approved:
        from folkmoot_node.scrutiny.gate import require_approved_run

        require_approved_run(config, policy)


def permit_release(node: NodeHome, scored_by: bytes) -> None:
    """Asked before a round is answered: what `open_home` is given as `permit`.

    Args:
        node: The node.
        scored_by: SHA-256 of the risk policy by which its scores were made, 32 bytes.

    Raises:
        Problem: Exit code REFUSED, if the node is not as it was approved.
    """
    if node.config.scrutiny.require_approved:
        from folkmoot_node.scrutiny.gate import require_approved_release

        require_approved_release(node, scored_by)
