"""The data source `area_segmentation`: a table of segments by postcode or by area.

For products that a council has licensed (Acorn, Mosaic and the like), and for any other
classification by postcode or area. Nothing is shipped: the council brings the file, and
names its columns in the options.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.columns import Uprn
from folkmoot_plugin_extracts.csv_file import read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.files import find_files
from folkmoot_plugin_extracts.mapped import field_outputs
from folkmoot_plugin_extracts.mapped_field import MappedField
from folkmoot_plugin_extracts.mapping import FileMapping
from folkmoot_plugin_extracts.parsing import Output, parser
from folkmoot_plugin_extracts.postcode import Postcode
from folkmoot_plugin_open_areas.area_table import (
    ROW,
    all_of,
    as_records,
    pattern_of,
    read_area_table,
    with_rows,
)
from folkmoot_sdk import DataSource, ReadContext, RecordLevel, Records, Rejection, Schema
from folkmoot_sdk.parameters import parameter
from folkmoot_sdk.schema import UPRN_COLUMN
from folkmoot_sdk.source import SourceOptions

_POSTCODE = "__postcode"


class Key(Enum):
    """What one row of the table is about."""

    POSTCODE = "postcode"
    AREA = "area"


@dataclass(frozen=True, slots=True)
class AddressOptions:
    """Table `addresses`: files that give the postcode of each UPRN.

    The ONS UPRN Directory is one; an extract of the council's gazetteer is another.
    """

    files: tuple[str, ...] = parameter(description="Patterns of CSV files in `folder`.")
    folder: Path = parameter(
        default=Path(), description="Folder of the files, relative to the node's home."
    )
    uprn: str = parameter(default="UPRN", description="Column of the UPRN.")
    postcode: str = parameter(default="PCDS", description="Column of the postcode.")
    encoding: str = parameter(default="utf-8", description="Encoding of the files.")

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding)


@dataclass(frozen=True, slots=True)
class SegmentationOptions(SourceOptions):
    """Options of the source, in `node.toml`."""

    file: Path = parameter(description="The CSV file, relative to the node's home.")
    name: str = parameter(description="Identifier of the data set, such as `mosaic`.")
    key: Key = parameter(description="What a row is about: postcode or area.")
    key_column: str = parameter(description="Column of the postcode or of the GSS code.")
    fields: dict[str, MappedField] = parameter(
        description="The fields, as in a mapping file of the source `extracts`."
    )
    supplier: str = parameter(default="", description="Who supplies the table.")
    version: str = parameter(default="1", description="Release of the table.")
    consumer_data: bool = parameter(
        default=True,
        description="False only for a classification that is not bought and not made of "
        "consumer data.",
    )
    area_type: str = parameter(
        default="", description="If rows are about areas: of which sort and year, as in lsoa21."
    )
    addresses: AddressOptions | None = parameter(
        default=None, description="If rows are about postcodes: the postcode of each UPRN."
    )
    encoding: str = parameter(default="utf-8", description="Encoding of the file.")
    delimiter: str = parameter(
        default="", description="What separates fields; default a comma, in .tsv and .tab a tab."
    )

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding, delimiter=self.delimiter)
        if not self.fields:
            raise ValueError("`fields` is empty")
        if (self.key is Key.POSTCODE) != (self.addresses is not None):
            raise ValueError("`addresses` is for rows about postcodes, and they need it")
        if (self.key is Key.AREA) != bool(self.area_type):
            raise ValueError("`area_type` is for rows about areas, and they need it")


class AreaSegmentation(DataSource):
    """Segments of a licensed or open classification."""

    kind = "area_segmentation"
    Options = SegmentationOptions

    def __init__(self, options: SegmentationOptions) -> None:
        super().__init__(options)
        self._options = options
        self._path = options.base / options.file
        self._mapping = FileMapping(
            schema=1,
            name=options.name,
            level=RecordLevel.AREA,
            files=pattern_of(options.file),
            fields={
                name: replace(field, consumer_data=options.consumer_data or field.consumer_data)
                for name, field in options.fields.items()
            },
            supplier=options.supplier,
            version=options.version,
            encoding=options.encoding,
            delimiter=options.delimiter,
            area=options.key_column,
            area_type=options.area_type,
        )
        declared = self._mapping.declaration()
        if options.key is Key.POSTCODE:
            declared = replace(declared, level=RecordLevel.PROPERTY)
        self._schema = declared

    @property
    def schema(self) -> Schema:
        """The fields of the options; of bought data unless the options say otherwise."""
        return self._schema

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields one record for each area, or one for each UPRN whose postcode has a segment.

        Raises:
            PluginError: If a file cannot be read.
        """
        addresses = self._options.addresses
        if addresses is None:
            frame = read_area_table(self._path, self._mapping, context)
            yield as_records(frame, self._path.name)
            return
        segments = self._by_postcode(context)
        yield _named(self._path, segments)
        yield from self._by_uprn(addresses, segments, context)

    def _by_postcode(self, context: ReadContext) -> pl.DataFrame:
        """The table: `_POSTCODE` and the wanted fields, each postcode once."""
        fields = field_outputs(self._mapping, self._schema, context)
        outputs = [Output(_POSTCODE, self._options.key_column, Postcode()), *fields]
        columns = tuple(dict.fromkeys(output.column for output in outputs))
        frames = []
        with parser(outputs, ()) as reading:
            for batch in read_csv(self._path, columns, self._mapping.dialect, context.reject):
                values, rows = reading.whole(self._path.name, batch, context.reject)
                frames.append(with_rows(values, rows.numbers()))
        frame = all_of(frames, self._path)
        codes = frame[_POSTCODE]
        reasons = {
            "has no postcode": codes.is_null(),
            "is a postcode that stands in the file before": ~codes.is_first_distinct()
            & codes.is_not_null(),
        }
        for reason, wrong in reasons.items():
            context.reject([
                Rejection(self._path.name, row, self._options.key_column, reason)
                for row in frame.filter(wrong)[ROW]
            ])  # fmt: skip
        kept = codes.is_not_null() & codes.is_first_distinct()
        context.leave_out("joined to the addresses of its postcode", int(kept.sum()))
        return frame.filter(kept).drop(ROW)

    def _by_uprn(
        self, addresses: AddressOptions, segments: pl.DataFrame, context: ReadContext
    ) -> Iterator[Records]:
        outputs = [
            Output(UPRN_COLUMN, addresses.uprn, Uprn()),
            Output(_POSTCODE, addresses.postcode, Postcode()),
        ]
        columns = tuple(output.column for output in outputs)
        dialect = Dialect(encoding=addresses.encoding)
        with parser(outputs, ()) as reading:
            for path in find_files(self._options.base / addresses.folder, addresses.files):
                for batch in read_csv(path, columns, dialect, context.reject):
                    values, sound = reading.whole(path.name, batch, context.reject)
                    read = with_rows(values, sound.numbers())
                    joined = read.join(segments, on=_POSTCODE, maintain_order="left")
                    context.leave_out(
                        "an address whose postcode has no segment", read.height - joined.height
                    )
                    at = array("q", joined[ROW].to_numpy().tobytes())
                    yield Records(joined.drop(_POSTCODE, ROW), path.name, 1, at)


def _named(path: Path, segments: pl.DataFrame) -> Records:
    """No record: the file is named, so that lineage knows it."""
    empty = segments.clear().drop(_POSTCODE)
    return Records(empty.insert_column(0, pl.Series(UPRN_COLUMN, [], dtype=pl.Int64)), path.name)
