"""What a resident looks for first on the public page; each fact stands in its part as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot_node.scrutiny.approved_facts import ApprovedFact, ApprovedFacts
from folkmoot_node.scrutiny.differences import is_number, things
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
    rows = [
        (title(name), [facts.by_key.get(f"{listed.family}.{name}.{one}") for one in listed.facts])
        for name in sorted(things(facts.by_key, listed.family))
    ]
    sign = -1 if listed.highest_first else 1
    rows.sort(key=lambda row: sign * number_or_0(row[1][0]))
    return LaidOut(
        columns=listed.columns,
        cells=tuple((name, *map(_cell, found)) for name, found in rows),
    )


def number_or_0(fact: ApprovedFact | None) -> float:
    """The number that a fact is, to sort by; 0 if it is none, so that the order stays."""
    return float(fact.value) if fact is not None and is_number(fact.value) else 0.0


def _cell(fact: ApprovedFact | None) -> str:
    if fact is None:
        return ""
    return "Missing" if fact.is_missing else shown(fact.value)
