"""What stands in a field of a document: statements, each with the facts that it was made from."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from folkmoot_node.scrutiny.facts import Mark

_MODEL = ConfigDict(frozen=True, extra="forbid")


class Used(BaseModel):
    """A fact that a statement was made from.

    Attributes:
        key: Its key in the fact base.
        label: What it is, for people.
        value: What is known; null if it is missing or held back.
        mark: Who says so.
        place: File or table in which it can be looked up, or should be entered.
        sha256: Digest of the file, hexadecimal; empty for a table.
        when: When it was written there, ISO 8601; null if that is not known.
        held: Whether it is an exact figure over households that this document does not show.
    """

    model_config = _MODEL

    key: str
    label: str
    value: JsonValue
    mark: Mark
    place: str
    sha256: str = ""
    when: str | None = None
    held: bool = False


class Grid(BaseModel):
    """A table. Its first column names the row.

    Attributes:
        caption: What it shows.
        columns: Names of the columns.
        rows: Cells as they are shown, as many in each row as there are columns.
    """

    model_config = _MODEL

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Statement(BaseModel):
    """One thing that a document says.

    Attributes:
        mark: Who says so, or that nobody has said it yet.
        text: Whole sentences; empty if the table says all.
        grid: A table; null without.
        used: The facts it was made from.
    """

    model_config = _MODEL

    mark: Mark
    text: str
    grid: Grid | None = None
    used: tuple[Used, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is missing."""
        return all(one.mark is not Mark.MISSING for one in self.used)

    @property
    def held(self) -> bool:
        """Whether a figure was left out that the council holds."""
        return any(one.held for one in self.used)


class Answer(BaseModel):
    """What stands in a field: one statement at least."""

    model_config = _MODEL

    statements: Annotated[tuple[Statement, ...], Field(min_length=1)]

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is missing."""
        return all(one.is_complete for one in self.statements)


class Decision(BaseModel):
    """That a named person has decided to show exact figures.

    Attributes:
        by: Name and role.
        reason: Why, in words that name no resident.
    """

    model_config = _MODEL

    by: str
    reason: str
