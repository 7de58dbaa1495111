"""The part of the linkage stage that finds whom records are about, and what a person decided."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import polars as pl

from folkmoot_node.linkage.people import (
    OUTCOME,
    SHOWN,
    Outcome,
    PreparedPeople,
    Reviewed,
    prepared_people,
)
from folkmoot_node.linkage.person_matcher import RECORD
from folkmoot_node.linkage.resolve import PROBABILITY, SOURCE
from folkmoot_node.linkage.review_decisions import Decided, ReviewDecisions, SourceReview, Waiting
from folkmoot_node.linkage.review_file import Pair
from folkmoot_node.settings.people import PersonSettings
from folkmoot_node.sources.identifiers import FILE, ROW
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN, Identifier

_DIGEST = "__digest"
_PERSON = "person"
"""First part of what is digested, so that no address has the digest of a person."""
_TYPED = (
    Identifier.FORENAME, Identifier.SURNAME, Identifier.DATE_OF_BIRTH, Identifier.POSTCODE,
    Identifier.NHS_NUMBER,
)  # fmt: skip
_CERTAIN = 1 - 1e-12


@dataclass(frozen=True, slots=True)
class FoundPeople:
    """What became of records that are linked by person.

    Attributes:
        households: `RECORD`, `UPRN_COLUMN` of a home in the frame, and `communal`, whether
            that is a communal establishment; several rows for a person in several
            households, but none of an establishment beside a household.
        confirmed: `RECORD` of those of `households` that a person confirmed.
        ambiguous: `RECORD` of those that wait for a person.
        pairs: What a person is asked, and what is kept of it until it is answered.
    """

    households: pl.DataFrame
    confirmed: pl.Series
    ambiguous: pl.Series
    pairs: tuple[tuple[Pair, Waiting], ...]


def nobody_found() -> FoundPeople:
    """What becomes of records where people are not linked."""
    households = {RECORD: pl.Int64, UPRN_COLUMN: pl.Int64, "communal": pl.Boolean}
    none = pl.Series(RECORD, [], pl.Int64)
    return FoundPeople(pl.DataFrame(schema=households), none, none, ())


@dataclass
class PeopleStage:
    """Known people of one run in one process.

    Attributes:
        settings: Table `[linkage.people]`.
        known: As `prepared_people` takes them.
        frame: `uprn` and `communal` of the frame's homes, each once.
        decisions: What people decided.
        reference_date: Records of known people that are younger do not count.
        threads: Threads of the database.
    """

    settings: PersonSettings
    known: pl.DataFrame
    frame: pl.DataFrame
    decisions: ReviewDecisions
    reference_date: datetime.date
    threads: int
    _resources: ExitStack = field(default_factory=ExitStack)
    _people: PreparedPeople | None = None

    def link(self, source: str, records: pl.DataFrame, review: SourceReview) -> FoundPeople:
        """Finds whom records are about.

        Args:
            source: Name of their source.
            records: `RECORD`, identifiers, `FILE` and `ROW`.
            review: What was decided of this source.
        """
        typed = self._typed(source, records)
        if self._people is None:
            rules = self.settings.rules(self.reference_date, self.threads)
            self._people = self._resources.enter_context(prepared_people(self.known, rules))
            self.known = self.known.clear()
        reviewed = _reviewed(typed, review.decided)
        links = self._people.link(records, reviewed)
        homes = _one_kind(links.households.join(self.frame, on=UPRN_COLUMN, maintain_order="left"))
        sure = homes.join(reviewed.confirmed, on=[RECORD, UPRN_COLUMN], how="semi")
        ambiguous = links.outcomes.filter(pl.col(OUTCOME) == Outcome.AMBIGUOUS.value)
        return FoundPeople(
            homes,
            sure[RECORD].unique(),
            ambiguous[RECORD],
            tuple(self._asked(records, typed, links.candidates)),
        )

    def close(self) -> None:
        """Frees the known people."""
        self._resources.close()
        self._people = None

    def _typed(self, source: str, records: pl.DataFrame) -> pl.DataFrame:
        """`RECORD` and the digest of what was typed."""
        held = [entry.column for entry in _TYPED if entry.column in records.columns]
        texts = records.select(pl.col(held).cast(pl.String))
        digests = [self.decisions.digest(source, (_PERSON, *row)) for row in texts.iter_rows()]
        return records.select(RECORD, pl.Series(_DIGEST, digests, pl.String))

    def _asked(
        self, records: pl.DataFrame, typed: pl.DataFrame, candidates: pl.DataFrame
    ) -> Iterator[tuple[Pair, Waiting]]:
        """The pairs that a person is asked about, once for all records with the same text."""
        best = candidates.filter(pl.int_range(pl.len()).over(RECORD) < self.settings.candidates)
        asked = (
            best.join(typed, on=RECORD, maintain_order="left")
            .join(records, on=RECORD, maintain_order="left", suffix="_typed")
            .unique([_DIGEST, UPRN_COLUMN], keep="first", maintain_order=True)
        )
        for row in asked.iter_rows(named=True):
            digest, uprn = row[_DIGEST], row[UPRN_COLUMN]
            forename, surname, born, postcode = (row[name] for name in SHOWN)
            probability = min(max(row[PROBABILITY], 1 - _CERTAIN), _CERTAIN)
            pair = Pair(
                id=self.decisions.pair(digest, uprn),
                typed=(
                    _described(
                        row.get(Identifier.FORENAME.column),
                        row.get(Identifier.SURNAME.column),
                        row.get(Identifier.DATE_OF_BIRTH.column),
                    ),
                    row.get(Identifier.POSTCODE.column) or "",
                ),
                candidate=(
                    _described(
                        forename,
                        surname,
                        datetime.datetime.strptime(born, "%Y%m%d").date() if born else None,
                    ),
                    postcode or "",
                ),
                uprn=uprn,
                weight=math.log2(probability / (1 - probability)),
                file=row[FILE],
                row=row[ROW],
            )
            yield pair, Waiting(digest=digest, uprn=uprn)


def known_people(sources: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Puts the known people of several sources together.

    Args:
        sources: `UPRN_COLUMN`, `SOURCE`, `DATE_COLUMN` if it has dates, and identifiers.

    Returns:
        One row for each record: columns `UPRN_COLUMN` (Int64), `SOURCE` (Int32), `DATE_COLUMN`
        (Date) and the identifiers (String; Date for a date of birth), null where missing.
    """
    schema = {UPRN_COLUMN: pl.Int64, SOURCE: pl.Int32, DATE_COLUMN: pl.Date}
    columns = schema | {
        entry.column: pl.Date if entry is Identifier.DATE_OF_BIRTH else pl.String
        for entry in _TYPED
    }
    # An address says where, not who.
    held = [found.select([name for name in found.columns if name in columns]) for found in sources]
    return pl.concat([pl.DataFrame(schema=columns), *held], how="diagonal")


def _one_kind(homes: pl.DataFrame) -> pl.DataFrame:
    """Leaves out establishments where the record has a household or another establishment."""
    household = pl.col("communal").not_().any().over(RECORD)
    first = pl.int_range(pl.len()).over(RECORD) == 0
    return homes.filter(pl.when(household).then(~pl.col("communal")).otherwise(first))


def _described(forename: str | None, surname: str | None, born: datetime.date | None) -> str:
    name = " ".join(part for part in (forename, surname) if part) or "no name"
    return f"{name}, born {born.isoformat()}" if born else f"{name}, no date of birth"


def _reviewed(typed: pl.DataFrame, decided: Mapping[str, Decided]) -> Reviewed:
    schema = {_DIGEST: pl.String, UPRN_COLUMN: pl.Int64}
    yes = [(digest, entry.is_home) for digest, entry in decided.items() if entry.is_home]
    no = [(digest, uprn) for digest, entry in decided.items() for uprn in entry.is_not]
    confirmed, refused = (
        typed.join(pl.DataFrame(rows, schema, orient="row"), on=_DIGEST).select(RECORD, UPRN_COLUMN)
        for rows in (yes, no)
    )
    return Reviewed(confirmed, refused)


__all__ = ["SOURCE", "FoundPeople", "PeopleStage", "known_people", "nobody_found"]
