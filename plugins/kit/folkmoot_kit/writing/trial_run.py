"""A plugin tried on a sample without a node: values, explanations and timings."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from folkmoot_kit.hosting import make_factor, make_source
from folkmoot_kit.writing import sample
from folkmoot_kit.writing.picture import Spread, spread
from folkmoot_sdk import FieldType, RiskFactor, ScoringContext, samples
from folkmoot_sdk.source import DataSource, ReadContext, Rejection

if TYPE_CHECKING:
    import pyarrow as pa

    from folkmoot_sdk import Schema

T = TypeVar("T")
BATCH_ROWS = 65_536
"""Households in a batch of a node."""
_TIMES = 3
_ORDERED = (FieldType.INTEGER, FieldType.NUMBER, FieldType.DATE)


@dataclass(frozen=True, slots=True)
class Scored:
    """One household that was scored.

    Attributes:
        values: By input, as `explain` receives them; None is unknown.
        score: From 0 to 1; None if unknown.
        explanation: What the factor says of it.
    """

    values: Mapping[str, Any]
    score: float | None
    explanation: str


@dataclass(frozen=True, slots=True)
class FactorRun:
    """A factor that was tried.

    Attributes:
        name: Of the factor.
        title: In a few words.
        households: How many were scored.
        spread: How their scores are spread.
        shown: The first of them.
        milliseconds: By step, in order: the shortest of some tries.
    """

    name: str
    title: str
    households: int
    spread: Spread
    shown: tuple[Scored, ...]
    milliseconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the records of a source.

    Attributes:
        name: Of the field.
        type: As it is declared, with the unit; and whether it is an outcome.
        known: Records with a value.
        unread: Records whose value could not be read.
        smallest: The smallest value; None for a category, or if none is known.
        largest: The largest value; the same.
        codes: Records by code, of a category or a truth value, the most frequent first.
    """

    name: str
    type: str
    known: int
    unread: int
    smallest: Any = None
    largest: Any = None
    codes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceRun:
    """A source that was read.

    Attributes:
        kind: Of the source.
        level: What one record is about.
        records: How many it has handed on.
        batches: In how many batches.
        columns: The fields.
        rejections: What could not be read.
        left_out: Records by reason.
        notes: What the source decided about its files.
        shown: The first records, by column; None is missing or could not be read.
        milliseconds: By step, in order.
    """

    kind: str
    level: str
    records: int
    batches: int
    columns: tuple[Column, ...]
    rejections: tuple[Rejection, ...]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]
    shown: tuple[Mapping[str, Any], ...]
    milliseconds: Mapping[str, float]


def try_factor(
    factor: type[RiskFactor],
    parameters: Mapping[str, Any],
    where: str,
    households: samples.Arrays | None,
    *,
    count: int,
    rows: int,
) -> FactorRun:
    """Scores households.

    Args:
        factor: Class of the factor, confined or not.
        parameters: As in a policy's TOML.
        where: Where they stand, for errors.
        households: By input, arrays of shape (households,); None draws some.
        count: How many are drawn.
        rows: How many of them are explained, and shown.

    Raises:
        PluginError: If the factor refuses its parameters.
        PluginFailure: If it fails.
    """
    context = ScoringContext(sample.REFERENCE_DATE)
    took: dict[str, float] = {}
    made = _timed(took, "make", lambda: make_factor(factor, parameters, where))
    drawn = sample.made_up(factor.inputs, count) if households is None else households
    found = len(next(iter(drawn.values())))
    step = f"score {_counted(found, 'household')}"
    scores = _timed(took, step, lambda: made.score(drawn, context), _TIMES)
    if found != BATCH_ROWS:
        batch = sample.made_up(factor.inputs, BATCH_ROWS)
        _timed(took, f"score {BATCH_ROWS:,} made-up", lambda: made.score(batch, context), _TIMES)
    shown = []
    start = time.perf_counter()
    for at in range(min(rows, found)):
        values = samples.household(drawn, factor.inputs, at)
        score = float(scores[at])
        said = made.explain(values, score, context)
        shown.append(Scored(values, None if math.isnan(score) else score, said))
    if shown:
        took["explain one household"] = 1000 * (time.perf_counter() - start) / len(shown)
    return FactorRun(factor.name, factor.title, found, spread(scores), tuple(shown), took)


def try_source(
    source: type[DataSource], options: Mapping[str, Any], where: str, base: Path, *, rows: int
) -> SourceRun:
    """Reads a source to its end, with all of its fields.

    Args:
        source: Class of the source, confined or not.
        options: As in `node.toml`.
        where: Where they stand, for errors.
        base: Folder to which their paths refer.
        rows: How many records are shown.

    Raises:
        PluginError: If the source refuses its options, or cannot read.
        PluginFailure: If it fails.
    """
    import pyarrow as pa

    took: dict[str, float] = {}
    made = _timed(took, "make", lambda: make_source(source, options, where, base))
    schema = _timed(took, "schema", lambda: made.schema)
    rejections: list[Rejection] = []
    left_out: Counter[str] = Counter()
    notes: list[str] = []
    context = ReadContext(
        tuple(entry.name for entry in schema.fields),
        sample.REFERENCE_DATE,
        rejections.extend,
        lambda reason, records: left_out.update({reason: records}),
        (),
        notes.append,
    )
    unread: Counter[str] = Counter()

    def read() -> list[pa.Table]:
        tables = []
        for batch in made.read(context):
            tables.append(pa.table(batch.data))
            unread.update({name: len(places) for name, places in batch.unread.items()})
        return tables

    tables = _timed(took, "read", read)
    table = pa.concat_tables(tables, promote_options="permissive") if tables else None
    return SourceRun(
        source.kind,
        schema.level.value,
        table.num_rows if table is not None else 0,
        len(tables),
        _columns(table, schema, unread) if table is not None else (),
        tuple(rejections),
        dict(left_out),
        tuple(notes),
        tuple(table.slice(0, rows).to_pylist()) if table is not None else (),
        took,
    )


def _columns(table: pa.Table, schema: Schema, unread: Mapping[str, int]) -> tuple[Column, ...]:
    import pyarrow.compute as pc

    found = []
    for entry in schema.fields:
        values = table[entry.name]
        known = table.num_rows - values.null_count
        kind = entry.type.value + (f", {entry.unit}" if entry.unit else "")
        kind += ", an outcome" if entry.outcome else ""
        column = {"name": entry.name, "type": kind, "known": known, "unread": unread[entry.name]}
        if known and entry.type in _ORDERED:
            limits = pc.min_max(values).as_py()
            found.append(Column(**column, smallest=limits["min"], largest=limits["max"]))
            continue
        counted = Counter(str(value).lower() for value in values.to_pylist() if value is not None)
        found.append(Column(**column, codes=dict(counted.most_common())))
    return tuple(found)


def _timed(took: dict[str, float], step: str, run: Callable[[], T], times: int = 1) -> T:
    best = math.inf
    for _ in range(times):
        start = time.perf_counter()
        result = run()
        best = min(best, time.perf_counter() - start)
    took[step] = 1000 * best
    return result


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named_paths(options: Mapping[str, Any], base: Path) -> Sequence[Path]:
    """The files and folders that options name: what a source is given to read."""
    found: dict[Path, None] = {}
    waiting: list[Any] = [dict(options)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value and "\0" not in value and "://" not in value:
            path = base / value
            try:
                if path.exists():
                    found[path.resolve()] = None
            except OSError:
                continue
    return tuple(found)
