"""Protected characteristics that are held for the equality audit, and for nothing else.

An audited field is read and stored because the policy names it under `[[equality]]`. It is
never an input of a factor, never an attribute of a round, and never part of an explanation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.policies.attribute_entries import UNKNOWN, AttributeEntry
from folkmoot_node.policies.risk_policy import EqualityEntry
from folkmoot_node.scoring.attributes import BoundAttribute, bind_attribute
from folkmoot_node.store.run_summary import StoredAudit
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import Combine, Field, FieldType, RecordLevel

MAX_GROUPS = 100
"""Groups of one characteristic; more would be small ones."""
_RULES = {
    Combine.SUM: "the sum over its records",
    Combine.MAXIMUM: "the highest value, or the last code of the list, that any of its records has",
    Combine.MINIMUM: "the lowest value, or the first code of the list, that any of its records has",
    Combine.ANY: "yes if it is so of any of its records",
    Combine.ALL: "yes if it is so of all of its records",
    Combine.COUNT: "the number of its records with a known value",
    Combine.COUNT_DISTINCT: "the number of different known values among its records",
    Combine.FIRST: "the first known value among its records",
    Combine.LATEST: "the known value of its latest record",
}


@dataclass(frozen=True, slots=True)
class BoundAudit:
    """An audited field with its groups.

    Attributes:
        field: The field.
        source: Name of the source in `node.toml`.
        level: What one record of the source is about.
        groups: Groups in order, without the one of unknown values.
        group_of: uint8: for each code of the field, or group of its numbers, the group.
        breaks: Lower ends of all groups of a number but the first.
    """

    field: Field
    source: str
    level: RecordLevel
    groups: tuple[str, ...]
    group_of: npt.NDArray[np.uint8]
    breaks: tuple[float, ...] = ()

    @property
    def stored(self) -> StoredAudit:
        """How it is stored."""
        assert self.field.protected is not None
        return StoredAudit(
            column=f"audit_{self.field.name}",
            groups=self.groups,
            characteristic=self.field.protected.value,
            description=self.field.description,
            source=self.source,
            rule=household_rule(self.field, self.level),
        )


def household_rule(field: Field, level: RecordLevel) -> str:
    """In words: how a household gets its group when it has several records."""
    what = {RecordLevel.PERSON: "one record a person", RecordLevel.AREA: "one record an area"}
    return f"{_RULES[field.combine]} ({what.get(level, 'one record a household or property')})"


def bind_audit(
    entry: EqualityEntry, field: Field, source: str, level: RecordLevel, where: str
) -> BoundAudit:
    """Gives an audited field its groups.

    Raises:
        Problem: Exit code SETTINGS, if the field states no protected characteristic, or the
            groups do not fit it.
    """
    if field.protected is None:
        raise Problem(
            f"the field {field.name!r} is not marked with a protected characteristic",
            where=f"{where}.field",
            remedy="Name a field that is, or mark it in the source's mapping with `protected`",
            exit_code=ExitCode.SETTINGS,
        )
    attribute = bind_attribute(
        field.name, AttributeEntry(field=field.name, breaks=entry.breaks), field, where
    )
    if attribute.codes is None:
        raise Problem(
            f"the field {field.name!r} is an area",
            where=f"{where}.field",
            remedy="Name a category, boolean or number",
            exit_code=ExitCode.SETTINGS,
        )
    codes = _known_codes(attribute)
    groups, group_of = _grouped(codes, entry.groups, where)
    return BoundAudit(field, source, level, groups, group_of, entry.breaks)


def _known_codes(attribute: BoundAttribute) -> tuple[str, ...]:
    assert attribute.field is not None
    assert attribute.codes is not None
    if attribute.field.household_type is FieldType.CATEGORY:
        return attribute.field.codes
    return tuple(code for code in attribute.codes if code != UNKNOWN)


def _grouped(
    codes: Sequence[str], groups: Mapping[str, tuple[str, ...]], where: str
) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
    """Names of the groups, and for each code the index of its group."""
    named: dict[str, str] = {}
    for group, members in groups.items():
        for code in members:
            if code not in codes or code in named:
                raise Problem(
                    f"the code {code!r} is in two groups"
                    if code in named
                    else f"the field has no code {code!r}",
                    where=f"{where}.groups.{group}",
                    remedy=nearest(code, codes),
                    exit_code=ExitCode.SETTINGS,
                )
            named[code] = group
    of_code = [named.get(code, code) for code in codes]
    order = tuple(dict.fromkeys(of_code))
    if len(order) > MAX_GROUPS:
        raise Problem(
            f"makes {len(order)} groups; {MAX_GROUPS} is the most",
            where=where,
            remedy="Take codes together with groups, or give fewer breaks",
            exit_code=ExitCode.SETTINGS,
        )
    return order, np.array([order.index(group) for group in of_code], dtype=np.uint8)


def audit_column(households: pl.DataFrame, audit: BoundAudit) -> npt.NDArray[np.uint8]:
    """Index of each household's group: uint8, shape (households,); `len(groups)` where unknown."""
    value = pl.col(audit.field.name)
    if audit.breaks:
        reached = [(value >= lower).cast(pl.UInt8) for lower in audit.breaks]
        value = pl.sum_horizontal(reached, ignore_nulls=False)
    index = value.cast(pl.UInt32).fill_null(len(audit.group_of))
    found = households.select(index).to_series().to_numpy()
    groups: npt.NDArray[np.uint8] = np.append(audit.group_of, np.uint8(len(audit.groups)))[found]
    return groups
