"""When a round waits for other scores than those in the store.

A refusal is permanent. So a round is not refused for what the next scoring run puts right: scores
by another policy than the one that both the round and `node.toml` name, and scores that have been
kept for as long as they may or rest on bought data whose licence has ended. So it is with the
households as they were known on a past date. What decides is dates and policies alone, no
household.
"""

from __future__ import annotations

from folkmoot.rounds import Round
from folkmoot_node.home import NodeHome
from folkmoot_node.policies.expected_policy import is_expected
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.use import KEEP_SNAPSHOT, end_of_use
from folkmoot_operator.problems import ExitCode, Problem


def require_scores_for(home: NodeHome, run: RunSummary, round_: Round) -> None:
    """Checks that a round need not wait for other scores.

    Args:
        home: The node.
        run: The run whose scores are in the store.
        round_: The round.

    Raises:
        Problem: Exit code DATA, if it has to wait. After the last day of the configured policy
            no round waits: none could be answered later.
    """
    configured, today = home.risk_policy(), home.today()
    then = run.known_on is not None
    if today > configured.sunset:
        return
    if not is_expected(round_, run.policy_digest, run.policy_text) and is_expected(
        round_, configured.digest, configured.text
    ):
        raise Problem(
            f"the scores are by another policy ({run.policy_name}) than the one that the round "
            "and node.toml name",
            where=run.policy_path,
            remedy="The round waits. "
            + (KEEP_SNAPSHOT if then else "Run `folkmoot-node score`, without --policy"),
            exit_code=ExitCode.DATA,
        )
    end = end_of_use(run, configured)
    if run.policy_sunset >= today > end.last_day:
        raise Problem(
            f"the scores may not be used any more: {end.why}",
            where="the last scoring run",
            remedy="The round waits. "
            + (KEEP_SNAPSHOT if then else "Run `folkmoot-node score`, which makes new ones"),
            exit_code=ExitCode.DATA,
        )
