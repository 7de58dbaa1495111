"""Three files of one night, joined by DuckDB and handed on in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    Field,
    FieldType,
    PluginError,
    ReadContext,
    RecordLevel,
    Records,
    Rejection,
    Schema,
    SourceOptions,
    parameter,
)

FILES = {
    "accounts": ("accounts.csv", ("tenancy_ref", "balance")),
    "homes": ("homes.csv", ("property_ref", "uprn")),
    "tenancies": (
        "tenancies.parquet",
        ("tenancy_ref", "property_ref", "start_date", "end_date", "notice_date"),
    ),
}
QUERY = (resources.files(__package__) / "accounts.sql").read_text("utf-8")


@dataclass(frozen=True, kw_only=True)
class HarbourOptions(SourceOptions):
    """Where the export of the night is."""

    folder: Path = parameter(description="Folder of the export, from the node's home.")
    batch_rows: int = parameter(
        default=50_000,
        minimum=1,
        maximum=1_000_000,
        unit="rows",
        description="Records handed on at once.",
    )


class HarbourRents(DataSource):
    """Rent accounts of the association's tenants."""

    kind = "harbour_rents"
    Options = HarbourOptions
    options: HarbourOptions
    schema = Schema(
        name="harbour_rents",
        level=RecordLevel.HOUSEHOLD,
        supplier="Harbour Homes, nightly export",
        version="2026-04",
        fields=(
            Field(
                "rent_arrears",
                FieldType.NUMBER,
                Combine.SUM,
                Category.FINANCE,
                description="Rent that is owed.",
                unit="GBP",
                minimum=0,
            ),
            Field(
                "notice_served",
                FieldType.BOOLEAN,
                Combine.ANY,
                Category.HOUSING,
                description="A notice seeking possession has been served.",
            ),
            Field(
                "tenancy_start",
                FieldType.DATE,
                Combine.MINIMUM,
                Category.HOUSING,
                description="The first day of the tenancy.",
            ),
        ),
    )

    def read(self, context: ReadContext) -> Iterator[Records]:
        paths = {
            name: self.options.base / self.options.folder / file
            for name, (file, _) in FILES.items()
        }
        with _connection() as connection:
            for name, path in paths.items():
                _require(connection, path, FILES[name][1])
            parameters = {name: str(path) for name, path in paths.items()}
            parameters["today"] = context.reference_date.isoformat()
            try:
                result = connection.execute(QUERY, parameters)
                reader = result.to_arrow_reader(self.options.batch_rows)
                for batch in reader:
                    yield self._records(pa.Table.from_batches([batch]), context)
            except (duckdb.Error, pa.ArrowException) as error:
                # What DuckDB says may quote a record.
                raise PluginError(
                    str(self.options.folder),
                    f"cannot be joined ({type(error).__name__})",
                    "Ask for the export again; compare it with README.md",
                ) from None

    def _records(self, table: pa.Table, context: ReadContext) -> Records:
        ended = table["ended"]
        context.leave_out("tenancy has ended", pc.sum(ended).as_py() or 0)
        table = table.filter(pc.invert(ended))
        file = FILES["accounts"][0]
        rejected: list[Rejection] = []

        def reject(flags: Any, column: str, reason: str, quoted: str = "") -> list[int]:
            places: list[int] = pc.indices_nonzero(flags).to_pylist()
            for at in places:
                value = table[quoted][at].as_py() if quoted else ""
                row = table["row"][at].as_py()
                rejected.append(Rejection(file, row, column, reason, value))
            return places

        unread = {
            "uprn": reject(table["no_tenancy"], "tenancy_ref", "is no tenancy")
            + reject(_unread(table, "uprn_text", "uprn"), "uprn", "is no UPRN")
        }
        if "rent_arrears" in context.fields:
            unread["rent_arrears"] = reject(
                _unread(table, "balance_text", "rent_arrears"),
                "balance",
                "is not a number",
                "balance_text",
            )
        context.reject(rejected)
        rows = table["row"].to_pylist()
        if "notice_served" in context.fields:
            # Without a tenancy it is not known whether there was a notice.
            none = pa.scalar(None, pa.bool_())
            served = pc.if_else(table["no_tenancy"], none, table["notice_served"])
            at = table.column_names.index("notice_served")
            table = table.set_column(at, "notice_served", served)
        return Records(
            table.select(["uprn", *context.fields]), file, rows=rows, unread=unread
        )


def _connection() -> duckdb.DuckDBPyConnection:
    """A database in memory that fetches nothing and writes nothing."""
    return duckdb.connect(
        config={
            "threads": 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": "",
        }
    )


def _require(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: tuple[str, ...]
) -> None:
    """Refuses a file that is not there, or lacks a column."""
    if not path.is_file():
        raise PluginError(path.name, "is not there", "Check the option `folder`")
    reads = "read_parquet(?)"
    if path.suffix == ".csv":
        reads = "read_csv(?, all_varchar = true, header = true)"
    try:
        found = connection.execute(f"DESCRIBE SELECT * FROM {reads}", [str(path)])
        names = {row[0] for row in found.fetchall()}
    except duckdb.Error as error:
        raise PluginError(
            path.name,
            f"cannot be read ({type(error).__name__})",
            "Ask for the export again",
        ) from None
    for column in columns:
        if column not in names:
            raise PluginError(
                path.name, f"has no column {column!r}", "Ask for the export again"
            )


def _unread(table: pa.Table, text: str, value: str) -> Any:
    """Where there is a text and no value could be read from it."""
    filled = pc.and_(pc.is_valid(table[text]), pc.not_equal(table[text], ""))
    return pc.and_(pc.fill_null(filled, False), pc.is_null(table[value]))
