"""The form that builds a cohort: what it sends, and what stands in it to begin with.

Conditions are numbered. Each has `subject_N` and, by the type of its subject, `compare_N` and
`value_N`, `value_N_day` and so on, or `codes_N`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import FormData

from folkmoot_node.casework.cohorts.definition import (
    LEFT_OUT,
    MAX_CONDITIONS,
    Condition,
    Conditions,
    Definition,
    Kind,
    Mark,
    Value,
)
from folkmoot_node.casework.cohorts.subjects import Subject, Type, subject_of
from folkmoot_operator.problems import Problem
from folkmoot_web.forms import Form, FormModel

KNOWN, UNKNOWN = "known", "unknown"
COMPARISONS = {
    "above": "more than",
    "at_least": "this or more",
    "under": "less than",
    "at_most": "this or less",
    "is": "exactly",
}
DATES = {
    "above": "after",
    "at_least": "on or after",
    "under": "before",
    "at_most": "on or before",
    "is": "on",
}
_WHETHER = {KNOWN: "is known", UNKNOWN: "is not known"}
FEW = 30
"""Codes that are shown as boxes; of more, those that are wanted are typed."""
_HEAD = ("title", "purpose", "owner", "lawful_basis")
_ASKS = {
    "title": "a title",
    "purpose": "what the cohort is for",
    "owner": "who answers for the cohort",
    "lawful_basis": "the lawful basis",
}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
Typed = dict[str, str | list[str]]


class BuilderForm(FormModel):
    """The form; its fields depend on what was added."""


class Builder:
    """A form as somebody sent it, or before that.

    Attributes:
        form: What was typed, and what is wrong.
        subjects: What conditions can be about, by key.
        keys: Key of each condition's subject, in order.
    """

    def __init__(self, typed: Typed, subjects: Sequence[Subject]) -> None:
        """Takes what was typed.

        Args:
            typed: Texts by field.
            subjects: What somebody may ask about.
        """
        self.form = Form[BuilderForm](typed)
        self.subjects = {one.key: one for one in subjects}
        self.keys = list(_keys(typed))

    def conditions(self) -> Conditions | None:
        """The conditions and rules; None if anything is wrong, which then stands in the form."""
        if not self.keys:
            self.form.add_error("add", "Choose what the first condition is about, and add it")
        found = [self._condition(number, key) for number, key in enumerate(self.keys, 1)]
        days = self._days()
        if self.form.errors or days is None:
            return None
        given = [one for one in found if one is not None]
        return Conditions(
            conditions=tuple(given), leave_out=self._marks(), supported_within_days=days
        )

    def purpose(self) -> str:
        """What the cohort is for; an error in the form if nothing was typed."""
        return self._line("purpose", 100)

    def definition(self, conditions: Conditions) -> Definition | None:
        """The whole cohort; None if anything is wrong, which then stands in the form."""
        lengths = {"title": 120, "purpose": 100, "owner": 100, "lawful_basis": 300}
        values: dict[str, Any] = {name: self._line(name, lengths[name]) for name in _HEAD}
        values["ends"] = self._date("ends", "the last day")
        if self.form.errors:
            return None
        return Definition.model_validate(
            {
                **values,
                "conditions": conditions.conditions,
                "leave_out": conditions.leave_out,
                "supported_within_days": conditions.supported_within_days,
            }
        )

    def with_subject(self, key: str) -> Builder:
        """The same with one condition more."""
        typed = dict(self._typed())
        if key not in self.subjects:
            fresh = Builder(typed, list(self.subjects.values()))
            fresh.form.add_error("add", "Choose what the condition is about")
            return fresh
        if len(self.keys) >= MAX_CONDITIONS:
            fresh = Builder(typed, list(self.subjects.values()))
            fresh.form.add_error("add", f"A cohort has at most {MAX_CONDITIONS} conditions")
            return fresh
        typed[f"subject_{len(self.keys) + 1}"] = key
        typed["add"] = ""
        return Builder(typed, list(self.subjects.values()))

    def without(self, number: int) -> Builder:
        """The same without one condition; those after it move up."""
        typed: Typed = {}
        for name, value in self._typed().items():
            found = re.fullmatch(r"(subject|compare|value|codes)_([0-9]+)(_[a-z]+)?", name)
            if found is None:
                typed[name] = value
                continue
            at = int(found[2])
            if at != number:
                at -= at > number
                typed[f"{found[1]}_{at}{found[3] or ''}"] = value
        return Builder(typed, list(self.subjects.values()))

    def rows(self) -> list[dict[str, Any]]:
        """The conditions as the template shows them."""
        return [self._row(number, key) for number, key in enumerate(self.keys, 1)]

    def choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What a further condition can be about, in groups, each with its key and text."""
        titles = {
            Kind.FIELD: "What sources say",
            Kind.ATTRIBUTE: "Attributes of the policy",
            Kind.FACTOR: "Points of a factor",
            Kind.RESULT: "Result",
        }
        groups = []
        for kind, title in titles.items():
            of_kind = [one for one in self.subjects.values() if one.kind is kind]
            if of_kind:
                groups.append((title, [(one.key, _choice(one)) for one in of_kind]))
        return groups

    def _typed(self) -> Typed:
        return self.form._typed

    def _row(self, number: int, key: str) -> dict[str, Any]:
        subject = self.subjects.get(key)
        row: dict[str, Any] = {"number": number, "key": key, "subject": subject}
        if subject is None:
            return row
        words = DATES if subject.type is Type.DATE else COMPARISONS
        return row | {
            "type": str(subject.type),
            "few": len(subject.codes) <= FEW,
            "compare": list((words | _WHETHER).items()),
            "sources": ", ".join(subject.sources),
        }

    def _condition(self, number: int, key: str) -> Condition | None:
        kind, _, name = key.partition(".")
        field = f"value_{number}"
        subject = self.subjects.get(key)
        if subject is None:
            self.form.add_error(
                f"subject_{number}",
                f"Remove condition {number}: the last scoring run has no {kind} {name!r} that you "
                "may use",
            )
            return None
        compare = self.form.typed(f"compare_{number}")
        asked = self._asked(number, subject, compare)
        if asked is None:
            return None
        try:
            condition = Condition.model_validate({kind: name, **asked})
            subject_of(condition, {(subject.kind, subject.name): subject})
        except ValidationError as error:
            text = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            self.form.add_error(field, f"{_capital(subject.title)}: {text}")
        except Problem as problem:
            place = f"codes_{number}" if self._few(subject) else field
            self.form.add_error(place, f"{_capital(subject.title)} {problem.problem}")
        else:
            return condition
        return None

    def _asked(self, number: int, subject: Subject, compare: str) -> dict[str, Any] | None:
        """The comparison's key and value; None if something is wrong with what was typed."""
        field = f"value_{number}"
        if compare in _WHETHER:
            return {"is_known": compare == KNOWN}
        if subject.type is Type.BOOLEAN:
            return self._yes_or_no(field, subject)
        if subject.type is Type.CODE:
            return self._codes(number, subject)
        if compare not in COMPARISONS:
            self.form.add_error(f"compare_{number}", f"Select how to compare {subject.title}")
            return None
        value = (
            self._date(field, subject.title)
            if subject.type is Type.DATE
            else self._number(field, subject.title)
        )
        return None if value is None else {compare: value}

    def _yes_or_no(self, field: str, subject: Subject) -> dict[str, Any] | None:
        value = self.form.typed(field)
        if value in _WHETHER:
            return {"is_known": value == KNOWN}
        if value not in ("yes", "no"):
            self.form.add_error(field, f"Select yes, no or not known for {subject.title}")
            return None
        return {"is": value == "yes"}

    def _codes(self, number: int, subject: Subject) -> dict[str, Any] | None:
        few = self._few(subject)
        field = f"codes_{number}" if few else f"value_{number}"
        chosen = (
            self.form.chosen(field) if few else re.split(r"[\s,;]+", self.form.typed(field).strip())
        )
        codes = [one for one in chosen if one]
        whether = [one for one in codes if one in _WHETHER and one not in subject.codes]
        if whether and len(codes) == 1:
            return {"is_known": whether == [KNOWN]}
        if whether:
            self.form.add_error(
                field, f"Select codes of {subject.title}, or whether it is known, not both"
            )
            return None
        if not codes:
            self.form.add_error(field, f"Select at least one code of {subject.title}")
            return None
        return {"in": codes}

    def _few(self, subject: Subject) -> bool:
        return subject.type is Type.CODE and len(subject.codes) <= FEW

    def _number(self, field: str, title: str) -> int | float | None:
        text = re.sub(r"[\s,£]", "", self.form.typed(field))
        if not _NUMBER.fullmatch(text):
            self.form.add_error(field, f"Enter a number for {title}, such as 1000")
            return None
        return float(text) if "." in text else int(text)

    def _date(self, field: str, title: str) -> datetime.date | None:
        parts = [self.form.typed(f"{field}_{part}").strip() for part in ("year", "month", "day")]
        year, month, day = map(whole, parts)
        try:
            if year is not None and month is not None and day is not None:
                return datetime.date(year, month, day)
        except ValueError:
            pass  # the 31st of February
        text = "Enter a real date for" if any(parts) else "Enter"
        self.form.add_error(f"{field}_day", f"{text} {title}")
        return None

    def _days(self) -> int | None:
        days = whole(self.form.typed("supported_within_days") or "365")
        if days is None or not 1 <= days <= 3660:
            self.form.add_error(
                "supported_within_days", "Number of days must be a whole number from 1 to 3660"
            )
            return None
        return days

    def _marks(self) -> tuple[Mark, ...]:
        chosen = self.form.chosen("leave_out")
        return tuple(one for one in Mark if one in chosen)

    def _line(self, field: str, longest: int) -> str:
        text = self.form.typed(field).strip()
        if not text:
            self.form.add_error(field, f"Enter {_ASKS[field]}")
        elif len(text) > longest or not text.isprintable():
            self.form.add_error(field, f"{_capital(_ASKS[field])}: at most {longest} characters")
        return text


def whole(text: str) -> int | None:
    """A whole number that was typed; None if it is none."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def sent(form: FormData) -> Typed:
    """Texts by field of a form that was sent."""
    typed: Typed = {}
    for name in dict.fromkeys(form.keys()):
        texts = [text for text in form.getlist(name) if isinstance(text, str)]
        many = name == "leave_out" or name.startswith("codes_")
        typed[name] = texts if many else (texts[0] if texts else "")
    return typed


def beginning(owner: str) -> Typed:
    """The form before anybody filled it in."""
    return {
        "owner": owner,
        "leave_out": [str(one) for one in LEFT_OUT],
        "supported_within_days": "365",
    }


def as_it_was(definition: Definition, subjects: Mapping[str, Subject]) -> Typed:
    """The form with a cohort in it; a range becomes two conditions.

    Args:
        definition: The cohort.
        subjects: By key.
    """
    typed: Typed = {name: str(getattr(definition, name)) for name in _HEAD}
    typed |= _typed_date("ends", definition.ends)
    typed["leave_out"] = [str(one) for one in definition.leave_out]
    typed["supported_within_days"] = str(definition.supported_within_days)
    number = 0
    for condition in definition.conditions:
        key = f"{condition.kind}.{condition.name}"
        for shown in _shown(condition, subjects.get(key)):
            number += 1
            typed[f"subject_{number}"] = key
            typed |= {name.format(number): value for name, value in shown.items()}
    return typed


def _shown(condition: Condition, subject: Subject | None) -> Iterator[Typed]:
    if condition.is_known is not None:
        known = KNOWN if condition.is_known else UNKNOWN
        yield {"compare_{}": known, "value_{}": known, "codes_{}": [known]}
        return
    is_date = subject is not None and subject.type is Type.DATE
    if condition.in_ is not None or (isinstance(condition.is_, str) and not is_date):
        codes = list(condition.in_ or (str(condition.is_),))
        yield {"codes_{}": codes, "value_{}": " ".join(codes)}
        return
    if isinstance(condition.is_, bool):
        yield {"value_{}": "yes" if condition.is_ else "no"}
        return
    pairs: list[tuple[str, Value | None]] = [*condition.bounds] or [("is", condition.is_)]
    for key, value in pairs:
        if is_date:
            day = datetime.date.fromisoformat(str(value))
            yield {"compare_{}": key, **_typed_date("value_{}", day)}
        else:
            yield {"compare_{}": key, "value_{}": str(value)}


def _typed_date(field: str, day: datetime.date) -> Typed:
    return {
        f"{field}_day": str(day.day),
        f"{field}_month": str(day.month),
        f"{field}_year": str(day.year),
    }


def _keys(typed: Typed) -> Iterator[str]:
    for number in range(1, MAX_CONDITIONS + 1):
        key = typed.get(f"subject_{number}")
        if not isinstance(key, str) or not key:
            return
        yield key


def _choice(subject: Subject) -> str:
    unit = f", {subject.unit}" if subject.unit else ""
    source = f" (from {', '.join(subject.sources)})" if subject.sources else ""
    return f"{_capital(subject.title)}{unit}{source}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
