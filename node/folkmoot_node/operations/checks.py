"""Whether anything is kept for longer than the policy permits, and what ends or waits."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.answering.answer import RESUME
from folkmoot_node.home import NodeHome
from folkmoot_node.operations.retention import expired
from folkmoot_operator.checks import Check, Finding, State
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


WARNED_BEFORE = datetime.timedelta(days=30)
"""How long before the sunset there is a warning."""


def sunset(home: NodeHome) -> Check:
    """Whether the policy has ended; a warning in its last 30 days."""

    def look() -> Iterator[Finding]:
        policy, today = home.risk_policy(), home.today()
        policy.check_sunset(today)
        ends = f"the policy ends on {policy.sunset.isoformat()}"
        if today > policy.sunset - WARNED_BEFORE:
            text = f"{ends}; its scores may not be used after that"
            remedy = "Have its owner review it, and set a new date if it is to go on"
            yield Finding("sunset", State.WARN, text, remedy)
        else:
            yield Finding("sunset", State.OK, ends)

    return Check("sunset", look)


def last_run(home: NodeHome) -> Check:
    """Whether rounds wait for a scoring run that has not ended well."""

    def look() -> Iterator[Finding]:
        unfinished = home.unfinished_run
        if unfinished.since is None:
            yield Finding("last run", State.OK, "no round waits for a scoring run")
        elif unfinished.has_stopped:
            text = "the last scoring run stopped, and rounds wait"
            yield Finding("last run", State.WARN, text, RESUME)
        else:
            text = "a scoring run is under way or was killed, and rounds wait"
            yield Finding("last run", State.WARN, text, RESUME)

    return Check("last run", look)
