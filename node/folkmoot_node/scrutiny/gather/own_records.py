"""Facts from the node's own records: rounds and their loss, looks, decisions, incidents."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.evidence.fitted_policies import PUBLISHED
from folkmoot_node.evidence.outbox import Answer, AnswerKind
from folkmoot_node.evidence.regions import JOINED
from folkmoot_node.evidence.round_book import Decision
from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import Fact, Provenance
from folkmoot_node.scrutiny.gather.reporting import Reporter, by_year
from folkmoot_operator.incidents import ACTIONS, incidents_of
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import Problem

_STATE = "state.sqlite, table "


def release_facts(node: NodeHome) -> Iterator[Fact]:
    """What was asked, what was released, and at what loss."""
    fact = Reporter(Provenance(_STATE + "outbox"))
    answers = node.outbox.answers()
    made = [one for one in answers if one.kind is AnswerKind.RELEASE]
    yield fact("releases.rounds", "Rounds answered with noisy counts", len(made))
    refused = sum(one.kind is AnswerKind.REFUSAL for one in answers)
    yield fact("releases.refused", "Rounds refused", refused)
    joined = [str(one.body["region"]) for one in node.audit.entries((JOINED,))]
    region = joined[-1] if joined else None if node.config.coordinator else "none"
    logged = Reporter(Provenance(_STATE + "audit"))
    yield logged("releases.region", "Region whose rounds are answered", region)
    yield from _rounds(node, made)
    ledger = Reporter(Provenance(_STATE + "ledger"))
    try:
        balance = node.balance()
    except Problem:  # the first accounting period has not begun
        balance = None
    spent = "0" if balance is None else str(balance.lifetime)
    label = "Most privacy loss (zCDP rho) that any household has borne"
    yield ledger("releases.loss_spent", label, spent)
    if balance is not None:
        label = "Privacy loss spent in this accounting period"
        yield ledger("releases.loss_spent_in_period", label, str(balance.spent))
        label = "Privacy loss that may still be spent"
        yield ledger("releases.loss_remaining", label, str(balance.remaining))


def _rounds(node: NodeHome, made: list[Answer]) -> Iterator[Fact]:
    """Each release: the question is the region's, the answer has noise."""
    fact = Reporter(Provenance(_STATE + "rounds"))
    if not node.keys.certificate.exists():
        yield fact("releases.list", "Rounds that were answered", ())
        yield fact("decisions.rounds_approved", "Rounds that a person approved", 0)
        yield fact("decisions.rounds_declined", "Rounds that a person declined", 0)
        return
    known = {one.round_id: one for one in node.round_book().rounds()}
    paid = {one.round_id: str(one.rho) for one in node.ledger.debits()}
    listed = [
        {
            "round": one.round_id,
            "title": known[one.round_id].facts.title if one.round_id in known else "",
            "purpose": known[one.round_id].facts.purpose if one.round_id in known else "",
            "loss": paid.get(one.round_id, ""),
            "released_at": to_text(one.stored_at),
        }
        for one in sorted(made, key=lambda one: (one.stored_at, one.round_id))
    ]
    yield fact("releases.list", "Rounds that were answered", listed)
    approved = sum(one.decision is Decision.APPROVED for one in known.values())
    yield fact("decisions.rounds_approved", "Rounds that a person approved", approved)
    declined = sum(one.decision is Decision.DECLINED for one in known.values())
    yield fact("decisions.rounds_declined", "Rounds that a person declined", declined)


def decision_facts(node: NodeHome) -> Iterator[Fact]:
    """What people decided to publish that was made without noise."""
    fact = Reporter(Provenance(_STATE + "audit"))
    published = sum(1 for _ in node.audit.entries((PUBLISHED,)))
    label = "Decisions to publish what was made of records without noise"
    yield fact("decisions.publications", label, published)


def look_facts(node: NodeHome) -> Iterator[Fact]:
    """How often people looked at households by commands of the node."""
    fact = Reporter(Provenance(_STATE + "audit"), own=True)
    for action, (key, label) in _LOOKS.items():
        years = by_year(one.at for one in node.audit.entries((action,)))
        yield fact(key, label, sum(years.values()))
        yield fact(f"{key}_by_year", f"{label}, by year", years)


_LOOKS = {
    "household explained": ("people.explained", "Times that `explain` showed a household"),
    "households exported": ("people.exported", "Times that `households` wrote a list"),
    "subject access request answered": (
        "rights.access_answered",
        "Times that `explain` answered a resident who asked for their own data",
    ),
}


def incident_facts(node: NodeHome) -> Iterator[Fact]:
    """The register of incidents."""
    fact = Reporter(Provenance(_STATE + "audit"))
    found = list(incidents_of(node.audit.entries(ACTIONS)))
    yield fact("incidents.count", "Incidents in the register", len(found))
    still_open = sum(one.closed_at is None for one in found)
    yield fact("incidents.open", "Incidents that are open", still_open)
    told = sum(one.is_ico_told for one in found)
    yield fact("incidents.ico_told", "Incidents of which the ICO was told", told)
