"""What a referral hands over: chosen field by field, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.referrals.kinds import FIELDS, GROUNDS, OF_FACTOR, Ground
from folkmoot_node.casework.referrals.services import Service
from folkmoot_node.scoring.explain import Explanation
from folkmoot_operator.moments import to_text
from folkmoot_web.errors import WebProblem

LONGEST = 2_000
"""Characters of a value."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is handed over.

    Attributes:
        field: A name of `kinds.FIELDS`, or that of a factor after `kinds.OF_FACTOR`.
        title: What it is, for people.
        value: As the service sees it.
    """

    field: str
    title: str
    value: str


def records_of(opened: Opened, explanation: Explanation | None) -> list[Item]:
    """What the council's records say of a household, and could be handed over.

    Args:
        opened: The household, opened.
        explanation: Of its score, as far as `opened` may see it; None if there is none now.
    """
    found = [Item("uprn", FIELDS["uprn"], str(opened.uprn))]
    if explanation is None:
        return found
    return found + [
        Item(OF_FACTOR + one.factor, one.title, one.words)
        for one in explanation.contributions
        if one.points  # neither unknown nor withheld
    ]


def chosen_items(
    known: Sequence[Item], chosen: Sequence[str], typed: Mapping[str, str]
) -> list[Item]:
    """The items that somebody has chosen.

    Args:
        known: What records say; see `records_of`.
        chosen: Names of fields.
        typed: What was typed, by field.

    Raises:
        WebProblem: Status 422, for a field that is not known, has no value or is too long.
    """
    there = {one.field: one for one in known}
    items = []
    for field in dict.fromkeys(chosen):
        if field in there:
            items.append(there[field])
            continue
        value = typed.get(field, "").strip()
        if field not in FIELDS or not value or len(value) > LONGEST:
            raise WebProblem(
                422,
                "A field that was chosen cannot be handed over",
                "It has no value, is too long, or is no longer known.",
                "Go back, and choose again.",
            )
        items.append(Item(field, FIELDS[field], value))
    return items


def items_of(content: str) -> tuple[Item, ...]:
    """The items in a row's JSON."""
    return tuple(Item(**one) for one in json.loads(content))


def as_text(items: Sequence[Item]) -> str:
    """The same as JSON for a row."""
    return json.dumps([asdict(one) for one in items], ensure_ascii=False)


def document(
    opened: Opened,
    *,
    referral_id: str,
    council: str,
    service: Service,
    items: Sequence[Item],
    urgency: str,
    ground: Ground | None,
    sent_at: int,
) -> dict[str, Any]:
    """A referral as a file for the service; names of its service are those of Open Referral UK.

    Args:
        opened: The household, opened: whoever takes the file sees what it says.
        referral_id: The reference.
        council: Name of the council.
        service: To which it goes.
        items: What is handed over.
        urgency: As the worker judges it.
        ground: The legal ground; None for consent.
        sent_at: Seconds since 1970-01-01T00:00:00Z.
    """
    del opened  # only its holder may make the document
    described = service.document
    return {
        "schema": 1,
        "service": {
            "id": described.id,
            "name": described.name,
            "organization": {
                "id": described.organization.id,
                "name": described.organization.name,
            },
        },
        "referral": {
            "id": referral_id,
            "referred_by": council,
            "sent_at": to_text(sent_at),
            "urgency": urgency,
            "basis": "consent" if ground is None else GROUNDS[ground],
            "handed_over": [asdict(one) for one in items],
        },
    }
