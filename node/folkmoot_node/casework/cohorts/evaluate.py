"""Who meets conditions: yes, no, or not known, by Kleene's logic as combined attributes have it."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from folkmoot_node.casework.cohorts.definition import Condition, Conditions, Mark
from folkmoot_node.casework.cohorts.scores import Scores, died
from folkmoot_node.casework.cohorts.subjects import Subject, Type
from folkmoot_node.casework.cohorts.words import condition_text
from folkmoot_node.store.schema import BAND_COLUMN, SCORE_COLUMN, WITHHELD_COLUMN
from folkmoot_sdk.schema import UPRN_COLUMN

MEETS = "meets"
"""Column: whether a household meets all conditions; null if that is not known."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A cohort before anybody is listed.

    Attributes:
        households: Households scored.
        members: Those that meet all conditions, and are not left out.
        undecided: Those that fail none of the conditions, of which something is not known.
        not_known: For each condition, in words, of how many of the undecided it is not known.
        left_out: Those that meet all conditions and are left out, by mark; one may have several.
        left_out_in_all: How many these are.
        marked: Members by mark.
        bands: Members by band, the highest first.
        scored_at: When the scoring run finished, seconds since 1970-01-01T00:00:00Z.
    """

    households: int
    members: int
    undecided: int
    not_known: Mapping[str, int]
    left_out: Mapping[str, int]
    left_out_in_all: int
    marked: Mapping[str, int]
    bands: Mapping[str, int]
    scored_at: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Found:
    """A cohort with its households.

    Attributes:
        counted: How many.
        candidates: Those that meet all conditions, or might: `uprn`, score, band, `meets`, the
            values of the conditions, a column for each mark, and `left_out`.
        frame: UPRNs of all households of the run, Int64.
        leave_out: Columns of the marks with which a household is left out.
    """

    counted: Counted
    candidates: pl.DataFrame
    frame: pl.Series
    leave_out: tuple[str, ...]

    @property
    def members(self) -> pl.DataFrame:
        """The members: rows of `candidates`, with its columns; a value may be null."""
        return self.candidates.filter(pl.col(MEETS) & ~pl.col("left_out"))


def meets(condition: Condition, subject: Subject) -> pl.Expr:
    """Whether households meet a condition: Boolean, null where it is not known."""
    column = pl.col(subject.column)
    if condition.is_known is not None:
        return column.is_not_null() if condition.is_known else column.is_null()
    if condition.in_ is not None:
        return pl.any_horizontal(*(column == code for code in dict.fromkeys(condition.in_)))
    if condition.is_ is not None:
        return column == pl.lit(_plain(condition.is_, subject))
    compare = {"above": column.gt, "at_least": column.ge, "under": column.lt, "at_most": column.le}
    return pl.all_horizontal(
        *(compare[key](pl.lit(_plain(value, subject))) for key, value in condition.bounds)
    )


def find(
    table: pl.DataFrame,
    scores: Scores,
    conditions: Conditions,
    marked: Mapping[Mark, Collection[int]],
) -> Found:
    """Finds who belongs to a cohort.

    Args:
        table: Of `ScoreTable.table` for these conditions.
        scores: The run.
        conditions: The conditions and the rules.
        marked: UPRNs of the marks that casework keeps.
    """
    subjects = scores.of(conditions.conditions)
    pairs = list(zip(conditions.conditions, subjects, strict=True))
    all_ = pl.all_horizontal(*(meets(one, subject) for one, subject in pairs))
    candidates = (
        table.with_columns(all_.alias(MEETS))
        .filter(pl.col(MEETS).ne_missing(pl.lit(False)))
        .with_columns(
            *(_has(mark, scores, marked.get(mark, ())).alias(mark.value) for mark in Mark)
        )
        .with_columns(
            pl.any_horizontal(*(pl.col(one.value) for one in conditions.leave_out)).alias(
                "left_out"
            )
        )
    )
    meeting = candidates.filter(pl.col(MEETS))
    members = meeting.filter(~pl.col("left_out"))
    undecided = candidates.filter(pl.col(MEETS).is_null() & ~pl.col("left_out"))
    return Found(
        Counted(
            households=table.height,
            members=members.height,
            undecided=undecided.height,
            not_known={
                condition_text(one, subject): count
                for one, subject in pairs
                if (count := undecided.select(meets(one, subject).is_null().sum()).item())
            },
            left_out=_by_mark(meeting, conditions.leave_out),
            left_out_in_all=meeting.height - members.height,
            marked=_by_mark(members, [one for one in Mark if one not in conditions.leave_out]),
            bands=_bands(members, scores.run.band_names),
            scored_at=scores.run.finished_at,
        ),
        candidates,
        table[UPRN_COLUMN],
        tuple(one.value for one in conditions.leave_out),
    )


def ranked(members: pl.DataFrame) -> pl.DataFrame:
    """Members by score, the highest first: the same rows and columns, nulls as they were."""
    return members.sort(SCORE_COLUMN, UPRN_COLUMN, descending=[True, False])


def _has(mark: Mark, scores: Scores, uprns: Collection[int]) -> pl.Expr:
    if mark is Mark.DEATH_REPORTED:
        return died(scores)
    listed = pl.col(UPRN_COLUMN).is_in(pl.Series(list(uprns), dtype=pl.Int64).implode())
    return pl.col(WITHHELD_COLUMN) | listed if mark is Mark.OBJECTED else listed


def _by_mark(rows: pl.DataFrame, marks: Sequence[Mark]) -> dict[str, int]:
    found = {one.value: int(rows[one.value].sum()) for one in marks}
    return {name: count for name, count in found.items() if count}


def _bands(members: pl.DataFrame, names: Sequence[str]) -> dict[str, int]:
    found = dict(members.group_by(BAND_COLUMN).len().iter_rows())
    return {name: found[name] for name in reversed(names) if name in found}


def _plain(value: Any, subject: Subject) -> Any:
    if subject.type is Type.DATE and isinstance(value, str):  # JSON has no dates
        return datetime.date.fromisoformat(value)
    return value
