"""The answer to one round: a release or a refusal, or none yet."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from folkmoot.refusal import RefusalReason
from folkmoot.rounds import Round
from folkmoot.versions import SPOKEN
from folkmoot_node.answering.reconcile import require_complete
from folkmoot_node.evidence.outbox import Answer
from folkmoot_node.evidence.pauses import require_running
from folkmoot_node.evidence.restored import require_compared
from folkmoot_node.evidence.round_book import Decision, KnownRound
from folkmoot_node.home import NodeHome
from folkmoot_node.release import admission
from folkmoot_node.release.office import Question
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot_node.policies.release_policy import SignedReleasePolicy
    from folkmoot_node.release.admission import AdmissionContext
    from folkmoot_node.release.exact_counts import ExactCounts
    from folkmoot_node.store.reader import HouseholdStore

NOT_ANSWERED = "no round is answered"


def answer_round(home: NodeHome, known: KnownRound, protocol: int = SPOKEN.newest) -> Answer | None:
    """Answers a round as policy and operators decide, and stores the answer.

    Args:
        home: The node.
        known: The round.
        protocol: Wire version of the answer, as agreed with the coordinator.

    Returns:
        The one answer to the round; None if its deadline has passed, or an operator has
        to decide first: about the round, or since a scoring run was stopped.

    Raises:
        Problem: If it cannot be answered yet, for example because there are no scores; or must not
            be, because this node's files are older than what has left it.
    """
    office = replace(home.office, protocol=protocol)
    book, council = home.round_book(), home.config.council
    # The door asks this too. It is asked here first because a round that has its answer needs
    # no scores and no policy; and there once more because opening the scores takes a while, in
    # which another process may have answered.
    earlier = office.outbox.find(known.round_id)
    if earlier is not None:
        return earlier
    require_running(home, NOT_ANSWERED)
    require_complete(home)
    require_compared(home.state)
    if home.clock() >= known.facts.deadline:
        return None
    known = book.find(known.round_id) or known  # decided since it was read?
    if known.decision is Decision.DECLINED:
        return office.refuse(known.round_id, known.digest, council, declined(known))
    round_ = book.question(known)
    counts_then = home.counts_then(round_)
    ended = ended_without_scores(home, then=counts_then)
    if ended is not None:
        return office.refuse(known.round_id, known.digest, council, ended)
    # late: see `load_release`
    from folkmoot_node.answering.scores_wait import require_scores_for
    from folkmoot_node.release.mechanism import release

    def confirm() -> None:
        """Asks in the transaction that stores a release whether it is still permitted."""
        require_running(home, NOT_ANSWERED)
        now = book.find(known.round_id)
        if counts_then and not home.config.snapshot_path.exists():
            raise Problem(
                "the households as they were known on a past date were deleted while the answer "
                "was made; nothing was stored",
                where=f"round {known.round_id}",
                remedy="It is answered when they are kept again",
                exit_code=ExitCode.DATA,
            )
        if stopped is None and home.stopped_run() is not None:
            raise Problem(
                "a scoring run began while the answer was made; nothing was stored",
                where=f"round {known.round_id}",
                remedy="It is answered when the run has ended well",
                exit_code=ExitCode.REFUSED,
            )
        if now is None or now.decision not in {known.decision, Decision.APPROVED}:
            raise Problem(
                "an operator decided otherwise while the answer was made; nothing was stored",
                where=f"round {known.round_id}",
                remedy="See `folkmoot-node rounds show`",
                exit_code=ExitCode.REFUSED,
            )

    signed, stopped = home.release_policy(), home.stopped_run()
    with ExitStack() as stack:
        store = stack.enter_context(home.open_store_for_round(round_))
        if stopped is not None and not _are_of_today(home, store):
            return None
        require_scores_for(home, store.run, round_)
        home.permit(home, store.run.policy_digest)
        context = home.admission_context(store, signed, round_)
        return release(
            Question(
                round_,
                known.digest,
                context,
                signed.digest,
                store.run.reference_date,
                signed.key,
            ),
            office,
            lambda: _tabulate(home, round_, store, signed, context, stack),
            threads=home.config.threads,
            approved=stopped is None
            and (not signed.policy.operator_approval or known.decision is Decision.APPROVED),
            confirm=confirm,
        )


def _are_of_today(home: NodeHome, store: HouseholdStore) -> bool:
    """Whether a new run would judge a round by the same policy and licences as these scores.

    Where it would not, a refusal that rests on these scores is one that the stopped run has
    chosen, and a refusal is final.
    """
    policy, run = home.risk_policy(), store.run
    same_end = home.today() <= run.last_day or home.today() > policy.sunset
    return run.policy_digest == policy.digest and same_end


def load_release() -> None:
    """Loads what a release needs, so that the first round does not wait for it.

    That is OpenDP, NumPy and DuckDB. They are imported late, here and in this room's other
    functions, because a visit without a round, and most commands, need none of them.
    """
    import duckdb  # noqa: F401

    from folkmoot_node.release import mechanism, tabulate  # noqa: F401


def _tabulate(
    home: NodeHome,
    round_: Round,
    store: HouseholdStore,
    signed: SignedReleasePolicy,
    context: AdmissionContext,
    stack: ExitStack,
) -> ExactCounts:
    """The exact tables of a round; a series' history stays open until `stack` is closed."""
    from folkmoot_node.release.tabulate import tabulate, tabulate_series  # late: see `load_release`

    council = home.config.council
    if context.series is None:
        return tabulate(store, round_, council)
    if context.series.unknown:
        raise Problem(
            "a round that was recovered from its receipt may have been of its series, and whom it "
            "counted is not known: they would be counted again",
            where=f"round {context.series.unknown[0]}",
            remedy="Put a newer copy of the node's folder back, or decline the rounds of the "
            "series",
            exit_code=ExitCode.DATA,
        )
    if context.series.pending:
        raise Problem(
            "an earlier release of its series is not delivered yet",
            where=f"round {context.series.pending[0]}",
            remedy="It is answered at the next visit after that is delivered",
            exit_code=ExitCode.UNREACHABLE,
        )
    history = stack.enter_context(home.open_history(round_))
    # From here on no other process answers a round of the series. Until here one could, so it
    # is asked again whether what was judged, the charge among it, is still so.
    if home.series_progress(signed, round_, context.now) != context.series:
        raise Problem(
            "another process answered a round of its series meanwhile",
            where=f"round {round_.round_id}",
            remedy="Try again",
            exit_code=ExitCode.DATA,
        )
    history.require_known({known.round_id for known in home.round_book().rounds()})
    return tabulate_series(store, history, round_, council, context.series)


def ended_without_scores(home: NodeHome, *, then: bool = False) -> admission.Objection | None:
    """The objection of a node whose scores are gone, and whose policy makes no new ones.

    Args:
        home: The node.
        then: Whether households as they were known on a past date are asked for.
    """
    if (home.config.snapshot_path if then else home.config.store_path).exists():
        return None
    sunset = home.risk_policy().sunset
    if home.today() <= sunset:
        return None
    return admission.Objection(RefusalReason.SUNSET, f"the policy ended on {sunset}")


def declined(known: KnownRound) -> admission.Objection:
    """The objection of an operator who declined."""
    return admission.Objection(RefusalReason.DECLINED, f"declined by {known.decided_by}")
