"""The data protection impact assessment, in the seven steps of the Information Commissioner."""

from __future__ import annotations

from folkmoot_node.scrutiny.documents import shared
from folkmoot_node.scrutiny.documents.saying import (
    everything,
    fact,
    labelled,
    only_if,
    parts,
    program,
    sentence,
)
from folkmoot_node.scrutiny.documents.standard import Section, Standard, ask

DPIA = Standard(
    name="dpia",
    title="Data protection impact assessment",
    source="UK GDPR article 35, in the seven steps of the Information Commissioner's template",
    about="An assessment of what the processing means for residents, of its necessity, and of the "
    "measures against its risks. The council completes it with its data protection officer.",
    sections=(
        Section(
            "controller",
            "Submitting controller details",
            (
                ask("0.1", "name", "Name of controller", fact("node.name")),
                ask(
                    "0.2",
                    "subject",
                    "Subject, and title of DPO",
                    labelled("policy.risk.title"),
                    labelled("scrutiny.dpo_advice.title"),
                ),
                ask(
                    "0.3",
                    "contact",
                    "Name of controller contact or DPO",
                    labelled("scrutiny.dpo_advice.officer"),
                    labelled("scrutiny.contact.data_protection_officer"),
                ),
            ),
        ),
        Section(
            "step_1",
            "Step 1: identify the need for a DPIA",
            (
                ask(
                    "1.1",
                    "aims",
                    "What the project aims to achieve",
                    labelled("policy.risk.title"),
                    labelled("policy.risk.purpose"),
                    labelled("scrutiny.rationale.summary"),
                ),
                ask(
                    "1.2",
                    "need",
                    "Why an assessment is needed",
                    labelled("scrutiny.dpia.need"),
                    program(
                        "Households are scored on a large scale from sources that were joined."
                    ),
                ),
            ),
        ),
        Section(
            "step_2_nature",
            "Step 2: describe the processing: nature",
            (
                ask(
                    "2.1",
                    "processing",
                    "How data are collected, used, stored and deleted",
                    shared.COLLECTED,
                    shared.HOW_IT_SCORES,
                    shared.WHERE_IT_RUNS,
                    shared.RETENTION,
                ),
                ask("2.2", "source", "Where the data come from", shared.SOURCES),
                ask(
                    "2.3",
                    "sharing",
                    "With whom data are shared",
                    shared.WHAT_LEAVES,
                    labelled("releases.region"),
                    labelled("scrutiny.use.sharing"),
                ),
                ask(
                    "2.4",
                    "high_risk",
                    "Kinds of processing that are likely high risk",
                    program(
                        "Scoring of people, joined data sets, and data about people who may be "
                        "vulnerable."
                    ),
                    shared.PROTECTED_USE,
                    shared.BOUGHT,
                ),
            ),
        ),
        Section(
            "step_2_scope",
            "Step 2: describe the processing: scope",
            (
                ask(
                    "2.5",
                    "data",
                    "Nature of the data, and special categories",
                    shared.SOURCES_IN_SHORT,
                    shared.LAWFUL_BASES,
                    shared.PROTECTED_IN_SOURCES,
                ),
                ask(
                    "2.6",
                    "amount",
                    "How much data, and how often",
                    labelled("node.schedule"),
                    shared.RUNS,
                ),
                ask("2.7", "retention", "How long data are kept", shared.RETENTION),
                ask("2.8", "individuals", "How many are affected", shared.HOUSEHOLDS),
                ask(
                    "2.9",
                    "area",
                    "Area",
                    labelled("node.council"),
                    labelled("node.name"),
                    labelled("node.frame"),
                ),
            ),
        ),
        Section(
            "step_2_context",
            "Step 2: describe the processing: context",
            (
                ask(
                    "2.10",
                    "relationship",
                    "Relationship with residents",
                    fact("scrutiny.dpia.relationship"),
                ),
                ask(
                    "2.11",
                    "control",
                    "How much control residents have",
                    labelled("scrutiny.contact.rights"),
                    shared.RIGHTS,
                ),
                ask(
                    "2.12",
                    "expectations",
                    "Whether residents would expect it",
                    labelled("scrutiny.rationale.expectations"),
                    labelled("scrutiny.contact.told"),
                ),
                ask(
                    "2.13",
                    "vulnerable",
                    "Children and other vulnerable people",
                    fact("scrutiny.dpia.vulnerable"),
                ),
                ask(
                    "2.14",
                    "concerns",
                    "Earlier concerns and security faults",
                    labelled("scrutiny.dpia.concerns"),
                    shared.INCIDENTS,
                ),
                ask(
                    "2.15",
                    "technology",
                    "State of the technology, and whether it is new",
                    labelled("scrutiny.dpia.technology"),
                    shared.PLUGINS,
                ),
                ask(
                    "2.16",
                    "public_concern",
                    "Issues of public concern",
                    fact("scrutiny.dpia.public_concern"),
                ),
                ask(
                    "2.17",
                    "codes",
                    "Codes of conduct and certification",
                    fact("scrutiny.dpia.codes"),
                ),
            ),
        ),
        Section(
            "step_2_purposes",
            "Step 2: describe the processing: purposes",
            (
                ask(
                    "2.18",
                    "purpose",
                    "What the council wants to achieve",
                    labelled("policy.risk.purpose"),
                    labelled("scrutiny.rationale.necessity"),
                ),
                ask(
                    "2.19",
                    "effect",
                    "Effect on individuals",
                    shared.BANDS,
                    shared.NOBODY_IS_DECIDED_UPON,
                ),
                ask("2.20", "benefits", "Benefits", fact("scrutiny.rationale.benefits")),
            ),
        ),
        Section(
            "step_3",
            "Step 3: consultation process",
            (
                ask(
                    "3.1",
                    "residents",
                    "Views of residents",
                    fact("scrutiny.consultation.residents"),
                ),
                ask("3.2", "staff", "Others in the council", fact("scrutiny.consultation.staff")),
                ask("3.3", "processors", "Processors", fact("scrutiny.consultation.processors")),
                ask("3.4", "experts", "Experts", fact("scrutiny.consultation.experts")),
                ask("3.5", "outcome", "What was changed", fact("scrutiny.consultation.outcome")),
            ),
        ),
        Section(
            "step_4",
            "Step 4: assess necessity and proportionality",
            (
                ask(
                    "4.1",
                    "lawful_basis",
                    "Lawful basis",
                    labelled("policy.risk.legal_basis"),
                    shared.LAWFUL_BASES,
                ),
                ask(
                    "4.2",
                    "achieves_purpose",
                    "Whether it achieves the purpose",
                    labelled("scrutiny.rationale.proportionality"),
                    shared.ACCURACY,
                    shared.EVALUATION,
                ),
                ask(
                    "4.3",
                    "another_way",
                    "Whether there is another way",
                    fact("scrutiny.rationale.alternatives"),
                ),
                ask(
                    "4.4",
                    "function_creep",
                    "How other uses are prevented",
                    sentence(
                        "The policy ends on {policy.risk.sunset}. The purpose of a round must "
                        "be one that the release policy names: {policy.release.purposes}."
                    ),
                    labelled("scrutiny.dpia.other_uses"),
                ),
                ask(
                    "4.5",
                    "quality",
                    "Data quality and minimisation",
                    shared.MINIMISED,
                    shared.QUARANTINE,
                    shared.LINKAGE,
                ),
                ask("4.6", "information", "What residents are told", fact("scrutiny.contact.told")),
                ask(
                    "4.7",
                    "rights",
                    "How rights are supported",
                    labelled("scrutiny.contact.rights"),
                    labelled("scrutiny.use.appeals"),
                ),
                ask(
                    "4.8",
                    "processors",
                    "How processors are made to comply",
                    labelled("scrutiny.dpia.processors"),
                    shared.of_suppliers("name", "role", "data_access"),
                ),
                ask("4.9", "transfers", "International transfers", fact("scrutiny.dpia.transfers")),
            ),
        ),
        Section(
            "step_5",
            "Step 5: identify and assess risks",
            (
                ask(
                    "5.1",
                    "risks",
                    "Risks for residents: likelihood, severity and overall risk",
                    parts("scrutiny.risks", "risk", "likelihood", "severity", "overall"),
                ),
                ask(
                    "5.2",
                    "privacy_loss",
                    "Privacy loss by what is released",
                    shared.LOSS,
                    shared.RELEASES,
                    shared.ROUNDS,
                    shared.WHAT_PEOPLE_LET_OUT,
                ),
            ),
        ),
        Section(
            "step_6",
            "Step 6: identify measures to reduce risk",
            (
                ask(
                    "6.1",
                    "measures",
                    "Measures, their effect, and what remains",
                    parts(
                        "scrutiny.risks", "risk", "mitigation", "effect", "residual", "approved_by"
                    ),
                ),
                ask(
                    "6.2",
                    "technical",
                    "Measures of the program",
                    shared.WHERE_IT_RUNS,
                    shared.WHAT_LEAVES,
                    shared.PLUGINS,
                ),
                ask(
                    "6.3", "access", "Who has access", labelled("scrutiny.use.access"), shared.ROLES
                ),
            ),
        ),
        Section(
            "step_7",
            "Step 7: sign off and record outcomes",
            (
                ask(
                    "7.1",
                    "measures_approved",
                    "Measures approved by",
                    labelled("scrutiny.sign_off.measures_by"),
                    labelled("scrutiny.sign_off.measures_on"),
                ),
                ask(
                    "7.2",
                    "residual_approved",
                    "Residual risks approved by",
                    labelled("scrutiny.sign_off.residual_by"),
                    labelled("scrutiny.sign_off.residual_on"),
                    program(
                        "If a high risk remains, the council has to consult the Information "
                        "Commissioner before it begins (UK GDPR article 36)."
                    ),
                ),
                ask(
                    "7.3",
                    "dpo_advice",
                    "DPO advice, and its summary",
                    labelled("scrutiny.dpo_advice.officer"),
                    labelled("scrutiny.dpo_advice.given_on"),
                    labelled("scrutiny.dpo_advice.advice"),
                ),
                ask(
                    "7.4",
                    "dpo_decision",
                    "DPO advice accepted or overruled by",
                    labelled("scrutiny.dpo_advice.decision"),
                    labelled("scrutiny.dpo_advice.decided_by"),
                    only_if(
                        "scrutiny.dpo_advice.decision",
                        "overruled",
                        labelled("scrutiny.dpo_advice.reasons"),
                        "The advice was accepted.",
                    ),
                ),
                ask(
                    "7.5",
                    "consultation_reviewed",
                    "Consultation responses reviewed by",
                    labelled("scrutiny.consultation.reviewed_by"),
                    labelled("scrutiny.consultation.departure"),
                ),
                ask(
                    "7.6",
                    "kept_under_review",
                    "This DPIA will be kept under review by",
                    labelled("scrutiny.sign_off.kept_under_review_by"),
                    labelled("scrutiny.sign_off.review_on"),
                ),
                ask(
                    "7.7",
                    "signatures",
                    "Signed documents",
                    everything(
                        "Who signed the release policy",
                        "policy.release.signer",
                        "policy.release.signed_at",
                        "policy.release.key",
                    ),
                    everything(
                        "Who signed the answers",
                        "scrutiny.signer",
                        "scrutiny.signed_at",
                        "scrutiny.version",
                    ),
                ),
            ),
        ),
    ),
)
