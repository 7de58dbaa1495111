"""The stage that finds households for one source's records without a UPRN.

The rules apply in this order: what a person decided in clerical review; then the address; then
the person the record is about. A record whose home is uncertain is linked to none, and goes to
clerical review.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock

import polars as pl
from pydantic import BaseModel, ConfigDict

from folkmoot_node.linkage import review_file
from folkmoot_node.linkage.addresses import (
    ADDRESS,
    POSTCODE,
    RECORD,
    AddressLinks,
    Outcome,
    PreparedGazetteer,
    no_links,
    prepared,
    written,
)
from folkmoot_node.linkage.people_stage import FoundPeople, PeopleStage, nobody_found
from folkmoot_node.linkage.postcode import sector, whole
from folkmoot_node.linkage.review_decisions import ReviewDecisions, SourceReview, Waiting
from folkmoot_node.linkage.review_file import Pair
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.identifiers import FILE, ROW
from folkmoot_sdk.schema import UPRN_COLUMN, Identifier

BY_PERSON = "__by_person"
"""Column of linked records: whether the home is that of the person whom the record is about."""
NO_POSTCODE = "no postcode"
"""Stands for the sector of records without a whole postcode."""
NO_IDENTIFIERS = "no identifiers"
"""Stands for the sector of records of which nothing is known to link them by."""
_DIGEST = "__digest"


class Linked(BaseModel):
    """What linkage found for one source's records without a UPRN.

    Attributes:
        by_address: Records whose address is that of one home.
        by_person: Records of a person whose household another source knows.
        by_review: Records whose home a person confirmed.
        communal: Records found in one of these ways to be about a communal establishment; not
            counted above.
        ambiguous: Records that may belong to several homes, or not certainly to one.
        unlinked: Records with identifiers that fit no home.
        more: Households beyond a record's first, for people who live in several.
        sectors: Ambiguous and unlinked records by the sector of their postcode.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by_address: int = 0
    by_person: int = 0
    by_review: int = 0
    communal: int = 0
    ambiguous: int = 0
    unlinked: int = 0
    more: int = 0
    sectors: dict[str, int] = {}

    @property
    def found(self) -> int:
        """Records whose home was found."""
        return self.by_address + self.by_person + self.by_review + self.communal

    def sectors_of(self, records: int) -> dict[str, int]:
        """Records that were not linked by postcode sector.

        Args:
            records: All records without a UPRN, also those without identifiers.
        """
        known = self.found + self.ambiguous + self.unlinked
        if not known or records == known:
            return self.sectors
        return self.sectors | {NO_IDENTIFIERS: records - known}


@dataclass
class Linkage:
    """Linkage of one run in one process; sources are linked one after the other.

    Attributes:
        config: The node's configuration.
        homes: `uprn`, `address`, `postcode` and `communal` of the frame.
        decisions: What people decided.
        people: People whom records may be about; None if records are not linked by person.
    """

    config: NodeConfig
    homes: pl.DataFrame
    decisions: ReviewDecisions
    people: PeopleStage | None = None
    _resources: ExitStack = field(default_factory=ExitStack)
    _gazetteer: PreparedGazetteer | None = None
    _lock: Lock = field(default_factory=Lock)

    def link(self, source: str, pending: pl.DataFrame) -> tuple[pl.DataFrame, Linked]:
        """Finds the homes of a source's records, and writes its file for clerical review.

        Args:
            source: Its name.
            pending: Its records without a UPRN, with identifiers, `FILE` and `ROW`.

        Returns:
            One row for each record whose home was found, with the columns `uprn` and `BY_PERSON`
            (Boolean), neither null, and without identifiers; and what became of all of them.

        Raises:
            Problem: Exit code DATA for a malformed decision, SETTINGS if the libraries of
                linkage are missing.
        """
        with self._lock:
            path = review_file.path_of(self.config.review_folder, source)
            review = review_file.take_over(path, self.decisions.of(source))
            # A run that is killed after this has lost nothing that a person wrote.
            self.decisions.keep(source, review)
            records = _identified(pending)
            typed = self._digested(source, records)
            reviewed = self._reviewed(typed, review)
            open_records = typed.join(reviewed, on=RECORD, how="anti", maintain_order="left")
            links = self._by_address(open_records, review)
            by_address = links.records.filter(pl.col("outcome") == Outcome.LINKED.value)
            found = pl.concat([reviewed, by_address.select(RECORD, UPRN_COLUMN)])
            people = self._by_person(source, records.join(found, on=RECORD, how="anti"), review)
            settled = pl.concat([found, people.households.select(RECORD, UPRN_COLUMN)])
            waiting, pairs = self._waiting(records, typed, links, settled)
            waiting |= {pair.id: waits for pair, waits in people.pairs}
            pairs += [pair for pair, _ in people.pairs]
            self.decisions.keep(source, SourceReview(waiting=waiting, decided=review.decided))
            review_file.write(path, pairs)
        address_unsure = links.records.filter(pl.col("outcome") == Outcome.AMBIGUOUS.value)
        unsure = pl.concat([address_unsure[RECORD], people.ambiguous]).unique()
        ambiguous = len(unsure) - unsure.is_in(settled[RECORD].implode()).sum()
        communal = self.homes.filter("communal").select(UPRN_COLUMN)
        households = [
            way.join(communal, on=UPRN_COLUMN, how="anti").height for way in (by_address, reviewed)
        ]
        persons = people.households.filter(~pl.col("communal"))[RECORD].unique()
        confirmed = persons.is_in(people.confirmed.implode()).sum()
        linked = settled[RECORD].n_unique()
        persons_homes = pl.col(RECORD).is_in(people.households[RECORD].implode())
        counted = Linked(
            by_address=households[0],
            by_person=len(persons) - confirmed,
            by_review=households[1] + confirmed,
            communal=linked - sum(households) - len(persons),
            ambiguous=ambiguous,
            unlinked=records.height - linked - ambiguous,
            more=settled.height - linked,
            sectors=_sectors(typed.join(settled, on=RECORD, how="anti")),
        )
        identifying = [FILE, ROW, *(entry.column for entry in Identifier)]
        homed = (
            records.drop(UPRN_COLUMN)
            .join(settled, on=RECORD, how="inner", maintain_order="left")
            .with_columns(persons_homes.alias(BY_PERSON))
            .drop(RECORD)
            .drop(identifying, strict=False)
        )
        kept = [name for name in pending.columns if name in homed.columns]
        return homed.select(*kept, BY_PERSON), counted

    def close(self) -> None:
        """Frees the gazetteer and the known people."""
        with self._lock:
            self._resources.close()
            if self.people is not None:
                self.people.close()
            self._gazetteer = None

    def _digested(self, source: str, records: pl.DataFrame) -> pl.DataFrame:
        """`record`, `address` and `postcode` as written, and the digest of these."""
        typed = written(
            records.select(
                RECORD,
                _identifier(records, Identifier.ADDRESS).alias(ADDRESS),
                _identifier(records, Identifier.POSTCODE).alias(POSTCODE),
            )
        )
        digests = [
            self.decisions.digest(source, (address, postcode))
            for address, postcode in typed.select(ADDRESS, POSTCODE).iter_rows()
        ]
        return typed.with_columns(pl.Series(_DIGEST, digests, pl.String))

    def _reviewed(self, typed: pl.DataFrame, review: SourceReview) -> pl.DataFrame:
        """`record` and `uprn` of records whose home a person confirmed, if it is one still."""
        confirmed = [
            (digest, entry.is_home)
            for digest, entry in review.decided.items()
            if entry.is_home is not None
        ]
        known = pl.DataFrame(confirmed, {_DIGEST: pl.String, UPRN_COLUMN: pl.Int64}, orient="row")
        still = known.join(self.homes, on=UPRN_COLUMN, how="semi")
        return typed.join(still, on=_DIGEST, how="inner").select(RECORD, UPRN_COLUMN)

    def _by_address(self, typed: pl.DataFrame, review: SourceReview) -> AddressLinks:
        settings = self.config.linkage.addresses
        if settings is None or not typed[ADDRESS].drop_nulls().len():
            return no_links(typed)
        refused = {
            (address, postcode): review.decided[digest].is_not
            for _, address, postcode, digest in typed.iter_rows()
            if digest in review.decided
        }
        if self._gazetteer is None:
            threads = self.config.threads
            self._gazetteer = self._resources.enter_context(prepared(self.homes, threads=threads))
        return self._gazetteer.link(typed.drop(_DIGEST), settings, refused)

    def _by_person(self, source: str, records: pl.DataFrame, review: SourceReview) -> FoundPeople:
        if self.people is None:
            return nobody_found()
        return self.people.link(source, records, review)

    def _waiting(
        self, records: pl.DataFrame, typed: pl.DataFrame, links: AddressLinks, found: pl.DataFrame
    ) -> tuple[dict[str, Waiting], list[Pair]]:
        """The pairs that a person is asked about, once for all records with the same text."""
        as_typed = records.select(
            RECORD,
            _identifier(records, Identifier.ADDRESS).fill_null("").alias("typed_address"),
            _identifier(records, Identifier.POSTCODE).fill_null("").alias("typed_postcode"),
            FILE,
            ROW,
        )
        asked = (
            links.candidates.join(found, on=RECORD, how="anti", maintain_order="left")
            .join(typed.select(RECORD, _DIGEST), on=RECORD, maintain_order="left")
            .join(as_typed, on=RECORD, maintain_order="left")
            .unique([_DIGEST, UPRN_COLUMN], keep="first", maintain_order=True)
        )
        waiting = {}
        pairs = []
        for row in asked.iter_rows(named=True):
            name = self.decisions.pair(row[_DIGEST], row[UPRN_COLUMN])
            waiting[name] = Waiting(digest=row[_DIGEST], uprn=row[UPRN_COLUMN])
            pairs.append(
                Pair(
                    id=name,
                    typed=(row["typed_address"], row["typed_postcode"]),
                    candidate=(row[ADDRESS], row[POSTCODE] or ""),
                    uprn=row[UPRN_COLUMN],
                    weight=row["match_weight"],
                    file=row[FILE],
                    row=row[ROW],
                )
            )
        return waiting, pairs


def distinct_homes(homes: pl.DataFrame | None) -> pl.DataFrame:
    """Each home once, with the first of its addresses.

    Returns:
        One row for each home: columns `uprn` (Int64), `ADDRESS` and `POSTCODE` (String, null
        where unknown) and `communal` (Boolean).
    """
    if homes is None:
        return pl.DataFrame(
            schema={
                UPRN_COLUMN: pl.Int64, ADDRESS: pl.String, POSTCODE: pl.String,
                "communal": pl.Boolean,
            }
        )  # fmt: skip
    known = pl.concat(
        [homes.filter(pl.col(ADDRESS).is_not_null()), homes.filter(pl.col(ADDRESS).is_null())]
    )
    return known.unique(UPRN_COLUMN, keep="first", maintain_order=True)


def _identified(pending: pl.DataFrame) -> pl.DataFrame:
    """The records numbered from 0."""
    return pending.with_row_index(RECORD).with_columns(pl.col(RECORD).cast(pl.Int64))


def _identifier(records: pl.DataFrame, identifier: Identifier) -> pl.Expr:
    if identifier.column in records.columns:
        return pl.col(identifier.column)
    return pl.lit(None, pl.String)


def _sectors(typed: pl.DataFrame) -> dict[str, int]:
    """Records by postcode sector, such as `M33 1`, the most first."""
    code = sector(whole(pl.col(POSTCODE)))
    shown = pl.concat_str(code.str.head(-1), code.str.tail(1), separator=" ")
    found = typed.select(shown.fill_null(NO_POSTCODE)).to_series().to_list()
    return dict(Counter(found).most_common())
