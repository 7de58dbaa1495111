"""Facts of a made-up council, for tests of what is made from facts."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark, Provenance, Value
from folkmoot_sdk.schema import ProtectedCharacteristic

GATHERED = datetime.datetime(2026, 12, 1, 9, 30, tzinfo=datetime.UTC)
_SIGNED = datetime.datetime(2026, 11, 20, 14, 0, tzinfo=datetime.UTC)
RISK_POLICY = Provenance("risk-policy.toml", "a1" * 32, _SIGNED)
RELEASE_POLICY = Provenance("release-policy.toml", "b2" * 32, _SIGNED)
NODE_TOML = Provenance("node.toml", "c3" * 32, _SIGNED)
ANSWERS = Provenance("scrutiny.toml", "d4" * 32, _SIGNED)
STORE = Provenance("store", "", _SIGNED)

_EVIDENCE = (
    {
        "citation": "Example Health Review (2024)",
        "url": "https://example.org/cold-homes",
        "finding": "Cold homes raise hospital admissions of older people",
    },
)
_FIELDS = {
    "council_tax_arrears": {
        "description": "Council tax owed, in pounds",
        "category": "financial",
    },
    "oldest_age": {"description": "Age of the oldest person", "category": "demographic"},
}
SYSTEM: dict[Provenance, dict[str, tuple[str, Value]]] = {
    NODE_TOML: {
        "node.council": ("Code of the council", "E07000223"),
        "node.name": ("Name of the council", "Ashdale Borough Council"),
        "node.region": ("Coordinator of the region", "region.example.org:7443"),
        "node.schedule": ("When households are scored", "0 5 * * 1 Europe/London"),
        "node.frame": ("Source whose homes are the council's households", "council_tax"),
        "node.casework": ("Whether caseworkers see scores here", True),
        "node.version": ("Version of the node", "1.4.0"),
        "sources.council_tax.kind": ("Sort of source that council_tax is", "extracts"),
        "sources.council_tax.supplier": ("Who supplies council_tax", "The council's revenues team"),
        "sources.council_tax.level": ("What one record of council_tax is about", "property"),
        "sources.council_tax.categories": ("Kinds of information in council_tax", ("financial",)),
        "sources.council_tax.protected": ("Protected characteristics that it states", ()),
        "sources.council_tax.identifiers": ("Identifiers of council_tax", ("address",)),
        "sources.council_tax.used_for": ("Used for", ("the list of homes", "the score")),
        "sources.social_care.used_for": ("Used for", ("checks of the score",)),
        "sources.council_tax.fields": ("Fields of council_tax", _FIELDS),
        "sources.council_tax.retention_days": ("Days for which extracts are kept", 30),
        "sources.social_care.kind": ("Sort of source that social_care is", "extracts"),
        "sources.social_care.supplier": ("Who supplies social_care", "Adult social care"),
        "sources.social_care.level": ("What one record of social_care is about", "person"),
        "sources.social_care.categories": ("Kinds of information in social_care", ("health",)),
        "sources.social_care.protected": ("Protected characteristics that it states", ("age",)),
        "sources.social_care.retention_days": ("Days for which extracts are kept", 30),
        "plugins.folkmoot-plugin-council-records.version": ("Version", "1.4.0"),
        "plugins.folkmoot-plugin-council-records.trust": ("How it runs", "confined"),
        "plugins.folkmoot-plugin-council-records.privileges": ("What it may do", "read extracts"),
        "plugins.folkmoot-plugin-council-records.sha256": ("SHA-256", "e5" * 32),
    },
    RISK_POLICY: {
        "policy.risk.title": ("Name of the risk policy", "Winter support"),
        "policy.risk.sha256": ("SHA-256 of the risk policy", "a1" * 32),
        "policy.risk.purpose": ("Purpose for which households are scored", "winter_support"),
        "policy.risk.legal_basis": (
            "Law under which households are scored",
            "Local Government Act 2000, section 2; UK GDPR article 6(1)(e)",
        ),
        "policy.risk.owner": ("Who answers for the risk policy", "Priya Shah, Head of Housing"),
        "policy.risk.sunset": ("Last day on which the risk policy may be used", "2027-03-31"),
        "policy.risk.maximum": ("Highest score that a household can have, in points", 10.0),
        "policy.risk.factors.arrears.weight": ("Weight of arrears", 6.0),
        "policy.risk.factors.arrears.maximum": ("Most points that arrears adds", 6.0),
        "policy.risk.factors.arrears.share": ("Share of the highest score", 0.6),
        "policy.risk.factors.arrears.source": ("Plugin that computes arrears", "household-factors"),
        "policy.risk.factors.arrears.title": ("What arrears is", "Council tax arrears"),
        "policy.risk.factors.lives_alone.title": ("What lives_alone is", "Living alone"),
        "policy.risk.factors.arrears.description": ("What arrears measures", "Council tax owed"),
        "policy.risk.factors.arrears.inputs": ("Fields it reads", ("council_tax_arrears",)),
        "policy.risk.factors.arrears.parameters": ("Parameters of arrears", {"full_at": 1000}),
        "policy.risk.factors.arrears.evidence": ("Why arrears is believed to matter", _EVIDENCE),
        "policy.risk.factors.lives_alone.weight": ("Weight of lives_alone", 4.0),
        "policy.risk.factors.lives_alone.maximum": ("Most points that it adds", 4.0),
        "policy.risk.factors.lives_alone.share": ("Share of the highest score", 0.4),
        "policy.risk.factors.lives_alone.source": ("Plugin", "household-factors"),
        "policy.risk.factors.lives_alone.description": (
            "What it measures",
            "One adult lives there",
        ),
        "policy.risk.factors.lives_alone.inputs": ("Fields it reads", ("adults",)),
        "policy.risk.factors.lives_alone.evidence": ("Why it is believed to matter", _EVIDENCE),
        "policy.risk.bands.low.from": ("Lowest score of the band low", 0),
        "policy.risk.bands.low.action": ("What is done", "General mailings about support"),
        "policy.risk.bands.high.from": ("Lowest score of the band high", 6),
        "policy.risk.bands.high.action": ("What is done", "Telephone call by a support officer"),
        "policy.risk.protected.age": (
            "Why the score may use the protected characteristic age",
            "Older people who live alone are at greater risk in cold weather",
        ),
        "policy.risk.audited": ("Fields by which the equality audit compares groups", ("age",)),
        "policy.risk.retention.scores_days": ("Days for which scores are kept", 90),
        "policy.risk.retention.purge": ("Who deletes what has been kept", "automatic"),
    },
    RELEASE_POLICY: {
        "policy.release.sha256": ("SHA-256 of the release policy", "b2" * 32),
        "policy.release.signer": ("Who signed the release policy", "M. Okoro, Monitoring Officer"),
        "policy.release.signed_at": ("When it was signed", "2026-11-20T14:00:00Z"),
        "policy.release.key": ("Key of that signature", "f6" * 32),
        "policy.release.purposes": ("Purposes of rounds", ("winter_support",)),
        "policy.release.attributes.band": ("Whether counts by band may be released", True),
        "policy.release.attributes.tenure": ("Whether counts by tenure may be released", True),
        "policy.release.operator_approval": ("Whether a person approves each round", True),
        "policy.release.loss.per_round": ("Most privacy loss in one round", 0.05),
        "policy.release.loss.lifetime": ("Most privacy loss in all rounds", 1.0),
    },
    Provenance("state.sqlite", "", _SIGNED): {
        "runs.last.day": ("Day of the last run", "2026-11-30"),
        "runs.ended.good": ("Scoring runs that ended: good", 26),
        "releases.rounds": ("Rounds answered", 3),
        "releases.region": ("Region whose rounds are answered", "Northmoor region"),
        "decisions.rounds_approved": ("Rounds that a person approved", 3),
        "releases.loss_spent": ("Privacy loss spent", "0.15"),
        "releases.list": (
            "Rounds that were answered",
            ({"round": "r-2026-11", "title": "Winter support by area", "loss": "0.05"},),
        ),
        "people.roles.caseworker": ("What the role caseworker may do", ("open", "look")),
        "incidents.count": ("Incidents", 0),
        "equality.smallest": ("Smallest group that is shown", 10),
    },
}
OWN: dict[str, tuple[str, Value]] = {
    "households.scored": ("Households scored", 51_234),
    "households.bands.high": ("Households in the band high", 7),
    "households.bands.low": ("Households in the band low", 48_017),
    "households.bands.medium": ("Households in the band medium", 3_210),
    "linkage.social_care.records": ("Records of social_care", 9_876),
    "linkage.social_care.unlinked": ("Records of social_care that found none", 654),
    "equality.oldest_age.groups": (
        "Scores and bands by oldest_age",
        {
            "under_65": {
                "households": 41_007,
                "mean_score": 2.313,
                "difference": -0.519,
                "bands": {
                    "high": {"share": 0.0001, "low": 0.0, "high": 0.0003},
                    "medium": {"share": 0.0521, "low": 0.0498, "high": 0.0544},
                    "low": {"share": 0.9478, "low": 0.9455, "high": 0.9501},
                },
            },
            "over_65": {
                "households": 10_227,
                "mean_score": 2.832,
                "difference": 0.519,
                "bands": {
                    "high": {"share": 0.0003, "low": 0.0001, "high": 0.0009},
                    "medium": {"share": 0.1050, "low": 0.0987, "high": 0.1107},
                    "low": {"share": 0.8947, "low": 0.8885, "high": 0.9005},
                },
            },
        },
    ),
    "people.looks": ("Times that a household was shown", 212_345),
    "people.looks_by_year": ("Times that it was shown, by year", {"2025": 1_212, "2026": 211_133}),
    "decisions.cases_opened": ("Decisions to open a case", 8_899),
    "rights.contests": ("Contests of a result or an input", 3),
    "evaluation.outcomes.homeless.auc": ("AUC for homeless, mean over dates", 0.7423),
}
"""Exact figures over households. Each occurs once, so that a test can look for it."""

PEOPLE: dict[str, tuple[str, Value]] = {
    "scrutiny.version": ("Version of the answers", 3),
    "scrutiny.signer": ("Who signed the answers", "Priya Shah, Head of Housing"),
    "scrutiny.signed_at": ("When the answers were signed", "2026-11-20T14:00:00Z"),
    "scrutiny.owner.name": ("Name of the senior responsible owner", "Priya Shah"),
    "scrutiny.owner.role": ("Role of the senior responsible owner", "Head of Housing"),
    "scrutiny.owner.department": ("Department of the council", "Housing and Communities"),
    "scrutiny.owner.team": ("Team that runs the tool", "Early help"),
    "scrutiny.owner.region": ("Region of the country", "England"),
    "scrutiny.contact.email": ("Email address for questions", "earlyhelp@ashdale.example"),
    "scrutiny.contact.data_protection_officer": (
        "How to reach the data protection officer",
        "dpo@ashdale.example",
    ),
    "scrutiny.contact.website": ("Page about the tool", "https://ashdale.example/early-help"),
    "scrutiny.contact.rights": ("How residents use their rights", "Write to us, or call us."),
    "scrutiny.contact.told": ("How residents are told", "A page with each council tax bill."),
    "scrutiny.rationale.summary": (
        "What the tool does",
        "We use the score to find homes that may be cold this winter. We then offer help.",
    ),
    "scrutiny.rationale.one_sentence": ("In one sentence", "It finds homes that may be cold."),
    "scrutiny.rationale.benefits": ("What good the tool does", "Help comes before a crisis."),
    "scrutiny.rationale.previous_process": ("How this was done before", "By referrals alone."),
    "scrutiny.rationale.alternatives": ("Alternatives", "A letter to each home: too costly."),
    "scrutiny.rationale.necessity": ("Why it is necessary", "Most in need never ask for help."),
    "scrutiny.rationale.proportionality": ("Why it is proportionate", "Few fields, short use."),
    "scrutiny.rationale.expectations": ("Whether residents would expect it", "We told them."),
    "scrutiny.rationale.phase": ("Phase that the tool is in", "production"),
    "scrutiny.rationale.in_use_since": ("Day since when the tool is used", "2025-11-03"),
    "scrutiny.use.integration": ("How scores enter into decisions", "A list for the team."),
    "scrutiny.use.human_review": (
        "How people review what the tool says",
        "A support officer looks at each case before we call you.",
    ),
    "scrutiny.use.training": ("Training that its users must have", "Half a day, each year."),
    "scrutiny.use.appeals": ("How residents ask for a review", "Ask us, and a manager looks."),
    "scrutiny.use.sharing": ("With whom data are shared", "We share your score with nobody."),
    "scrutiny.use.access": ("Who may see the data", "Four officers of our early help team."),
    "scrutiny.use.maintenance": ("Who looks after the tool", "The data team, each month."),
    "scrutiny.procurement.third_party": ("Whether third parties are involved", True),
    "scrutiny.procurement.suppliers": (
        "Third parties involved",
        (
            {
                "name": "Northmoor Data Ltd",
                "role": "Hosts the machine",
                "company_number": "01234567",
                "procedure": "G-Cloud call-off",
                "data_access": "None to records",
            },
        ),
    ),
    "scrutiny.procurement.cost_to_set_up": ("What it cost to set up", "\u00a318,000"),
    "scrutiny.procurement.cost_per_year": ("What it costs in a year", "\u00a34,000"),
    "scrutiny.consultation.residents": ("How residents were consulted", "Two meetings in May."),
    "scrutiny.consultation.staff": ("How staff were consulted", "A workshop in April."),
    "scrutiny.consultation.processors": ("How processors were consulted", "By letter."),
    "scrutiny.consultation.experts": ("Which experts were consulted", "A university group."),
    "scrutiny.consultation.outcome": ("What was changed", "Rent arrears are not used."),
    "scrutiny.consultation.reviewed_by": ("Who reviewed the responses", "Priya Shah"),
    "scrutiny.consultation.departure": ("Why it departs from them", "It does not depart."),
    "scrutiny.risks": (
        "Risks for residents, and what is done about each",
        (
            {
                "risk": "A home in need gets a low score",
                "likelihood": "possible",
                "severity": "significant",
                "overall": "medium",
                "mitigation": "Referrals stay open to everybody",
                "effect": "reduced",
                "residual": "low",
                "approved_by": "Priya Shah",
            },
        ),
    ),
    "scrutiny.dpo_advice.officer": ("Name of the data protection officer", "A. Khan"),
    "scrutiny.dpo_advice.title": ("Job title of the officer", "Data Protection Officer"),
    "scrutiny.dpo_advice.given_on": ("When the officer advised", "2026-10-12"),
    "scrutiny.dpo_advice.advice": ("What the officer advised", "Go on, and review in spring."),
    "scrutiny.dpo_advice.decision": ("Whether the advice was accepted", "accepted"),
    "scrutiny.dpo_advice.decided_by": ("Who accepted the advice", "Priya Shah"),
    "scrutiny.evaluation.accuracy": ("How often it is wrong", "Of ten we call, three need help."),
    "scrutiny.dpia.need": ("Why an assessment is needed", "Scoring on a large scale."),
    "scrutiny.dpia.relationship": ("Relationship with residents", "We serve them."),
    "scrutiny.dpia.vulnerable": ("Children and vulnerable people", "Yes: they are helped first."),
    "scrutiny.dpia.concerns": ("Earlier concerns", "None are known to us."),
    "scrutiny.dpia.technology": ("State of the technology", "Weights set by people; not new."),
    "scrutiny.dpia.public_concern": ("Issues of public concern", "Bias of algorithms."),
    "scrutiny.dpia.codes": ("Codes of conduct", "None that is approved yet."),
    "scrutiny.dpia.other_uses": ("How other uses are prevented", "By the policy's purpose."),
    "scrutiny.dpia.processors": ("How processors are made to comply", "By contract."),
    "scrutiny.dpia.transfers": ("International transfers", "We send nothing to other countries."),
    "scrutiny.sign_off.measures_by": ("Who approved the measures", "Priya Shah"),
    "scrutiny.sign_off.measures_on": ("When measures were approved", "2026-10-20"),
    "scrutiny.sign_off.residual_by": ("Who accepted the risks that remain", "Priya Shah"),
    "scrutiny.sign_off.residual_on": ("When these risks were accepted", "2026-10-20"),
    "scrutiny.sign_off.kept_under_review_by": ("Who keeps this under review", "A. Khan"),
    "scrutiny.sign_off.review_on": ("When this is reviewed next", "2027-02-01"),
    "scrutiny.equality.aim": ("What is achieved for equality", "Help for disabled people."),
    "scrutiny.equality.discrimination": ("Discrimination", "Each band offers help; none takes it."),
    "scrutiny.equality.good_relations": ("Good relations", "No group is named in public."),
    "scrutiny.equality.evidence": ("Evidence and its gaps", "Census 2021; faith is not held."),
    "scrutiny.equality.engagement": ("Which groups were engaged", "Age UK, Disability forum."),
    "scrutiny.equality.decision": ("What was decided", "adjust"),
    "scrutiny.equality.justification": ("Why that was decided", "One field was left out."),
    "scrutiny.equality.monitoring": ("How the impact is monitored", "Each quarter."),
    "scrutiny.equality.signed_off_by": ("Who signed the assessment off", "Priya Shah"),
    **{
        f"scrutiny.equality.impacts.{one.value}": (
            f"What the tool means for people by {one.value.replace('_', ' ')}",
            {"impact": "unknown", "reason": "Too few figures.", "action": "Look again in spring."},
        )
        for one in ProtectedCharacteristic
    },
    **{
        f"sources.{source}.{key}": (f"{label} of {source}", value)
        for source in ("council_tax", "social_care")
        for key, label, value in (
            ("lawful_basis", "Lawful basis", "Public task"),
            ("special_category", "Condition for special category data", "Substantial interest"),
            ("licence", "Licence or agreement", "Internal agreement 14"),
            ("collected", "How and why it was collected", "For billing and care."),
            ("quality", "Known gaps and faults", "Some dates are old."),
        )
    },
}
"""What people add, all answered."""


def fact_base(**changes: Value) -> FactBase:
    """All facts of the made-up council.

    Args:
        **changes: Values by key, with `__` for a dot; None for a missing one.
    """
    return base_of(_facts({key.replace("__", "."): value for key, value in changes.items()}))


def unanswered() -> FactBase:
    """The same council, before people have added anything."""
    return fact_base(**{key.replace(".", "__"): None for key in PEOPLE})


def base_of(facts: Iterator[Fact] | tuple[Fact, ...]) -> FactBase:
    """A fact base of some facts."""
    return FactBase(tuple(sorted(facts, key=lambda one: one.key)), GATHERED)


def _facts(changes: Mapping[str, Any]) -> Iterator[Fact]:
    for place, group in SYSTEM.items():
        is_set_up = place in (NODE_TOML, RISK_POLICY, RELEASE_POLICY)
        yield from _group(group, changes, Mark.SYSTEM, place, configuration=is_set_up)
    yield from _group(OWN, changes, Mark.SYSTEM, STORE, own=True)
    yield from _group(PEOPLE, changes, Mark.PERSON, ANSWERS, configuration=True)


def _group(
    group: Mapping[str, tuple[str, Value]],
    changes: Mapping[str, Any],
    mark: Mark,
    place: Provenance,
    **options: bool,
) -> Iterator[Fact]:
    for key, (label, value) in group.items():
        said = changes.get(key, value)
        yield Fact(key, label, said, Mark.MISSING if said is None else mark, place, **options)
