"""What conditions can be about: what the last scoring run has, in words, with its sources."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from folkmoot_node.casework.cohorts.definition import Condition, Kind
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.schema import (
    BAND_COLUMN,
    COMPLETENESS_COLUMN,
    SCORE_COLUMN,
    attribute_column,
    field_column,
    points_column,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import FieldType

_ACRONYMS = {"lsoa", "msoa", "oa", "imd", "gbp"}
_UNITS = {"GBP": "pounds"}


class Type(StrEnum):
    """How a subject is compared."""

    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CODE = "code"


_TYPES = {
    FieldType.BOOLEAN: Type.BOOLEAN,
    FieldType.INTEGER: Type.NUMBER,
    FieldType.NUMBER: Type.NUMBER,
    FieldType.CATEGORY: Type.CODE,
    FieldType.DATE: Type.DATE,
    FieldType.AREA: Type.CODE,
}


@dataclass(frozen=True, slots=True)
class FactorWords:
    """What a plugin says of its factor.

    Attributes:
        title: A few words for people.
        inputs: Fields that it reads.
    """

    title: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a condition can be about.

    Attributes:
        kind: Field, attribute, factor or result.
        name: Identifier.
        title: For people, in the middle of a sentence.
        unit: Of a number; empty if it has none.
        type: How it is compared.
        codes: Of a code, in order; empty for other types.
        sources: Sources in `node.toml` that it comes from.
        column: What `HouseholdStore.columns` calls it.
        description: More about it; may be empty.
    """

    kind: Kind
    name: str
    title: str
    unit: str
    type: Type
    codes: tuple[str, ...]
    sources: tuple[str, ...]
    column: str
    description: str = ""

    @property
    def key(self) -> str:
        """`field.council_tax_arrears`: how forms name it."""
        return f"{self.kind}.{self.name}"


def subjects_of(
    run: RunSummary, policy: RiskPolicy, words: Mapping[str, FactorWords]
) -> dict[tuple[Kind, str], Subject]:
    """All that conditions can be about, in the order in which forms offer it.

    What it comes from decides who may ask: where that is not known, it may be every source. So it
    may for score, band and completeness, which give away what one factor adds: the score by
    subtraction, the band wherever the other factors do not reach it.

    Args:
        run: The scoring run.
        policy: By which it scored.
        words: What plugins say of factors; one that is missing goes by its name.
    """
    every = tuple(one.name for one in run.sources)
    sources = {
        field: tuple(one.name for one in run.sources if field in one.fields)
        for field in {field for one in run.sources for field in one.fields}
    }

    def sources_of(fields: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for field in fields for one in sources.get(field, ())))

    found = [
        Subject(
            Kind.FIELD,
            name,
            phrase(name),
            _UNITS.get(field.unit, field.unit),
            _TYPES[field.type],
            field.codes,
            sources_of((name,)) or ((field.source,) if field.source else ()),
            field_column(name),
            field.description,
        )
        for name, field in run.fields.items()
    ]
    found += _attributes(run, policy, sources_of, every, words)
    for factor in run.factors:
        said = words.get(factor.name)
        title = phrase(factor.name) if said is None else said.title
        found.append(
            Subject(
                Kind.FACTOR,
                factor.name,
                f"points for {title[:1].lower()}{title[1:]}",
                f"of {factor.weight:g} points",
                Type.NUMBER,
                (),
                every if said is None else sources_of(said.inputs),
                points_column(factor.name),
            )
        )
    of_factors = (one.sources for one in found if one.kind is Kind.FACTOR)
    scored_from = tuple(dict.fromkeys(source for sources in of_factors for source in sources))
    found += [
        Subject(
            Kind.RESULT, SCORE_COLUMN, "score", f"of {policy.total_weight:g} points", Type.NUMBER,
            (), scored_from, SCORE_COLUMN,
        ),
        Subject(
            Kind.RESULT, BAND_COLUMN, "band", "", Type.CODE, run.band_names, scored_from,
            BAND_COLUMN,
        ),
        Subject(
            Kind.RESULT, COMPLETENESS_COLUMN, "share of the score that is known", "from 0 to 1",
            Type.NUMBER, (), scored_from, COMPLETENESS_COLUMN,
        ),
    ]  # fmt: skip
    return {(one.kind, one.name): one for one in found}


def _attributes(
    run: RunSummary,
    policy: RiskPolicy,
    sources_of: Callable[[Iterable[str]], tuple[str, ...]],
    every: tuple[str, ...],
    words: Mapping[str, FactorWords],
) -> Iterable[Subject]:
    for name, stored in run.stored.items():
        if name == BAND_COLUMN:
            continue
        entry = policy.document.attributes.get(name)
        fields: Iterable[str] | None = [field for field, _ in entry.fields] if entry else None
        if entry is not None and entry.factor is not None:
            said = words.get(entry.factor)
            fields = None if said is None else said.inputs
        codes = stored.stored_codes[:-1]  # the last stands for unknown
        yield Subject(
            Kind.ATTRIBUTE, name, phrase(name), "", Type.CODE, codes,
            every if fields is None else sources_of(fields), attribute_column(name),
        )  # fmt: skip


def subject_of(condition: Condition, subjects: Mapping[tuple[Kind, str], Subject]) -> Subject:
    """What a condition is about; checked that it can be compared so.

    Raises:
        Problem: Exit code DATA, if the run does not have it; SETTINGS, if it cannot be compared
            so. Both name the condition.
    """
    found = subjects.get((condition.kind, condition.name))
    if found is None:
        near = nearest(condition.name, [name for kind, name in subjects if kind is condition.kind])
        raise Problem(
            f"the last scoring run has no {condition.kind} {condition.name!r}",
            where=f"condition on {condition.name}",
            remedy=f"{near}. If the risk stratification policy has changed, change or remove "
            "the condition",
            exit_code=ExitCode.DATA,
        )
    fault = _fault(condition, found)
    if fault:
        raise Problem(
            fault,
            where=f"condition on {condition.name}",
            remedy="Correct the condition",
            exit_code=ExitCode.SETTINGS,
        )
    return found


def _fault(condition: Condition, subject: Subject) -> str:
    if condition.is_known is not None:
        return ""
    bounds = dict(condition.bounds)
    if subject.type in (Type.BOOLEAN, Type.CODE):
        if bounds:
            return "is neither a number nor a date: use `is`" + (
                " or `in`" if subject.type is Type.CODE else ""
            )
        if subject.type is Type.BOOLEAN:
            return "" if isinstance(condition.is_, bool) else "must be `is = true` or `is = false`"
        return _fault_of_codes(condition, subject)
    if condition.in_ is not None:
        return "has no codes: compare it by above, at_least, under, at_most or is"
    values = [*bounds.values(), *([condition.is_] if condition.is_ is not None else [])]
    fits = _is_date if subject.type is Type.DATE else _is_number
    if not all(fits(one) for one in values):
        return "must be compared with " + ("a date" if subject.type is Type.DATE else "a number")
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_date(value: object) -> bool:
    if isinstance(value, str):
        try:
            datetime.date.fromisoformat(value)
        except ValueError:
            return False
        return True
    return isinstance(value, datetime.date)


def _fault_of_codes(condition: Condition, subject: Subject) -> str:
    wanted = condition.in_ if condition.in_ is not None else (condition.is_,)
    for code in wanted:
        if not isinstance(code, str):
            return "must be compared with a code in quotation marks"
        if code not in subject.codes:
            return f"has no code {code!r}. {nearest(code, subject.codes)}"
    return ""


def factor_words(factors: Mapping[str, type[RiskFactor]]) -> dict[str, FactorWords]:
    """What plugins say of their factors, by name."""
    return {
        name: FactorWords(one.title, tuple(given.name for given in one.inputs))
        for name, one in factors.items()
    }


def phrase(identifier: str) -> str:
    """An identifier for people: `council_tax_arrears` as `council tax arrears`."""
    words = identifier.split("_")
    return " ".join(word.upper() if word in _ACRONYMS else word for word in words)
