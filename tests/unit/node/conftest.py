"""A node home with sources and factors that a test writes in a few lines.

The plugins are made through the SDK alone, exactly as a vendor would make them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.pipeline.local import score
from folkmoot_node.pipeline.own_run import Judged, last_run
from folkmoot_node.plugins.installed import InstalledPlugin
from folkmoot_node.plugins.loaded import LoadedPlugins, Trust
from folkmoot_node.plugins.placement import Placement, Way
from folkmoot_node.policies.acceptance import Acceptance
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.store.encrypted_file import create_key, read_key
from folkmoot_node.store.reader import HouseholdStore, open_store
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    Field,
    FieldType,
    Input,
    ProtectedCharacteristic,
    ReadContext,
    RecordLevel,
    Records,
    RiskFactor,
    Schema,
    ScoringContext,
    parameter,
)
from folkmoot_sdk.loading import Origin, Plugins
from folkmoot_sdk.source import SourceOptions
from tests.unit.node.privacy_half import PrivacyHalf

TODAY = datetime.date(2026, 12, 1)
SUNSET = datetime.date(2099, 12, 31)
"""Last day of the policy: commands of tests go by the machine's clock."""
ORIGIN = Origin("test-plugin", "1.2.3", "test")


@dataclass
class Book:
    """What the in-memory source of one kind holds and gives.

    Attributes:
        schema: Declared.
        batches: Frames handed out as they are, declared or not.
        asked: Fields that the node asked for, at the last read.
    """

    schema: Schema
    batches: list[pl.DataFrame] = field(default_factory=list)
    asked: tuple[str, ...] = ()
    before_batch: Callable[[ReadContext], None] | None = None


def in_memory(name: str, book: Book) -> type[DataSource]:
    class InMemory(DataSource):
        kind: ClassVar[str] = name
        Options = SourceOptions

        @property
        def schema(self) -> Schema:
            return book.schema

        def read(self, context: ReadContext) -> Iterator[Records]:
            book.asked = tuple(context.fields)
            for at, batch in enumerate(book.batches):
                if book.before_batch:
                    book.before_batch(context)
                yield Records(batch, origin=f"{name}-{at}.csv", first_row=2)

    return InMemory


class Arrears(RiskFactor):
    """Linear in arrears up to a limit."""

    @dataclass(frozen=True)
    class Parameters:
        full: float = parameter(default=1000.0, minimum=1, unit="GBP")

    name = "arrears"
    title = "Arrears"
    description = "Council tax arrears, linear up to a limit."
    domain = "finance"
    inputs = (Input("council_tax_arrears", FieldType.NUMBER, "GBP"),)

    def score(self, inputs: Any, context: ScoringContext) -> Any:
        return np.minimum(inputs["council_tax_arrears"] / self.parameters.full, 1.0)

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        value = values["council_tax_arrears"]
        return "Arrears are not known." if value is None else f"Owes GBP {value:.2f}."


class Alone(RiskFactor):
    """65 or over and alone."""

    name = "alone"
    title = "Alone and 65 or over"
    description = "One person, 65 or over."
    domain = "isolation"
    inputs = (
        Input("people", FieldType.INTEGER),
        Input("oldest_age", FieldType.INTEGER, "years"),
    )

    def score(self, inputs: Any, context: ScoringContext) -> Any:
        people, age = inputs["people"], inputs["oldest_age"]
        result = ((people == 1) & (age >= 65)).astype(np.float64)
        result[np.isnan(people) | np.isnan(age)] = np.nan
        return result

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        return f"{values['people']} people, the oldest {values['oldest_age']}."


class Renting(RiskFactor):
    """Rents; knows the codes in an order of its own."""

    name = "renting"
    title = "Rents"
    description = "Rents the home."
    domain = "housing"
    inputs = (Input("tenure", FieldType.CATEGORY, codes=("rented", "owned", "other")),)

    def score(self, inputs: Any, context: ScoringContext) -> Any:
        tenure = inputs["tenure"]
        return np.where(tenure == -1, np.nan, (tenure == 0).astype(np.float64))

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        return f"Tenure: {values['tenure'] or 'not known'}."


TAX = Schema(
    name="council_tax",
    level=RecordLevel.HOUSEHOLD,
    supplier="Revenues",
    has_date=True,
    fields=(
        Field(
            "council_tax_arrears",
            FieldType.NUMBER,
            Combine.SUM,
            Category.FINANCE,
            unit="GBP",
            minimum=0,
        ),
        Field(
            "tenure",
            FieldType.CATEGORY,
            Combine.FIRST,
            Category.HOUSING,
            codes=("owned", "rented"),
        ),
        Field("lsoa", FieldType.AREA, Combine.FIRST, Category.GEOGRAPHY),
    ),
)
PEOPLE = Schema(
    name="people",
    level=RecordLevel.PERSON,
    supplier="Electoral services",
    fields=(
        Field("people", FieldType.INTEGER, Combine.COUNT_DISTINCT, Category.DEMOGRAPHY),
        Field(
            "oldest_age",
            FieldType.INTEGER,
            Combine.MAXIMUM,
            Category.DEMOGRAPHY,
            unit="years",
            protected=ProtectedCharacteristic.AGE,
            minimum=0,
            maximum=120,
        ),
    ),
)
POLICY = """
schema = 1
name = "Winter support 2026"
purpose = "winter_support"
legal_basis = "Localism Act 2011, s.1"
owner = "Head of Revenues"
sunset = 2099-12-31
[[factors]]
factor = "arrears"
weight = 60
[factors.parameters]
full = 2000
[[factors]]
factor = "alone"
weight = 30
[[factors]]
factor = "renting"
weight = 10
[[bands]]
name = "none"
from = 0
action = "Nothing"
[[bands]]
name = "low"
from = 10
action = "Write"
[[bands]]
name = "high"
from = 60
action = "Call"
[[protected]]
characteristic = "age"
reason = "Isolation of older people is what the policy is about"
[attributes.tenure]
field = "tenure"
[attributes.age_group]
field = "oldest_age"
breaks = [16, 25, 65, 75]
[attributes.lsoa]
field = "lsoa"
"""
NODE = """
schema = 1
council = "E08000009"
name = "Trafford"
[scoring]
frame = "tax"
[[sources]]
name = "tax"
kind = "tax_book"
[[sources]]
name = "people"
kind = "people_book"
"""


def tax_rows(
    uprns: list[int | None],
    arrears: list[float | None],
    tenure: list[str | None],
    lsoa: list[str | None],
    dates: list[datetime.date | None] | None = None,
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "uprn": uprns,
            "record_date": dates or [TODAY] * len(uprns),
            "council_tax_arrears": arrears,
            "tenure": tenure,
            "lsoa": lsoa,
        },
        schema={
            "uprn": pl.Int64,
            "record_date": pl.Date,
            "council_tax_arrears": pl.Float64,
            "tenure": pl.String,
            "lsoa": pl.String,
        },
    )


def people_rows(
    uprns: list[int | None], people: list[str | None], ages: list[int | None]
) -> pl.DataFrame:
    return pl.DataFrame(
        {"uprn": uprns, "people": people, "oldest_age": ages},
        schema={
            "uprn": pl.Int64,
            "people": pl.String,
            "oldest_age": pl.Int64,
        },
    )


@dataclass
class TestNode:
    """A node home and the plugins that serve it."""

    __test__ = False

    home: Path
    tax: Book
    people: Book
    factors: dict[str, type[RiskFactor]]
    extra: dict[str, Book] = field(default_factory=dict)
    standing: Trust = field(default_factory=Trust)

    @property
    def plugins(self) -> Plugins | LoadedPlugins:
        """Plugins as if they came with the node; of others if `standing` says so."""
        books = {"tax_book": self.tax, "people_book": self.people, **self.extra}
        sources = {kind: in_memory(kind, book) for kind, book in books.items()}
        plain = Plugins(
            sources=sources,
            factors=self.factors,
            source_origins=dict.fromkeys(sources, ORIGIN),
            factor_origins=dict.fromkeys(self.factors, ORIGIN),
            broken=(),
        )
        return plain if self.standing.is_shipped else self._of_others(plain)

    def _of_others(self, plain: Plugins) -> LoadedPlugins:
        """In this process, where objects stand for processes."""
        placement = Placement(
            InstalledPlugin(ORIGIN.distribution, ORIGIN.version, ()),
            Way.IN_PROCESS,
            is_shipped=False,
            is_reviewed=self.standing.is_reviewed,
        )

        return LoadedPlugins(
            plain.sources,
            plain.factors,
            plain.source_origins,
            plain.factor_origins,
            (),
            (placement,),
        )

    @property
    def loaded(self) -> LoadedPlugins:
        """The same as commands have them: as if they came with the node."""
        own, plugin = self.plugins, InstalledPlugin("test-plugin", "1.2.3", ())
        return LoadedPlugins(
            own.sources,
            own.factors,
            own.source_origins,
            own.factor_origins,
            own.broken,
            (Placement(plugin, Way.APART, is_shipped=True),),
        )

    @property
    def config(self) -> NodeConfig:
        return load_config(self.home)

    @property
    def policy(self) -> RiskPolicy:
        return load_policy(self.config.risk_policy)

    def write_policy(self, text: str = POLICY) -> None:
        (self.home / "risk-policy.toml").write_text(text)

    def write_node(self, text: str = NODE) -> None:
        (self.home / "node.toml").write_text(text)

    def score(self, *, accepting: tuple[str, ...] | None = None, **options: Any) -> RunSummary:
        """Scores; a person has accepted the sources named, or all: few records mean little."""
        options.setdefault("today", TODAY)
        if accepting is None:
            accepting = tuple(source.name for source in self.config.sources)
        accepted = {
            name: Acceptance(source=name, reason="a test", until=TODAY, by="tester")
            for name in accepting
        }
        options.setdefault("judged", Judged(last_run(self.config), accepted))
        return score(self.config, self.plugins, self.policy, **options)

    def open(self) -> Any:
        return open_store(self.config.store_path, read_key(self.config.key_file))

    def rows(self) -> pl.DataFrame:
        """What is stored of each household, by UPRN; unknown points as null."""
        store: HouseholdStore
        with self.open() as store:
            counted = store._connection.sql("SELECT * FROM store.households").pl()
            details = pl.concat(store.details(), how="diagonal_relaxed")
        assert counted.height == details.height
        frame = counted.join(details, on="uprn").sort("uprn")
        return frame.with_columns(pl.col("^points_.*$").replace(-1, None)).drop("part")


@pytest.fixture
def node(tmp_path: Path) -> TestNode:
    home = tmp_path / "home"
    home.mkdir()
    made = TestNode(
        home,
        Book(
            TAX,
            [
                tax_rows(
                    [1, 2, 3, None, 2],
                    [500.0, 0.0, None, 70.0, 3000.0],
                    ["owned", "rented", None, "owned", "owned"],
                    ["E01000001", "E01000002", "E01000001", "E01000002", "E01000003"],
                )
            ],
        ),
        Book(
            PEOPLE, [people_rows([1, 1, 2, 9, None], ["a", "b", "c", "d", "e"], [70, 71, 80, 3, 4])]
        ),
        {factor.name: factor for factor in (Arrears, Alone, Renting)},
    )
    made.write_node()
    made.write_policy()
    create_key(made.config.key_file)
    return made


@pytest.fixture
def half(tmp_path: Path) -> Iterator[PrivacyHalf]:
    """A node without records: ledger, outbox and release."""
    with StateDatabase(tmp_path / "state.sqlite", create=True) as state:
        yield PrivacyHalf(state)
