"""The one importer of uk-address-matcher: its model on a database in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import duckdb
import polars as pl
from uk_address_matcher import AddressMatcher, ExactMatchStage, SplinkStage

_EXACT, _SPLINK = "exact", "splink"
_INDEX = "folkmoot_inverted_index"
# The library stages keys of these identifiers in tables; of others, in files.
_IDENTIFIER = "HUGEINT"
for _library in ("splink", "sqlglot", "uk_address_matcher"):
    logging.getLogger(_library).setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Scored:
    """Candidates of some typed addresses.

    Attributes:
        exact: `record` and `uprn` of those that match an address of one home letter for letter,
            but for capitals, blanks and the word Flat.
        candidates: `record`, `uprn`, `match_weight` of the others, by record the best first;
            each home once.
    """

    exact: pl.DataFrame
    candidates: pl.DataFrame


class _PreparedOnce(AddressMatcher):  # type: ignore[misc]  # the library is not typed
    """A matcher that cleans and indexes its gazetteer once, not for every match."""

    def prepare(self) -> None:
        """Cleans and indexes the gazetteer; its tables stay when results are closed."""
        super()._resolve_canonical_data()
        self.con.table(self._inverted_index_table_name).create(_INDEX)

    def take(self, typed: duckdb.DuckDBPyRelation) -> None:
        """Takes other addresses to match."""
        self._raw_messy = typed

    def _resolve_canonical_data(self) -> None:
        self._register_inverted_index(self.con.table(_INDEX))
        for stage in self.stages:
            if isinstance(stage, SplinkStage):
                stage.roadlike_places = self._roadlike_places


class Matcher:
    """Matches typed addresses against one gazetteer.

    Args:
        homes: `uprn`, `address`, `postcode`.
        threads: Threads of the database.
    """

    def __init__(self, homes: pl.DataFrame, threads: int) -> None:
        self._connection = duckdb.connect(
            config={
                "threads": threads,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "temp_directory": "",
            }
        )
        self._connection.execute("SET enable_progress_bar = false")
        self._splink = SplinkStage()
        self._homes = {uprn: (address, postcode) for uprn, address, postcode in homes.iter_rows()}
        self._batch = 0
        gazetteer = self._table("gazetteer", homes.rename({"uprn": "unique_id"}))
        none = self._table("none", homes.rename({"uprn": "unique_id"}).clear())
        self._matcher = _PreparedOnce(
            gazetteer,
            none,
            con=self._connection,
            stages=[ExactMatchStage(), self._splink],
            show_progress="off",
        )
        self._matcher.prepare()

    def close(self) -> None:
        """Ends the database."""
        self._connection.close()

    def home(self, uprn: int) -> tuple[str, str | None]:
        """Address and postcode of a home."""
        return self._homes[uprn]

    def match(self, typed: pl.DataFrame) -> Scored:
        """Finds the candidates of typed addresses.

        Args:
            typed: `record`, `address`, `postcode`; at least one.
        """
        self._batch += 1
        name = f"typed_{self._batch}"
        relation = self._table(name, typed.rename({"record": "unique_id"}))
        self._matcher.take(relation)
        with self._matcher.match() as result:
            exact = self._frame(
                result.matches()
                .filter("match_reason::VARCHAR LIKE 'exact%'")
                .select("unique_id::BIGINT AS record, resolved_canonical_id::BIGINT AS uprn")
            )
            candidates = self._candidates()
        self._connection.execute(f"DROP TABLE {name}")
        return Scored(exact, candidates)

    def _candidates(self) -> pl.DataFrame:
        table = self._splink.best_matches_table
        if table is None:
            return pl.DataFrame(
                schema={"record": pl.Int64, "uprn": pl.Int64, "match_weight": pl.Float64}
            )
        found = self._frame(
            self._connection.table(table).select(
                "unique_id_r::BIGINT AS record, unique_id_l::BIGINT AS uprn, match_weight"
            )
        )
        return (
            found.drop_nulls()
            .sort("record", "match_weight", "uprn", descending=[False, True, False])
            .unique(["record", "uprn"], keep="first", maintain_order=True)
        )

    def _table(self, name: str, frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
        self._connection.register("arriving", frame.to_arrow())
        self._connection.table("arriving").select(
            f"unique_id::{_IDENTIFIER} AS unique_id, address AS address_concat, postcode"
        ).create(name)
        self._connection.unregister("arriving")
        return self._connection.table(name)

    @staticmethod
    def _frame(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
        frame = pl.from_arrow(relation.to_arrow_table())
        assert isinstance(frame, pl.DataFrame)
        return frame
