"""The equality impact assessment, in the terms of the public sector equality duty."""

from __future__ import annotations

from folkmoot_node.scrutiny.documents import shared
from folkmoot_node.scrutiny.documents.saying import everything, fact, labelled, parts, program
from folkmoot_node.scrutiny.documents.standard import Ask, Section, Standard, ask
from folkmoot_sdk.schema import ProtectedCharacteristic


def _characteristic(at: int, one: ProtectedCharacteristic) -> Ask:
    words = one.value.replace("_", " ")
    return ask(
        f"4.{at}",
        one.value,
        words[:1].upper() + words[1:],
        fact(
            f"scrutiny.equality.impacts.{one.value}", f"What the tool means for people by {words}"
        ),
    )


EQUALITY = Standard(
    name="equality",
    title="Equality impact assessment",
    source="Equality Act 2010, section 149. The Equality and Human Rights Commission's guide for "
    "public bodies in England (12 September 2024) has ten steps; this document follows the duty",
    about="An assessment of how the policy affects people with each protected characteristic, with "
    "the node's own audit as evidence. The council completes it, and decides.",
    sections=(
        Section(
            "policy",
            "The policy",
            (
                ask(
                    "1.1",
                    "aims",
                    "What the policy is, and its aims",
                    labelled("policy.risk.title"),
                    labelled("policy.risk.purpose"),
                    labelled("scrutiny.rationale.summary"),
                ),
                ask("1.2", "affected", "Who is affected", labelled("node.frame"), shared.BANDS),
                ask(
                    "1.3",
                    "responsible",
                    "Who is responsible",
                    labelled("policy.risk.owner"),
                    labelled("scrutiny.owner.name"),
                ),
            ),
        ),
        Section(
            "evidence",
            "Evidence",
            (
                ask(
                    "2.1",
                    "evidence",
                    "Evidence that was looked at, and its gaps",
                    fact("scrutiny.equality.evidence"),
                ),
                ask(
                    "2.2",
                    "audit",
                    "The node's own audit",
                    labelled("policy.risk.audited"),
                    shared.EQUALITY_AUDIT,
                    shared.EQUALITY_GROUPS,
                ),
                ask(
                    "2.3",
                    "held",
                    "Protected characteristics that the council holds",
                    shared.PROTECTED_IN_SOURCES,
                ),
                ask(
                    "2.4",
                    "accuracy",
                    "How well the score finds need in each group",
                    shared.EVALUATION,
                ),
                ask(
                    "2.5",
                    "proxies",
                    "Inputs that stand in for a characteristic",
                    program(
                        "Where the council holds a characteristic, the equality audit measures how "
                        "well the inputs of the score predict it."
                    ),
                    shared.FACTORS,
                ),
            ),
        ),
        Section(
            "engagement",
            "Engagement",
            (
                ask(
                    "3.1",
                    "groups",
                    "Which groups were engaged, and how",
                    fact("scrutiny.equality.engagement"),
                ),
                ask(
                    "3.2",
                    "residents",
                    "How residents were consulted",
                    fact("scrutiny.consultation.residents"),
                ),
                ask("3.3", "changes", "What was changed", fact("scrutiny.consultation.outcome")),
            ),
        ),
        Section(
            "characteristics",
            "Impact by protected characteristic",
            (
                *(_characteristic(at, one) for at, one in enumerate(ProtectedCharacteristic, 1)),
                ask(
                    "4.10",
                    "used",
                    "Characteristics that the score itself uses",
                    shared.PROTECTED_USE,
                ),
            ),
        ),
        Section(
            "aims_of_the_duty",
            "The three aims of the duty",
            (
                ask(
                    "5.1",
                    "discrimination",
                    "Eliminate discrimination, harassment and victimisation",
                    labelled("scrutiny.equality.discrimination"),
                    shared.PROTECTED_USE,
                ),
                ask(
                    "5.2",
                    "opportunity",
                    "Advance equality of opportunity",
                    fact("scrutiny.equality.aim"),
                ),
                ask(
                    "5.3",
                    "relations",
                    "Foster good relations",
                    fact("scrutiny.equality.good_relations"),
                ),
            ),
        ),
        Section(
            "use_of_ai",
            "Automated tools",
            (
                ask(
                    "6.1",
                    "oversight",
                    "Human oversight",
                    shared.NOBODY_IS_DECIDED_UPON,
                    labelled("scrutiny.use.human_review"),
                ),
                ask(
                    "6.2",
                    "suppliers",
                    "What suppliers had to show",
                    shared.of_suppliers("name", "role"),
                ),
                ask(
                    "6.3",
                    "challenge",
                    "How people can challenge a score",
                    labelled("scrutiny.use.appeals"),
                    shared.RIGHTS,
                ),
            ),
        ),
        Section(
            "decision_and_monitoring",
            "Decision and monitoring",
            (
                ask(
                    "7.1",
                    "actions",
                    "Actions against negative impact",
                    parts("scrutiny.risks", "risk", "mitigation"),
                ),
                ask("7.2", "decision", "What was decided", fact("scrutiny.equality.decision")),
                ask("7.3", "justification", "Why", fact("scrutiny.equality.justification")),
                ask(
                    "7.4",
                    "monitoring",
                    "How the actual impact is monitored",
                    fact("scrutiny.equality.monitoring"),
                ),
                ask("7.5", "signed_off", "Signed off by", fact("scrutiny.equality.signed_off_by")),
                ask(
                    "7.6",
                    "review",
                    "Next review",
                    labelled("scrutiny.sign_off.review_on"),
                    everything("Last day of the policy", "policy.risk.sunset"),
                ),
            ),
        ),
    ),
)
