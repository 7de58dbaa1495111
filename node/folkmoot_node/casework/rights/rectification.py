"""Rectification of what casework holds: a text that is wrong is replaced.

An input of the score is rectified by an upheld objection, until its source has been corrected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from folkmoot_node.casework.holdings import Fact, Item, Records, reference
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.rights.answerers import require_answerer
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_web.errors import WebProblem
from folkmoot_web.visitors import Visitor

RECTIFIED = "record rectified"
"""Action of the log."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A text that can be rectified.

    Attributes:
        reference: What it is called.
        room: Title of the room that holds it.
        item: The entry.
        fact: The text.
    """

    reference: str
    room: str
    item: Item
    fact: Fact


class Rectification:
    """Rectifies texts."""

    def __init__(self, bench: Bench, records: Sequence[Records]) -> None:
        """Names the rooms.

        Args:
            bench: Casework.
            records: Of every room, `holders.RECORDS`.
        """
        self._bench = bench
        self._records = records

    def texts(self, opened: Opened) -> list[Wrong]:
        """Texts about a household that can be rectified."""
        return [Wrong(ref, one.title, item, fact) for ref, one, item, fact in self._texts(opened)]

    def rectify(self, opened: Opened, ref: str, text: str, by: Visitor) -> Wrong:
        """Replaces a text.

        Args:
            opened: The household.
            ref: Reference of the text.
            text: What it says from now on.
            by: Who decides.

        Returns:
            What it said before.

        Raises:
            WebProblem: Status 403, if they may not; 409, if the text has changed meanwhile.
        """
        found = next((one for one in self._texts(opened) if one[0] == ref), None)
        with self._bench.state.database.writing() as session:
            require_answerer(session, by, opened.household)
            if found is None or not found[1].rectify(
                session, opened.household, found[2].key, found[3].field, text
            ):
                raise WebProblem(
                    409,
                    "Somebody else has changed this text",
                    "Their change is kept, and yours is not stored.",
                    "Go back, and see what it says now.",
                )
            _, records, item, fact = found
            detail = {
                "household": opened.household,
                "room": records.room,
                "entry": item.key,
                "field": fact.field,
            }
            self._bench.state.audit.record(session, RECTIFIED, by.name, detail)
        return Wrong(ref, records.title, item, fact)

    def _texts(self, opened: Opened) -> Iterator[tuple[str, Records, Item, Fact]]:
        with self._bench.state.database.reading() as session:
            held = [(one, list(one.held_on(session, opened.household))) for one in self._records]
        for one, items in held:
            for item in items:
                for fact in item.facts:
                    if fact.field:
                        yield reference(one.room, item, fact), one, item, fact
