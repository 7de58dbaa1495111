"""A standard as a table of fields, and a document as those fields filled from facts.

The JSON model of a document is made from the same table, so that a schema cannot lack a field.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from folkmoot_node.scrutiny.documents.answers import Answer, Decision
from folkmoot_node.scrutiny.documents.reading import Reading
from folkmoot_node.scrutiny.documents.saying import Say
from folkmoot_node.scrutiny.facts import FactBase


@dataclass(frozen=True, slots=True)
class Ask:
    """One field of a standard.

    Attributes:
        number: As the standard counts it.
        name: Its key in JSON.
        title: Its heading.
        says: What fills it.
    """

    number: str
    name: str
    title: str
    says: tuple[Say, ...]


def ask(number: str, name: str, title: str, *says: Say) -> Ask:
    """One field of a standard, with what fills it."""
    return Ask(number, name, title, says)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a standard.

    Attributes:
        name: Its key in JSON.
        title: Its heading.
        asks: Its fields, in order.
    """

    name: str
    title: str
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Standard:
    """What a document has to say.

    Attributes:
        name: Short name, as on the command line.
        title: What the document is.
        source: The standard, with version and date.
        about: For whom the document is and what it is for: whole sentences.
        sections: Its parts.
        is_for_residents: Whether residents read it: in plain words, without marks and places.
    """

    name: str
    title: str
    source: str
    about: str
    sections: tuple[Section, ...]
    is_for_residents: bool = False

    @property
    def schema(self) -> str:
        """Id of the JSON schema of such a document."""
        return f"urn:folkmoot:dossier:{self.name}:1"


@dataclass(frozen=True, slots=True)
class Filled:
    """A field with its answer."""

    ask: Ask
    answer: Answer


@dataclass(frozen=True, slots=True)
class FilledSection:
    """A section with its answers."""

    section: Section
    fields: tuple[Filled, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document, before it is known how it is shown.

    Attributes:
        standard: What it had to say.
        council: Name of the council; its code, if it has none.
        subject: What is described: the name of the risk policy, with the council's.
        gathered: When the facts were gathered: ISO 8601, with time zone.
        program: Name and version of the program that made it.
        decision: Who decided that it shows exact figures; None if it shows none.
        sections: What it says.
    """

    standard: Standard
    council: str
    subject: str
    gathered: str
    program: str
    decision: Decision | None
    sections: tuple[FilledSection, ...]

    def answers(self) -> Iterator[tuple[Ask, Answer]]:
        """Each field with its answer, in order."""
        for section in self.sections:
            for field in section.fields:
                yield field.ask, field.answer

    @property
    def missing(self) -> int:
        """Fields of which something is missing."""
        return sum(not answer.is_complete for _, answer in self.answers())

    @property
    def held(self) -> int:
        """Fields that leave out a figure that the council holds."""
        return sum(any(one.held for one in answer.statements) for _, answer in self.answers())

    def as_json(self) -> dict[str, Any]:
        """As its JSON schema has it."""
        return self.as_model().model_dump(mode="json", by_alias=True)

    def as_model(self) -> BaseModel:
        """The same, checked against the model that the schema is made from."""
        return model_of(self.standard).model_validate(
            {
                "schema": self.standard.schema,
                "document": self.standard.name,
                "standard": self.standard.source,
                "council": self.council,
                "subject": self.subject,
                "gathered": self.gathered,
                "program": self.program,
                "decision": self.decision,
            }
            | {
                one.section.name: {field.ask.name: field.answer for field in one.fields}
                for one in self.sections
            }
        )


def build(standard: Standard, facts: FactBase, decision: Decision | None = None) -> Document:
    """Fills the fields of a standard.

    Args:
        standard: What the document has to say.
        facts: What is known.
        decision: That exact figures are shown, and by whom it was decided; None to show none.
    """
    reading = Reading(facts, decision)
    council = reading.fact("node.name").value or reading.fact("node.council").value
    title = reading.fact("policy.risk.title").value
    return Document(
        standard=standard,
        council=str(council or "The council"),
        subject=str(title or "Household risk scores"),
        gathered=facts.gathered.isoformat(timespec="seconds"),
        program=reading.program,
        decision=decision,
        sections=tuple(
            FilledSection(
                section,
                tuple(
                    Filled(one, Answer(statements=tuple(say(reading) for say in one.says)))
                    for one in section.asks
                ),
            )
            for section in standard.sections
        ),
    )


@cache
def model_of(standard: Standard) -> type[BaseModel]:
    """The model of a document's JSON: each section an object, each field a required property."""
    sections: dict[str, Any] = {
        section.name: (_section_model(standard, section), Field(title=section.title))
        for section in standard.sections
    }
    fields: dict[str, Any] = {
        "schema_": (Literal[standard.schema], Field(alias="schema")),
        "document": (Literal[standard.name], ...),
        "standard": (Literal[standard.source], ...),
        "council": (str, Field(description="Name of the council")),
        "subject": (str, Field(description="What is described")),
        "gathered": (str, Field(description="When the facts were gathered, ISO 8601")),
        "program": (str, Field(description="The program that made the document")),
        "decision": (
            Decision | None,
            Field(description="Who decided that exact figures are shown; null if none are"),
        ),
    }
    made: type[BaseModel] = create_model(
        _class_name(standard.name), __config__=_CONFIG, __doc__=standard.about, **fields, **sections
    )
    return made


def schema_of(standard: Standard) -> dict[str, Any]:
    """The JSON schema of a document (draft 2020-12)."""
    made = model_of(standard).model_json_schema(by_alias=True, mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": standard.schema,
        "title": standard.title,
        "description": f"{standard.about} Fields by: {standard.source}.",
    }
    return head | {key: value for key, value in made.items() if key not in head}


_CONFIG = ConfigDict(frozen=True, extra="forbid")


def _section_model(standard: Standard, section: Section) -> type[BaseModel]:
    fields: dict[str, Any] = {
        one.name: (Answer, Field(title=one.title, description=f"Field {one.number}"))
        for one in section.asks
    }
    name = _class_name(f"{standard.name}_{section.name}")
    made: type[BaseModel] = create_model(name, __config__=_CONFIG, __doc__=section.title, **fields)
    return made


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.replace("-", "_").split("_"))
