"""What a round asks and costs, in plain English, for the council that decides."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from folkmoot.privacy import Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.series import Series
from folkmoot_node.answering.expected_precision import (
    AttributeStatement,
    MarginalStatement,
    attributes_of,
    lines_of,
    marginals_of,
)
from folkmoot_node.answering.scores_wait import require_scores_for
from folkmoot_node.evidence.fitted_policies import FittedPolicy, fitted_policy
from folkmoot_node.evidence.round_book import KnownRound
from folkmoot_node.policies.risk_policy import parse_policy
from folkmoot_node.policies.trusted_signer import NOT_PINNED, TrustedSigner
from folkmoot_node.release.admission import judge
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from folkmoot_node.evidence.ledger import Balance
    from folkmoot_node.home import NodeHome
    from folkmoot_node.policies.release_policy import ReleasePolicy
    from folkmoot_node.store.run_summary import RunSummary


@dataclass(frozen=True, slots=True)
class RoundStatement:
    """What a round asks of this council, and what answering would cost.

    Attributes:
        known: The round, as it is kept.
        round: The round, decoded.
        marginals: What is asked.
        attributes: The codes by which it counts.
        epsilon: Of the round, at its delta.
        person_rho: Loss of a person recorded in several households.
        person_epsilon: The same as epsilon.
        households_per_person: In how many households.
        balance: What is spent and left before; after is less by the loss, unless refused.
        paid: True if the loss is in the ledger already.
        answered: True if the answer is made; nothing more is spent then.
        objection: Why it would be refused now, or None.
        obstacle: Why that is not known, or None.
        charge: What the ledger asks for this answer: the loss of the round, or in a series
            a part of the loss of the series.
        signer: Whose signature of the release policy counts.
        not_confined: Which plugins the scores were made with, or the signed policy lets run, in
            the node's own process; a sentence each.
        known_on: Past date as of which households are counted; None for the last scores, and if
            it is not known.
        fitted: The fit that proposed the policy of the scores, or None.
    """

    known: KnownRound
    round: Round
    marginals: tuple[MarginalStatement, ...]
    attributes: tuple[AttributeStatement, ...]
    epsilon: float
    person_rho: Rho
    person_epsilon: float
    households_per_person: int
    balance: Balance
    paid: bool
    answered: bool
    objection: str | None
    obstacle: str | None
    charge: Rho
    signer: TrustedSigner
    not_confined: tuple[str, ...] = ()
    known_on: datetime.date | None = None
    fitted: FittedPolicy | None = None

    def after(self, remaining: Rho) -> Rho:
        """What is left after answering, of what is left before."""
        if self.paid or self.answered or self.objection:
            return remaining
        return Rho(max(0, remaining.nano - self.charge.nano))

    @property
    def budget_text(self) -> str:
        """What is left now and after an answer, in plain English."""
        left = {
            "in this accounting period": self.balance.period_remaining,
            "for all time": self.balance.lifetime_remaining,
        }
        return (
            "Budget left: "
            + "; ".join(
                f"rho {before} {where}"
                + ("" if self.answered else f", {self.after(before)} after an answer")
                for where, before in left.items()
            )
            + "."
        )

    @property
    def privacy_text(self) -> str:
        """What answering costs, in plain English; printed with each release."""
        round_ = self.round
        what, charged = "", ""
        if round_.series is not None:
            what = f" by all {round_.series.length} rounds of the series together"
            charged = f" Of that, this answer is charged rho {self.charge}."
        return (
            "Somebody who knew everything about all other households, and guessed from "
            f"{'all those answers' if round_.series else 'this answer'} whether one household was "
            "counted, would be right at most "
            f"{math.ceil(100 * round_.guess_rate())} times in 100; tossing a coin gives 50. "
            f"Privacy loss of a household{what}: rho {round_.loss} (zero-concentrated differential "
            f"privacy), which is epsilon {self.epsilon:.2f} {self._at_delta}. Of a person "
            f"recorded in {self.households_per_person} households: rho {self.person_rho}, "
            f"epsilon {self.person_epsilon:.2f}."
            + charged
            + self._signer_text
            + "".join(f" {text}." for text in self.not_confined)
            + (f" {self.fitted.what[0].upper()}{self.fitted.what[1:]}." if self.fitted else "")
        )

    @property
    def _signer_text(self) -> str:
        """That the council's limits are the account's own word, where they are."""
        if self.signer.is_pinned:
            return ""
        return f" {NOT_PINNED}."

    @property
    def series_text(self) -> str:
        """Which round of which series it is; empty if of none."""
        series = self.round.series
        if series is None:
            return ""
        ends = to_datetime(series.ends_at)
        return (
            f"It is round {series.position} of {series.length} of a series, which ends on "
            f"{ends:%d %B %Y}. A household is counted once in the series, in the first round "
            f"in which {series.event}; the counts below cover all households counted so far. "
            "Until the series ends this node keeps an encrypted list of them."
        )

    @property
    def then_text(self) -> str:
        """As of when households are counted, if not as of the last scores; else empty."""
        if self.known_on is None:
            return ""
        return (
            f"Households are counted as they were known on {self.known_on:%d %B %Y}, with what "
            "was recorded of them since; the last scores are not used."
        )

    @property
    def _at_delta(self) -> str:
        round_ = self.round
        pure = round_.mechanism is Mechanism.DISCRETE_LAPLACE
        return (
            "by pure differential privacy, without a delta" if pure else f"at delta {round_.delta}"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "marginals": [item.as_json() for item in self.marginals],
            "attributes": [item.as_json() for item in self.attributes],
            "mechanism": self.round.mechanism.name.lower(),
            "guess_rate_at_most": self.round.guess_rate(),
            "epsilon": self.epsilon,
            "delta": str(self.round.delta),
            "charge": str(self.charge),
            "series": _series_json(self.round.series),
            "person_rho": str(self.person_rho),
            "person_epsilon": self.person_epsilon,
            "remaining_before": str(self.balance.remaining),
            "remaining_after": str(self.after(self.balance.remaining)),
            "lifetime_remaining_before": str(self.balance.lifetime_remaining),
            "lifetime_remaining_after": str(self.after(self.balance.lifetime_remaining)),
            "objection": self.objection,
            "obstacle": self.obstacle,
            "signer": self.signer.key.hex(),
            "signer_pinned": self.signer.is_pinned,
            "plugins_not_confined": list(self.not_confined),
            "known_on": self.known_on and self.known_on.isoformat(),
            "fitted_policy": self.fitted.as_json() if self.fitted else None,
        }

    def as_text(self) -> str:
        """For people."""
        round_ = self.round
        deadline = to_datetime(round_.deadline)
        lines = [
            f"Round {round_.round_id}: {round_.title or 'without title'}",
            f"Purpose: {round_.purpose}. Councils invited: {len(round_.councils)}. "
            f"Deadline: {deadline:%d %B %Y %H:%M} UTC.",
            *([self.series_text] if self.series_text else []),
            *([self.then_text] if self.then_text else []),
            "",
            "The region asks for counts of households, each with noise added here:",
        ]
        lines += [f"  - {line}." for line in lines_of(self.marginals)]
        if self.attributes:
            lines.append("They are counted by these codes:")
            lines += [f"  - {item.text}." for item in self.attributes]
        lines += [
            "",
            self.privacy_text,
            self.budget_text,
        ]
        if self.paid:
            lines.append("The loss of this round is in the ledger already.")
        if self.objection:
            lines.append(f"The release policy refuses this round: {self.objection}.")
        if self.obstacle:
            lines.append(f"It cannot be answered yet: {self.obstacle}")
        if self.known.decision:
            lines.append(f"{self.known.decision.value.capitalize()} by {self.known.decided_by}.")
        return "\n".join(lines)


def _series_json(series: Series | None) -> dict[str, Any] | None:
    if series is None:
        return None
    return {
        "series_id": series.series_id,
        "position": series.position,
        "length": series.length,
        "event": {"attribute": series.event.attribute, "codes": list(series.event.codes)},
        "ends_at": series.ends_at,
    }


def describe(home: NodeHome, known: KnownRound) -> RoundStatement:
    """What a round asks of this council, and what answering would cost now."""
    round_, council = home.round_book().question(known), home.config.council
    signed = home.release_policy()
    persons = signed.policy.loss.households_per_person
    objection = obstacle = context = known_on = None
    published: Mapping[str, tuple[str, ...] | None] = {}
    ran: tuple[str, ...] = ()
    fitted = None
    paid = home.ledger.debit_of(round_.round_id) is not None
    answered = home.outbox.find(round_.round_id) is not None
    try:
        with home.open_store_for_round(round_) as store:
            known_on = store.run.known_on
            published = store.attributes
            ran = store.run.not_confined
            fitted = _fitted(home, store.run)
            if not answered:
                require_scores_for(home, store.run, round_)
                context = home.admission_context(store, signed, round_)
                found = judge(round_, context)
                objection = found.detail if found else None
    except Problem as problem:
        obstacle = None if answered else str(problem)
    person = round_.loss.for_person(persons)
    in_series = context.series if context else home.series_progress(signed, round_, home.clock())
    return RoundStatement(
        known=known,
        round=round_,
        marginals=marginals_of(round_, council, in_series),
        attributes=attributes_of(round_, council, published),
        epsilon=round_.epsilon_for(),
        person_rho=person,
        person_epsilon=round_.epsilon_for(persons),
        households_per_person=persons,
        balance=home.balance(),
        paid=paid,
        answered=answered,
        objection=objection,
        obstacle=obstacle,
        charge=in_series.charge if in_series else round_.loss,
        signer=home.trusted_signer(),
        not_confined=(*ran, *_let_in(signed.policy, ran)),
        known_on=known_on,
        fitted=fitted,
    )


def fitted_store(home: NodeHome) -> FittedPolicy | None:
    """The fit that proposed the policy of the scores; None if none has, or there are no scores."""
    try:
        with home.open_store() as store:
            return _fitted(home, store.run)
    except Problem:  # each round says what is wrong with the scores
        return None


def _fitted(home: NodeHome, run: RunSummary) -> FittedPolicy | None:
    if not run.policy_text:  # scores of an older version
        return None
    return fitted_policy(home, parse_policy(run.policy_text.encode("utf-8"), run.policy_path))


def _let_in(policy: ReleasePolicy, ran: Sequence[str]) -> Iterator[str]:
    """Plugins that the policy lets into the node's process, and that the scores do not name."""
    for one in policy.plugins_in_process:
        if not any(f"{one.distribution} {one.version}" in text for text in ran):
            yield f"The release policy lets plugin {one} run in the node's own process"
