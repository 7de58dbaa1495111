"""Answers to what people really ask under the Freedom of Information Act about such a tool."""

from __future__ import annotations

from folkmoot_node.scrutiny.documents import shared
from folkmoot_node.scrutiny.documents.saying import everything, fact, labelled, program, sentence
from folkmoot_node.scrutiny.documents.standard import Section, Standard, ask

FOI = Standard(
    name="foi",
    title="Freedom of information: answers about scored households",
    source="Freedom of Information Act 2000; questions as they are asked of councils",
    about="Answers to the questions that journalists, researchers and residents ask councils about "
    "tools that score people. Exemptions are for the council's information officer to consider.",
    sections=(
        Section(
            "use",
            "Use",
            (
                ask(
                    "1",
                    "in_use",
                    "Do you use a tool that scores or ranks people or households?",
                    sentence("Yes: {policy.risk.title}."),
                    labelled("scrutiny.rationale.phase"),
                ),
                ask(
                    "2",
                    "since",
                    "When did you start to use it, and when does it end?",
                    labelled("scrutiny.rationale.in_use_since"),
                    sentence("The policy ends on {policy.risk.sunset}."),
                ),
                ask(
                    "3",
                    "purpose",
                    "What is it used for, and under what law?",
                    labelled("scrutiny.rationale.summary"),
                    labelled("policy.risk.purpose"),
                    labelled("policy.risk.legal_basis"),
                ),
                ask(
                    "4",
                    "owner",
                    "Who is responsible for it?",
                    labelled("policy.risk.owner"),
                    labelled("scrutiny.owner.name"),
                    labelled("scrutiny.owner.role"),
                ),
            ),
        ),
        Section(
            "data",
            "Data",
            (
                ask(
                    "5",
                    "sources",
                    "Which sources and kinds of data does it use?",
                    shared.SOURCES_IN_SHORT,
                    shared.FIELDS,
                    shared.BOUGHT,
                ),
                ask(
                    "6",
                    "agreements",
                    "Under which data sharing agreements?",
                    labelled("scrutiny.use.sharing"),
                    shared.LAWFUL_BASES,
                ),
                ask("7", "retention", "How long are data kept?", shared.RETENTION),
                ask(
                    "8",
                    "shared_with",
                    "With whom are results shared?",
                    shared.WHAT_LEAVES,
                    shared.RELEASES,
                    shared.ROUNDS,
                    shared.WHAT_PEOPLE_LET_OUT,
                ),
            ),
        ),
        Section(
            "scale",
            "Scale",
            (
                ask(
                    "9",
                    "scored",
                    "How many households were scored, and how many in each band?",
                    shared.HOUSEHOLDS,
                ),
                ask("10", "runs", "How often does it run?", labelled("node.schedule"), shared.RUNS),
                ask(
                    "11",
                    "decisions",
                    "How many decisions were taken with it, and of which kind?",
                    shared.DECISIONS,
                ),
                ask(
                    "12",
                    "looked",
                    "Who can see scores, and how often were they looked at?",
                    labelled("scrutiny.use.access"),
                    shared.ROLES,
                ),
            ),
        ),
        Section(
            "how_it_works",
            "How it works",
            (
                ask(
                    "13",
                    "method",
                    "How is a score computed?",
                    shared.HOW_IT_SCORES,
                    shared.FACTORS,
                    shared.BANDS,
                ),
                ask("14", "evidence", "What is the evidence for each factor?", shared.EVIDENCE),
                ask(
                    "15",
                    "accuracy",
                    "How accurate is it, and how was that evaluated?",
                    shared.ACCURACY,
                    shared.EVALUATION,
                ),
                ask(
                    "16",
                    "linkage",
                    "How often are records joined to the wrong household?",
                    shared.LINKAGE,
                ),
            ),
        ),
        Section(
            "people",
            "People",
            (
                ask(
                    "17",
                    "human_review",
                    "Does a person review what it says?",
                    shared.NOBODY_IS_DECIDED_UPON,
                    labelled("scrutiny.use.human_review"),
                ),
                ask("18", "training", "What training do users get?", fact("scrutiny.use.training")),
                ask(
                    "19",
                    "told",
                    "How are people told that they are scored?",
                    fact("scrutiny.contact.told"),
                ),
                ask(
                    "20",
                    "challenged",
                    "How can a score be challenged, and how often was one?",
                    labelled("scrutiny.use.appeals"),
                    shared.RIGHTS,
                ),
            ),
        ),
        Section(
            "assessments",
            "Assessments",
            (
                ask(
                    "21",
                    "dpia",
                    "Was there a data protection impact assessment?",
                    everything(
                        "Data protection impact assessment",
                        "scrutiny.sign_off.measures_by",
                        "scrutiny.sign_off.measures_on",
                        "scrutiny.dpo_advice.given_on",
                        "scrutiny.dpo_advice.decision",
                    ),
                ),
                ask(
                    "22",
                    "equality",
                    "Was there an equality impact assessment or audit?",
                    everything(
                        "Equality impact assessment",
                        "scrutiny.equality.decision",
                        "scrutiny.equality.signed_off_by",
                    ),
                    shared.EQUALITY_AUDIT,
                    shared.EQUALITY_GROUPS,
                    shared.PROTECTED_USE,
                ),
                ask(
                    "23",
                    "consulted",
                    "Who was consulted?",
                    labelled("scrutiny.consultation.residents"),
                    labelled("scrutiny.consultation.experts"),
                ),
                ask("24", "incidents", "Were there incidents or breaches?", shared.INCIDENTS),
            ),
        ),
        Section(
            "money",
            "Suppliers and cost",
            (
                ask(
                    "25",
                    "suppliers",
                    "Who supplied it, and how was it bought?",
                    shared.of_suppliers("name", "role", "procedure"),
                    shared.PLUGINS_IN_SHORT,
                ),
                ask(
                    "26",
                    "cost_to_set_up",
                    "What did it cost to set up?",
                    fact("scrutiny.procurement.cost_to_set_up"),
                ),
                ask(
                    "27",
                    "cost_per_year",
                    "What does it cost in a year?",
                    fact("scrutiny.procurement.cost_per_year"),
                ),
            ),
        ),
        Section(
            "documents",
            "Documents",
            (
                ask(
                    "28",
                    "documents",
                    "Which documents do you hold about it?",
                    program(
                        "The risk policy, the release policy and its signature, the answers of the "
                        "council, the algorithmic transparency record, the impact assessments, the "
                        "notice for residents, and the audit log."
                    ),
                    labelled("policy.risk.sha256"),
                    labelled("policy.release.sha256"),
                ),
            ),
        ),
    ),
)
