"""Fixtures for a vendor's tests; pytest finds them where the SDK is installed.

The rest of the SDK does not import pytest, and this module imports the rest late: a test that
uses no fixture pays nothing.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from folkmoot_sdk.factor import Input, RiskFactor, ScoringContext
    from folkmoot_sdk.people import MadeUpPerson
    from folkmoot_sdk.samples import Arrays
    from folkmoot_sdk.source import DataSource, Records, Rejection

REFERENCE_DATE = datetime.date(2026, 4, 1)
"""The date of the run in every fixture: tests give the same result on every day."""
_BATCH_ROWS = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source handed on when it was read to its end.

    Attributes:
        batches: The batches, in order.
        rejections: What could not be read.
        left_out: Reason and number of records, in the order in which they were reported.
        notes: What the source decided about its files.
    """

    batches: list[Records] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    left_out: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@pytest.fixture
def scoring_context() -> ScoringContext:
    """What `score` and `explain` may know beside their inputs, on 1 April 2026."""
    from folkmoot_sdk.factor import ScoringContext

    return ScoringContext(REFERENCE_DATE)


@pytest.fixture
def households() -> Callable[..., Arrays]:
    """Call it with a factor, or its inputs: made-up households as `score` receives them.

    `count` is how many (1,000), `unknown` the share of values that are unknown (a quarter),
    `seed` gives others.
    """

    def draw(
        factor: type[RiskFactor] | Sequence[Input], count: int = 1000, **options: Any
    ) -> Arrays:
        from folkmoot_sdk import samples

        return samples.households(_inputs(factor), REFERENCE_DATE, count, **options)

    return draw


@pytest.fixture
def people() -> Callable[..., tuple[MadeUpPerson, ...]]:
    """Call it with a number: people who do not exist, to write a source's test files with."""

    def draw(count: int = 100, **options: Any) -> tuple[MadeUpPerson, ...]:
        from folkmoot_sdk import people

        return people.people(count, REFERENCE_DATE, **options)

    return draw


@pytest.fixture
def missing_values() -> Callable[..., Iterator[tuple[str, Arrays]]]:
    """Call it with a factor: what is missing, in words, and households of which it is missing.

    First everything, then each input alone, then everything but one input.
    """

    def cases(
        factor: type[RiskFactor] | Sequence[Input], count: int = 50
    ) -> Iterator[tuple[str, Arrays]]:
        from folkmoot_sdk import samples

        inputs = _inputs(factor)
        known = samples.households(inputs, REFERENCE_DATE, count, unknown=0.0)
        nothing = {entry.name: samples.unknowns(entry, count) for entry in inputs}
        yield "everything is missing", samples.frozen(dict(nothing))
        for name in nothing:
            yield f"{name} is missing", samples.frozen({**known, name: nothing[name]})
        for name in nothing if len(nothing) > 1 else ():
            only = samples.frozen({**nothing, name: known[name]})
            yield f"everything but {name} is missing", only

    return cases


@pytest.fixture
def batches() -> Callable[..., Iterator[Arrays]]:
    """Call it with households: the same in an empty batch, a batch of one, and larger batches.

    The scores of the batches, put together, are those of all the households at once.
    """

    def cut(arrays: Arrays, rows: int = _BATCH_ROWS) -> Iterator[Arrays]:
        count = len(next(iter(arrays.values())))
        edges = [0, 0, min(1, count), *range(1 + rows, count, rows), count]
        for start, end in itertools.pairwise(edges):
            yield {name: array[start:end] for name, array in arrays.items()}

    return cut


@pytest.fixture
def check_factor() -> Callable[..., None]:
    """`folkmoot_sdk.conformance.check_factor`: call it with a factor and its parameters."""
    from folkmoot_sdk import conformance

    return conformance.check_factor


@pytest.fixture
def check_source() -> Callable[..., None]:
    """`folkmoot_sdk.conformance.check_source`: call it with a source and its options."""
    from folkmoot_sdk import conformance

    return conformance.check_source


@pytest.fixture
def read_source() -> Callable[..., Reading]:
    """Call it with a source and its options: it is read to the end, as a node would.

    `fields` and `identifiers` are what is asked for; all fields and no identifier by default.
    """

    def read(
        cls: type[DataSource],
        options: Mapping[str, Any],
        fields: Sequence[str] | None = None,
        identifiers: Sequence[Any] = (),
    ) -> Reading:
        from folkmoot_sdk.parameters import build
        from folkmoot_sdk.source import ReadContext

        given = {key: str(v) if key == "base" else v for key, v in options.items()}
        source = cls(build(cls.Options, given, "options"))
        found = Reading()
        wanted = [entry.name for entry in source.schema.fields] if fields is None else fields
        context = ReadContext(
            tuple(wanted),
            REFERENCE_DATE,
            found.rejections.extend,
            lambda reason, records: found.left_out.append((reason, records)),
            tuple(identifiers),
            found.notes.append,
        )
        found.batches.extend(source.read(context))
        return found

    return read


def _inputs(factor: type[RiskFactor] | Sequence[Input]) -> Sequence[Input]:
    return factor.inputs if isinstance(factor, type) else factor
