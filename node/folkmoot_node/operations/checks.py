"""Whether anything is kept for longer than the policy permits."""

from __future__ import annotations

from folkmoot_node.home import NodeHome
from folkmoot_node.operations.retention import expired
from folkmoot_operator.checks import Check
from folkmoot_operator.problems import ExitCode, Problem


def retention(home: NodeHome) -> Check:
    """Whether something waits to be purged."""

    def look() -> str:
        found = expired(home)
        if found:
            kinds = ", ".join(dict.fromkeys(item.kind.value for item in found))
            raise Problem(
                f"{len(found)} past the policy's retention rule: {kinds}",
                remedy="Run `folkmoot-node purge --dry-run` to see them, "
                "then `folkmoot-node purge`",
                exit_code=ExitCode.REFUSED,
            )
        return "nothing is past the policy's retention rule"

    return Check("retention", look)
