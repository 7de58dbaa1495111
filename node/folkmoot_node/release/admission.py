"""Whether a round may be answered: the council's policy against the question.

Looks at the round, the policies and the ledger, never at households, so that a refusal
reveals nothing about anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.refusal import RefusalReason
from folkmoot.rounds import Round
from folkmoot_node.policies.expected_policy import is_expected
from folkmoot_node.policies.release_policy import ReleasePolicy
from folkmoot_node.release.series import SeriesProgress
from folkmoot_operator.moments import day


@dataclass(frozen=True, slots=True)
class AdmissionContext:
    """What a node knows when it judges a round.

    Attributes:
        council: GSS code of this node's council.
        release_policy: The signed release policy.
        risk_policy_digest: SHA-256 of the risk stratification policy in use, 32 bytes.
        risk_policy_sunset: Last day on which its scores may be used; a licence of bought
            data may end it earlier than the policy does.
        codes: Published code list of each attribute; None for an area, whose codes the
            round gives.
        remaining: What the caps leave, of the period and of all time, the round's own debit
            left out.
        now: Seconds since 1970-01-01T00:00:00Z.
        series: Where the node stands in the round's series; None if the round is in none.
        risk_policy_text: The policy file that `risk_policy_digest` is of; empty if the scores do
            not carry it.
        outcomes: Attributes that say what happened after a past date.
    """

    council: GssCode
    release_policy: ReleasePolicy
    risk_policy_digest: bytes
    risk_policy_sunset: date
    codes: Mapping[str, tuple[str, ...] | None]
    remaining: Rho
    now: int
    series: SeriesProgress | None = None
    risk_policy_text: str = ""
    outcomes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a round is refused.

    Attributes:
        reason: The code that is sent.
        detail: For the operator of the node; it is not sent.
        attribute_number: Which attribute of the round is meant, from 1; it is sent. 0 if none.
    """

    reason: RefusalReason
    detail: str
    attribute_number: int = 0


def judge(round_: Round, context: AdmissionContext) -> Objection | None:
    """The first reason to refuse a round, or None if it may be answered."""
    policy = context.release_policy
    workload = round_.workload
    if context.council != policy.council or context.council not in round_.councils:
        return Objection(
            RefusalReason.ROUND_INVALID, f"the round does not invite {context.council}"
        )
    today = day(context.now)
    if today > policy.sunset:
        return Objection(RefusalReason.SUNSET, f"the release policy ended on {policy.sunset}")
    if today > context.risk_policy_sunset:
        return Objection(
            RefusalReason.SUNSET, f"the scores could be used until {context.risk_policy_sunset}"
        )
    if round_.purpose not in policy.purposes:
        return Objection(
            RefusalReason.PURPOSE,
            f"purpose {round_.purpose!r}; permitted: {', '.join(policy.purposes)}",
        )
    if round_.mechanism.name not in {mechanism.name for mechanism in policy.mechanisms}:
        return Objection(
            RefusalReason.MECHANISM,
            f"mechanism {round_.mechanism.name.lower()}; permitted: {', '.join(policy.mechanisms)}",
        )
    if round_.delta > policy.maximum_delta:
        return Objection(
            RefusalReason.DELTA, f"delta {round_.delta}; at most {policy.maximum_delta}"
        )
    counted = {attribute.name for attribute in workload.counted_by}
    for number, attribute in enumerate(workload.attributes, start=1):
        if round_.series is not None and attribute.name in context.outcomes:
            return Objection(
                RefusalReason.ATTRIBUTE,
                f"attribute {attribute.name!r} is counted as of a past date, and a series counts "
                "from the scores of each month",
                number,
            )
        # What others nest in follows from them by the round's own lists, and need not be held.
        held = attribute.name in context.codes or attribute.name not in counted
        if attribute.name not in policy.attributes or not held:
            return Objection(
                RefusalReason.ATTRIBUTE,
                f"attribute {attribute.name!r}; permitted: {', '.join(policy.attributes)}",
                number,
            )
        if attribute.name not in counted:
            continue
        published = context.codes[attribute.name]
        if (published is None) != attribute.is_area:
            return Objection(
                RefusalReason.CODE,
                f"attribute {attribute.name!r} has codes of another kind",
                number,
            )
        if published is not None and not set(attribute.codes) <= set(published):
            return Objection(
                RefusalReason.CODE,
                f"attribute {attribute.name!r}; published codes: {', '.join(published)}",
                number,
            )
    widest = max(len(marginal.attributes) for marginal in workload.marginals)
    cells = workload.cells(context.council)
    if widest > policy.maximum_ways or cells > policy.maximum_cells:
        return Objection(
            RefusalReason.WORKLOAD_SIZE,
            f"{cells} cells, up to {widest} attributes; permitted: {policy.maximum_cells} "
            f"cells, {policy.maximum_ways} attributes",
        )
    if not is_expected(round_, context.risk_policy_digest, context.risk_policy_text):
        return Objection(
            RefusalReason.POLICY_DIGEST,
            f"the round expects risk policy {round_.policy_digest.hex()[:12]}, "
            f"this node scores under {context.risk_policy_digest.hex()[:12]}"
            + (
                ", which counts by other rules"
                if round_.series is not None and round_.series.counting_digest is not None
                else ""
            ),
        )
    objection = _judge_series(round_, context)
    if objection is not None:
        return objection
    largest = max(round_.charges)
    if largest > policy.loss.per_round:
        return Objection(
            RefusalReason.LOSS_PER_ROUND,
            f"rho {largest}; at most {policy.loss.per_round} for one round",
        )
    due = charge(round_, context)
    if due > context.remaining:
        return exhausted(due, context.remaining)
    return None


def charge(round_: Round, context: AdmissionContext) -> Rho:
    """What the ledger asks for a round: its loss, or in a series a part of the series' loss."""
    return context.series.charge if context.series else round_.loss


def _judge_series(round_: Round, context: AdmissionContext) -> Objection | None:
    """What speaks against a round because of the series it is in."""
    series, found, policy = round_.series, context.series, context.release_policy
    if series is None:
        return None
    if found is None:
        raise AssertionError("a round of a series is judged with its standing in the series")
    if policy.loss.per_series is None:
        return Objection(
            RefusalReason.MECHANISM,
            "the round is in a series, and the release policy has no loss.per_series",
        )
    if round_.loss > policy.loss.per_series:
        return Objection(
            RefusalReason.LOSS_PER_ROUND,
            f"rho {round_.loss} for the series; at most {policy.loss.per_series} for one series",
        )
    if any(one.definition != found.definition for one in found.others):
        return Objection(
            RefusalReason.ROUND_INVALID,
            f"series {series.series_id[:12]} asks something else than it did before",
        )
    if series.position <= found.last_position:
        return Objection(
            RefusalReason.ROUND_INVALID,
            f"round {series.position} of series {series.series_id[:12]}; round "
            f"{found.last_position} was paid for already",
        )
    published = context.codes.get(series.event.attribute)
    names = [attribute.name for attribute in round_.workload.attributes]
    counted = series.event.attribute in names
    number = names.index(series.event.attribute) + 1 if counted else 0
    if series.event.attribute not in policy.attributes or published is None:
        return Objection(
            RefusalReason.ATTRIBUTE,
            f"the event uses attribute {series.event.attribute!r}, which must be permitted "
            "and have published codes",
            number,
        )
    if not set(series.event.codes) <= set(published):
        return Objection(
            RefusalReason.CODE,
            f"the event is {series.event}; published codes: {', '.join(published)}",
            number,
        )
    return None


def exhausted(requested: Rho, remaining: Rho) -> Objection:
    """The objection of a ledger that has too little left."""
    return Objection(
        RefusalReason.BUDGET_EXHAUSTED,
        f"rho {requested} is asked for; {remaining} is left of the budget",
    )
