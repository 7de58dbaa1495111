"""What a resident looks for first on the public page; each fact stands in its part as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot_node.scrutiny.approved_facts import ApprovedFacts
from folkmoot_node.scrutiny.differences import below, things
from folkmoot_node.scrutiny.documents.saying import title
from folkmoot_operator.shown_values import LaidOut, shown

ASKED = {
    "What is it for?": (
        "scrutiny.rationale.one_sentence",
        "scrutiny.rationale.summary",
        "policy.risk.purpose",
    ),
    "Who decides?": (
        "scrutiny.use.human_review",
        "scrutiny.use.integration",
        "scrutiny.owner.name",
        "scrutiny.owner.role",
    ),
    "How can I object, or ask?": (
        "scrutiny.contact.rights",
        "scrutiny.use.appeals",
        "scrutiny.contact.email",
        "scrutiny.contact.data_protection_officer",
    ),
}
"""Questions, and the facts that answer them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Things of one family in a table of their own.

    Attributes:
        question: What the table answers.
        family: Prefix of their keys.
        columns: Heads of the table, the first for their names.
        facts: What each further column shows, below the key of a thing.
        highest_first: Whether the highest number of the second column comes first.
    """

    question: str
    family: str
    columns: tuple[str, ...]
    facts: tuple[str, ...]
    highest_first: bool = False


LISTED = (
    Listed(
        "What is used?", "sources", ("Source", "From whom", "What for"), ("supplier", "used_for")
    ),
    Listed(
        "What adds points?",
        "policy.risk.factors",
        ("Factor", "Most points"),
        ("maximum",),
        highest_first=True,
    ),
    Listed(
        "What do the points lead to?",
        "policy.risk.bands",
        ("Band", "From points", "What then happens"),
        ("from", "action"),
    ),
)
"""Tables, in the order of the page."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with what is known of it.

    Attributes:
        question: The question.
        facts: Keys of the facts that answer it, those that there are.
        table: Things that answer it; None if facts do.
    """

    question: str
    facts: tuple[str, ...]
    table: LaidOut | None


def answers(facts: ApprovedFacts) -> Iterator[Answer]:
    """Each question in the order of the page; tables after what it is for."""
    first, *others = (
        Answer(question, tuple(key for key in keys if key in facts.by_key), None)
        for question, keys in ASKED.items()
    )
    yield first
    for one in LISTED:
        table = _table(one, facts)
        if table.cells:
            yield Answer(one.question, (), table)
    yield from others


def _table(listed: Listed, facts: ApprovedFacts) -> LaidOut:
    rows = []
    for name in sorted(things(facts.by_key, listed.family)):
        thing = f"{listed.family}.{name}"
        values = {key: fact.value for key, fact in below(facts.by_key, thing).items()}
        rows.append((title(name), *(values.get(f"{thing}.{fact}") for fact in listed.facts)))
    sign = -1 if listed.highest_first else 1
    rows.sort(key=lambda row: sign * row[1] if isinstance(row[1], int | float) else 0)
    return LaidOut(
        columns=listed.columns,
        cells=tuple(tuple("" if cell is None else shown(cell) for cell in row) for row in rows),
    )
