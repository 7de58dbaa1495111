"""What several documents say in the same words: sources, factors, bands, retention, releases."""

from __future__ import annotations

from folkmoot_node.scrutiny.documents.saying import (
    Say,
    everything,
    groups,
    labelled,
    listed,
    names,
    only_if,
    parts,
    program,
    table,
    unless_none,
)

SOURCES = table(
    "Sources of information",
    "sources",
    "Source",
    {
        "supplier": "Supplier",
        "level": "One record is about",
        "categories": "Kinds of information",
        "used_for": "Used for",
        "lawful_basis": "Lawful basis",
        "licence": "Licence or agreement",
        "retention_days": "Days kept after use",
    },
)
SOURCES_IN_SHORT = table(
    "Sources of information",
    "sources",
    "Source",
    {"supplier": "Supplier", "categories": "Kinds of information", "used_for": "Used for"},
)
LAWFUL_BASES = table(
    "Lawful basis of each source",
    "sources",
    "Source",
    {"lawful_basis": "Lawful basis", "special_category": "Condition for special category data"},
)
COLLECTED = table(
    "How each source was collected, and what is known of its quality",
    "sources",
    "Source",
    {"collected": "How and why it was collected", "quality": "Known gaps and faults"},
)
PROTECTED_IN_SOURCES = table(
    "Protected characteristics that sources state",
    "sources",
    "Source",
    {"protected": "Protected characteristics", "identifiers": "Identifiers, dropped after use"},
)
FACTORS = table(
    "Factors of the score",
    "policy.risk.factors",
    "Factor",
    {
        "description": "What it measures",
        "maximum": "Most points",
        "share": "Share of the highest score",
        "inputs": "Fields it reads",
    },
    name="title",
)
EVIDENCE = listed(
    "Why each factor is believed to matter",
    "policy.risk.factors",
    "evidence",
    "Factor",
    {"finding": "Finding", "citation": "Where it was published", "url": "Address"},
)
PARAMETERS = table(
    "Parameters of factors, and the plugins that compute them",
    "policy.risk.factors",
    "Factor",
    {"parameters": "Parameters", "source": "Plugin"},
    name="title",
)
FIELDS = listed(
    "Fields of each source",
    "sources",
    "fields",
    "Source",
    {"": "Field", "description": "What it is", "category": "Kind of information"},
)
BANDS = table(
    "Bands, and what is done for a household in each",
    "policy.risk.bands",
    "Band",
    {"from": "From so many points", "action": "What is done"},
    order="from",
)
RETENTION = everything("How long data are kept", "policy.risk.retention")
PLUGINS = table(
    "Plugins",
    "plugins",
    "Plugin",
    {
        "version": "Version",
        "trust": "How it runs",
        "privileges": "What it may do",
        "sha256": "SHA-256",
    },
)
PLUGINS_IN_SHORT = table(
    "Plugins", "plugins", "Plugin", {"version": "Version", "trust": "How it runs"}
)
PROTECTED_USE = unless_none(
    "policy.risk.protected",
    everything(
        "Protected characteristics that the score may use, and why", "policy.risk.protected"
    ),
    "The score uses no field that states a protected characteristic: the program refuses one that "
    "the policy does not name with a reason.",
)
BOUGHT = unless_none(
    "policy.risk.consumer_data",
    everything("Bought data that the score may use", "policy.risk.consumer_data"),
    "The score uses no bought consumer data.",
)
LOSS = everything("Limits of the privacy loss of a household", "policy.release.loss")
RELEASES = everything("What has been released", "releases", without=".list")
ROUNDS = labelled("releases.list", "Rounds that were answered")
ATTRIBUTES = names("Counts may be released by:", "policy.release.attributes")
RUNS = everything("Scoring runs", "runs.ended", "runs.last.day", "runs.last.finished_at")
HOUSEHOLDS = everything("Households scored", "households")
LINKAGE = everything(
    "How well records were linked to households, and what could not be read",
    "linkage",
    "quarantine",
)
EQUALITY_AUDIT = everything("Equality audit", "equality", without=".groups")
EQUALITY_GROUPS = groups("Groups of the equality audit, with the share of each band", "equality")
EVALUATION = everything("Back-tests of the score", "evaluation")
ACCURACY = labelled("scrutiny.evaluation.accuracy")
ROLES = everything("Who has which role, and how often records were looked at", "people")
DECISIONS = only_if(
    "node.casework",
    True,
    everything(
        "Decisions and cases",
        "decisions.cases_opened",
        "decisions.cases_not_opened",
        "decisions.in_bulk",
        "decisions.unseen",
        "decisions.referrals",
        "cases",
    ),
    "Caseworkers do not use this program here, so that it counts no decisions about households.",
)
WHAT_PEOPLE_LET_OUT = everything(
    "What people decided about what leaves",
    "decisions.rounds_approved",
    "decisions.rounds_declined",
    "decisions.publications",
)
RIGHTS = everything("Requests, objections and contested scores", "rights")
INCIDENTS = everything("Incidents", "incidents")

HOW_IT_SCORES = program(
    "Each factor gives a household a number between 0 and 1 from the fields it reads. The score is "
    "the sum of these numbers, each times the weight of its factor. The policy's thresholds turn "
    "the score into a band. A field that is not known counts as unknown, and adds no points."
)
WHERE_IT_RUNS = program(
    "Records and scores stay on machines under the council's control. Plugins read the sources and "
    "compute the factors. Scores are stored encrypted, and each run replaces those before it."
)
WHAT_LEAVES = program(
    "The only thing made from residents' records that leaves the machine by itself is counts of "
    "households in the council's answers to its region. Random noise is added to them under "
    "differential privacy, and each answer is charged to a privacy budget first."
)
NOBODY_IS_DECIDED_UPON = program(
    "The program decides nothing about anybody. It gives each household a score, a band and the "
    "reasons for them; a person decides what to offer."
)
MINIMISED = program(
    "A node asks a source only for the fields that a factor, an attribute, the equality audit or a "
    "back-test declares. A column that nobody declares is not stored."
)
QUARANTINE = program(
    "Each record is checked against the description of its source. A record that fails is set "
    "aside with the reason, and a run with too many of them stops."
)


def of_suppliers(*names: str) -> Say:
    """Some of what is known of third parties."""
    return only_if(
        "scrutiny.procurement.third_party",
        True,
        parts("scrutiny.procurement.suppliers", *names),
        "No third party is involved.",
    )
