"""What a room of casework holds about households, in one form: for access, rectification, erasure
and retention.

Each room with tables has one `Records`, and `casework.holders` lists them. A room that is not
listed there would be missing from what residents get to see.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.retention import RetentionPolicy


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is held.

    Attributes:
        label: What it is, for people: `Note`.
        value: As text for people; moments are days.
        may_name_others: Whether it may be about somebody else than who asks: free text, and
            fields about people. It is shown to nobody before a worker has reviewed it.
        field: Name by which the room rectifies it; empty if it cannot be rectified there.
        sources: Sources in `node.toml` of which it tells something; None if it may be any. What
            tells of a sensitive one is reviewed too.
        inputs: Inputs of factors of which it tells something; their sources count likewise.
    """

    label: str
    value: str
    may_name_others: bool = False
    field: str = ""
    sources: tuple[str, ...] | None = ()
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """An entry that a room holds: a case, a contact, a note.

    Attributes:
        key: Its id, unique in the room.
        title: What it is, for people.
        facts: What it says.
    """

    key: str
    title: str
    facts: tuple[Fact, ...]


class Records(ABC):
    """The entries of one room."""

    room: ClassVar[str]
    """Lower-case letters and underscores: `cases`."""
    title: ClassVar[str]
    """For people: `Cases`."""
    stays: ClassVar[str] = ""
    """What of it an erasure leaves, and why; empty if nothing stays."""

    @abstractmethod
    def held_on(self, session: Session, household: str) -> Iterable[Item]:
        """What the room holds on a household, oldest first.

        Args:
            session: Of a transaction.
            household: Its random id.
        """

    @abstractmethod
    def erase(self, session: Session, household: str) -> int:
        """Deletes what the room holds on a household.

        Cases are deleted last, so a room can still find its entries by them.

        Args:
            session: Of a transaction that writes.
            household: Its random id.

        Returns:
            How many entries there were.
        """

    def erase_cases(self, session: Session, cases: Collection[str]) -> int:
        """Deletes what the room holds for cases that are past their retention.

        Args:
            session: Of a transaction that writes.
            cases: Ids of the cases.

        Returns:
            How many entries there were.
        """
        return 0

    def rectify(self, session: Session, household: str, key: str, field: str, text: str) -> bool:
        """Puts another text in the place of one that is wrong.

        Args:
            session: Of a transaction that writes.
            household: Its random id; an entry about another household is not changed.
            key: The entry, `Item.key`.
            field: What of it, `Fact.field`.
            text: What it says from now on.

        Returns:
            Whether there was such an entry.
        """
        return False

    def past_retention(
        self,
        session: Session,
        rule: RetentionPolicy,
        now: int,
        *,
        held: Select[str],
        delete: bool,
    ) -> int:
        """Entries that are past their retention, besides those of cases.

        Args:
            session: Of a transaction; one that writes, to delete them.
            rule: Of the casework policy.
            now: Seconds since 1970-01-01T00:00:00Z.
            held: Ids of households under a legal hold: nothing about them is deleted.
            delete: Whether they are deleted.

        Returns:
            How many there are.
        """
        return 0


def reference(room: str, item: Item, fact: Fact) -> str:
    """What a review and a rectification call a fact: a digest of it and of where it stands.

    It changes when the text changes, so that a review of the earlier text does not count.
    """
    content = f"{room}\n{item.key}\n{fact.label}\n{fact.value}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]
