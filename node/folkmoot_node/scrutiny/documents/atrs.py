"""The algorithmic transparency record: fields of the UK government's standard, version 4.0."""

from __future__ import annotations

from folkmoot_node.scrutiny.documents import shared
from folkmoot_node.scrutiny.documents.saying import fact, labelled, parts, program, sentence
from folkmoot_node.scrutiny.documents.standard import Section, Standard, ask

ATRS = Standard(
    name="atrs",
    title="Algorithmic transparency record",
    source="Algorithmic Transparency Recording Standard, version 4.0 (May 2025)",
    about="A record for the public of a tool that helps to decide about people: who answers for "
    "it, why it is used, how people decide with it, how it works, what data it uses, and its "
    "risks.",
    sections=(
        Section(
            "metadata",
            "Metadata and title",
            (
                ask(
                    "0.1",
                    "title",
                    "Title",
                    sentence("{node.name}: {policy.risk.title}"),
                ),
                ask("0.2", "organisation_name", "Organisation name", fact("node.name")),
                ask("0.3", "phase", "Phase", fact("scrutiny.rationale.phase")),
                ask("0.4", "region", "Region", fact("scrutiny.owner.region")),
                ask(
                    "0.5",
                    "one_sentence_description",
                    "One sentence description",
                    fact("scrutiny.rationale.one_sentence"),
                ),
            ),
        ),
        Section(
            "tier_1",
            "Tier 1: summary",
            (
                ask("1.1", "name", "Name", fact("policy.risk.title")),
                ask("1.2", "description", "Description", fact("scrutiny.rationale.summary")),
                ask("1.3", "website_url", "Website URL", fact("scrutiny.contact.website")),
                ask("1.4", "contact_email", "Contact email", fact("scrutiny.contact.email")),
            ),
        ),
        Section(
            "owner",
            "Tier 2: owner and responsibility",
            (
                ask(
                    "2.1.1",
                    "organisation",
                    "Organisation or department",
                    labelled("node.name"),
                    labelled("scrutiny.owner.department"),
                ),
                ask("2.1.2", "team", "Team", fact("scrutiny.owner.team")),
                ask(
                    "2.1.3",
                    "senior_responsible_owner",
                    "Senior responsible owner",
                    sentence("{scrutiny.owner.name}, {scrutiny.owner.role}."),
                ),
                ask(
                    "2.1.4",
                    "third_party_involvement",
                    "Third party involvement",
                    fact("scrutiny.procurement.third_party"),
                ),
                ask("2.1.4.1", "third_party", "Third party", shared.of_suppliers("name")),
                ask(
                    "2.1.4.2",
                    "companies_house_number",
                    "Companies House number",
                    shared.of_suppliers("name", "company_number"),
                ),
                ask(
                    "2.1.4.3",
                    "third_party_role",
                    "Third party role",
                    shared.of_suppliers("name", "role"),
                ),
                ask(
                    "2.1.4.4",
                    "procurement_procedure_type",
                    "Procurement procedure type",
                    shared.of_suppliers("name", "procedure"),
                ),
                ask(
                    "2.1.4.5",
                    "third_party_data_access",
                    "Third party data access terms",
                    shared.of_suppliers("name", "data_access"),
                    shared.PLUGINS,
                ),
            ),
        ),
        Section(
            "description",
            "Tier 2: description and rationale",
            (
                ask(
                    "2.2.1",
                    "detailed_description",
                    "Detailed description",
                    shared.HOW_IT_SCORES,
                    shared.FACTORS,
                    shared.BANDS,
                ),
                ask("2.2.2", "benefits", "Benefits", fact("scrutiny.rationale.benefits")),
                ask(
                    "2.2.3",
                    "previous_process",
                    "Previous process",
                    fact("scrutiny.rationale.previous_process"),
                ),
                ask(
                    "2.2.4",
                    "alternatives",
                    "Alternatives considered",
                    fact("scrutiny.rationale.alternatives"),
                ),
            ),
        ),
        Section(
            "deployment",
            "Tier 2: deployment context",
            (
                ask(
                    "2.3.1",
                    "integration",
                    "Integration into broader operational process",
                    fact("scrutiny.use.integration"),
                ),
                ask(
                    "2.3.2",
                    "human_review",
                    "Human review",
                    shared.NOBODY_IS_DECIDED_UPON,
                    labelled("scrutiny.use.human_review"),
                    shared.DECISIONS,
                ),
                ask(
                    "2.3.3",
                    "frequency_and_scale",
                    "Frequency and scale of usage",
                    sentence("Households are scored: {node.schedule}."),
                    shared.RUNS,
                    shared.HOUSEHOLDS,
                ),
                ask(
                    "2.3.4", "required_training", "Required training", fact("scrutiny.use.training")
                ),
                ask(
                    "2.3.5",
                    "appeals",
                    "Appeals and review",
                    labelled("scrutiny.use.appeals"),
                    shared.RIGHTS,
                ),
            ),
        ),
        Section(
            "tool",
            "Tier 2: tool specification",
            (
                ask(
                    "2.4.1.1",
                    "system_architecture",
                    "System architecture",
                    shared.WHERE_IT_RUNS,
                    sentence("The program is folkmoot-node, version {node.version}."),
                ),
                ask("2.4.1.2", "system_level_input", "System-level input", shared.FIELDS),
                ask(
                    "2.4.1.3",
                    "system_level_output",
                    "System-level output",
                    shared.BANDS,
                    shared.WHAT_LEAVES,
                    shared.ATTRIBUTES,
                ),
                ask(
                    "2.4.1.4",
                    "maintenance",
                    "Maintenance",
                    labelled("scrutiny.use.maintenance"),
                    sentence(
                        "The risk policy ends on {policy.risk.sunset}: nobody is scored after "
                        "that unless the council decides on a new one."
                    ),
                ),
                ask("2.4.1.5", "models", "Models", shared.FACTORS),
            ),
        ),
        Section(
            "model",
            "Tier 2: model specification",
            (
                ask("2.4.2.1", "model_name", "Model name", fact("policy.risk.title")),
                ask("2.4.2.2", "model_version", "Model version", fact("policy.risk.sha256")),
                ask("2.4.2.3", "model_task", "Model task", fact("policy.risk.purpose")),
                ask("2.4.2.4", "model_input", "Model input", shared.FACTORS),
                ask(
                    "2.4.2.5",
                    "model_output",
                    "Model output",
                    labelled("policy.risk.maximum"),
                    shared.BANDS,
                ),
                ask(
                    "2.4.2.6",
                    "model_architecture",
                    "Model architecture",
                    shared.HOW_IT_SCORES,
                    shared.PARAMETERS,
                ),
                ask(
                    "2.4.2.7",
                    "model_performance",
                    "Model performance",
                    shared.ACCURACY,
                    shared.EVALUATION,
                ),
                ask("2.4.2.8", "datasets", "Datasets and their purposes", shared.SOURCES_IN_SHORT),
            ),
        ),
        Section(
            "development_data",
            "Tier 2: development data specification",
            (
                ask(
                    "2.4.3.1",
                    "description",
                    "Development data description",
                    program(
                        "Running the node learns nothing: factors and weights stand in the risk "
                        "policy, which the council decides on. What they rest on is in the table."
                    ),
                    shared.EVIDENCE,
                ),
                ask(
                    "2.4.3.2",
                    "modality",
                    "Data modality",
                    program("Tables: one record for each person, household, property or area."),
                ),
                ask("2.4.3.3", "quantities", "Data quantities", shared.EVALUATION),
                ask(
                    "2.4.3.4", "sensitive_attributes", "Sensitive attributes", shared.PROTECTED_USE
                ),
                ask(
                    "2.4.3.5",
                    "representativeness",
                    "Data completeness and representativeness",
                    labelled("scrutiny.equality.evidence"),
                    shared.LINKAGE,
                ),
                ask("2.4.3.6", "cleaning", "Data cleaning", shared.QUARANTINE),
                ask("2.4.3.7", "collection", "Data collection", shared.COLLECTED),
                ask(
                    "2.4.3.8",
                    "access_and_storage",
                    "Data access and storage",
                    labelled("scrutiny.use.access"),
                    shared.RETENTION,
                ),
                ask(
                    "2.4.3.9",
                    "sharing_agreements",
                    "Data sharing agreements",
                    fact("scrutiny.use.sharing"),
                ),
            ),
        ),
        Section(
            "operational_data",
            "Tier 2: operational data specification",
            (
                ask("2.4.4.1", "sources", "Data sources", shared.SOURCES),
                ask(
                    "2.4.4.2",
                    "sensitive_attributes",
                    "Sensitive attributes",
                    shared.PROTECTED_IN_SOURCES,
                    shared.PROTECTED_USE,
                ),
                ask(
                    "2.4.4.3",
                    "processing",
                    "Data processing methods",
                    shared.MINIMISED,
                    shared.QUARANTINE,
                    shared.LINKAGE,
                ),
                ask(
                    "2.4.4.4",
                    "access_and_storage",
                    "Data access and storage",
                    labelled("scrutiny.use.access"),
                    shared.ROLES,
                    shared.RETENTION,
                ),
                ask(
                    "2.4.4.5",
                    "sharing_agreements",
                    "Data sharing agreements",
                    labelled("scrutiny.use.sharing"),
                    shared.WHAT_LEAVES,
                ),
            ),
        ),
        Section(
            "risks",
            "Tier 2: risks, mitigations and impact assessments",
            (
                ask(
                    "2.5.1",
                    "impact_assessments",
                    "Impact assessments",
                    labelled("scrutiny.sign_off.measures_on"),
                    labelled("scrutiny.dpo_advice.given_on"),
                    labelled("scrutiny.equality.signed_off_by"),
                ),
                ask(
                    "2.5.2",
                    "risks",
                    "Risks and mitigations",
                    parts("scrutiny.risks", "risk", "mitigation", "effect", "residual"),
                ),
            ),
        ),
    ),
)
