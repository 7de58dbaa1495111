"""A sound source over a CSV file, and one for each rule that breaks this rule and no other."""

import csv
import itertools
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from folkmoot_sdk import (
    Category,
    Combine,
    DataSource,
    Field,
    FieldType,
    Identifier,
    PluginError,
    RecordLevel,
    Records,
    Rejection,
    Schema,
    hookimpl,
    parameter,
)
from folkmoot_sdk.source import SourceOptions

HEADER = ("UPRN", "OWED", "TENURE", "FORENAME")
SAMPLE = (
    "UPRN,OWED,TENURE,FORENAME\n"
    "100000000001,12.50,own,Ann\n"
    "100000000002,,rent,Bob\n"
    "100000000003,nonsense,own,\n"
    "100000000004,99.99,rent,Cat\n"
)
TENURES = ("own", "rent")
MONEY = Category.FINANCE
SOURCES = {}
ALSO = {}
COLUMNS = {"kit_owed": "OWED", "kit_tenure": "TENURE", "identifier_forename": "FORENAME"}
TYPES = {"kit_owed": pa.float64(), "kit_tenure": pa.string(), "identifier_forename": pa.string()}


@dataclass(frozen=True)
class FileOptions(SourceOptions):
    file: Path = parameter(description="The file.")


class Sound(DataSource):
    kind = "kit_sound"
    Options = FileOptions
    batch = 4096
    schema = Schema(
        name="kit_sound",
        level=RecordLevel.HOUSEHOLD,
        fields=(
            Field("kit_owed", FieldType.NUMBER, Combine.SUM, MONEY, unit="GBP", minimum=0),
            Field("kit_tenure", FieldType.CATEGORY, Combine.FIRST, Category.HOUSING, codes=TENURES),
        ),
        identifiers=(Identifier.FORENAME,),
    )  # fmt: skip

    def read(self, context):
        path = self.options.base / self.options.file
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            self.check_header(path, rows.fieldnames or [])
            numbered = enumerate(rows, start=2)
            while batch := list(itertools.islice(numbered, self.batch)):
                yield self.records(context, path.name, batch)

    def check_header(self, path, names):
        for name in HEADER:
            if name not in names:
                raise PluginError(f"{path.name}, column {name}", "is missing", "Ask the supplier")

    def wanted(self, context):
        return [*context.fields, *(entry.column for entry in context.identifiers)]

    def records(self, context, name, batch):
        unread = {}
        told = []
        columns = {"uprn": [], **{field: [] for field in self.wanted(context)}}
        for place, (row, cells) in enumerate(batch):
            for column in columns:
                source = COLUMNS.get(column, "UPRN")
                value, is_read = self.value(column, cells[source])
                columns[column].append(value)
                if not is_read:
                    unread.setdefault(column, []).append(place)
                    told.append(Rejection(name, row, source, "cannot be read", cells[source]))
        context.reject(told)
        types = {"uprn": pa.int64(), **TYPES}
        table = pa.table({key: pa.array(held, types[key]) for key, held in columns.items()})
        return Records(table, name, rows=[row for row, _ in batch], unread=unread)

    def value(self, column, cell):
        """The value, and whether it could be read."""
        if not cell:
            return None, True
        try:
            if column == "uprn":
                number = int(cell)
                return (number, True) if 0 < number < 10**12 else (None, False)
            if column == "kit_owed":
                return float(cell), True
        except ValueError:
            return None, False
        if column == "kit_tenure" and cell not in TENURES:
            return None, False
        return cell, True


def breaks(rule, *also):
    def register(cls):
        cls.kind = "kit_" + rule.replace("-", "_")
        SOURCES[rule] = cls
        ALSO[rule] = set(also)
        return cls

    return register


def changed(cls, self, context, change):
    """The records of another class, with their table changed."""
    for records in cls.read(self, context):
        table = change(records.data)
        yield Records(table, records.origin, rows=records.rows, unread=records.unread)


@breaks("source-not-made")
class NotMade(Sound):
    def __init__(self, options):
        raise RuntimeError("no such thing")


@breaks("schema")
class Changing(Sound):
    turns = itertools.count()

    @property
    def schema(self):
        return Schema(**{**_plain(Sound.schema), "version": str(next(self.turns))})


def _plain(schema):
    return {name: getattr(schema, name) for name in ("name", "level", "fields", "identifiers")}


@breaks("read-again")
class Once(Sound):
    done = False

    def read(self, context):
        if not self.done:
            yield from super().read(context)
        self.done = True


@breaks("read-fails")
class Fails(Sound):
    def read(self, context):
        raise RuntimeError("out of luck")
        yield


@breaks("batch-type")
class Tables(Sound):
    def read(self, context):
        for records in super().read(context):
            yield records.data


@breaks("column-missing")
class Renames(Sound):
    def read(self, context):
        names = {"kit_owed": "owed"}
        yield from changed(
            Sound, self, context,
            lambda table: table.rename_columns([names.get(n, n) for n in table.column_names]),
        )  # fmt: skip


@breaks("column-not-asked")
class Generous(Sound):
    def read(self, context):
        yield from changed(
            Sound, self, context,
            lambda table: table.append_column("person", pa.array(["x"] * len(table))),
        )  # fmt: skip


@breaks("column-type")
class Float32(Sound):
    def read(self, context):
        def cast(table):
            if "kit_owed" not in table.column_names:
                return table
            at = table.column_names.index("kit_owed")
            return table.set_column(at, "kit_owed", table["kit_owed"].cast(pa.float32()))

        yield from changed(Sound, self, context, cast)


@breaks("reads-unasked")
class Peeks(Sound):
    def records(self, context, name, batch):
        found = super().records(context, name, batch)
        if "kit_owed" not in context.fields:
            context.reject(
                [
                    Rejection(name, row, "OWED", "cannot be read", cells["OWED"])
                    for row, cells in batch
                    if not self.value("kit_owed", cells["OWED"])[1]
                ]
            )
        return found


@breaks("row-numbers")
class Unnumbered(Sound):
    def read(self, context):
        for records in super().read(context):
            yield Records(records.data, records.origin, rows=[1], unread=records.unread)


@breaks("rejections")
class Loses(Sound):
    """Leaves out a record of which one value cannot be read."""

    def records(self, context, name, batch):
        if "kit_owed" in context.fields:
            bad = [(r, c) for r, c in batch if not self.value("kit_owed", c["OWED"])[1]]
            context.reject([Rejection(name, row, "OWED", "cannot be read") for row, _ in bad])
            batch = [entry for entry in batch if entry not in bad]
        return super().records(context, name, batch)


@breaks("left-out")
class Uncounted(Sound):
    def read(self, context):
        context.leave_out("", 3)
        yield from super().read(context)


@breaks("value-range")
class Negative(Sound):
    def value(self, column, cell):
        value, is_read = super().value(column, cell)
        return (-value if column == "kit_owed" and value else value), is_read


@breaks("value-nan")
class NotANumber(Sound):
    def value(self, column, cell):
        value, is_read = super().value(column, cell)
        return (float("nan") if column == "kit_owed" and value is None else value), is_read


@breaks("value-code")
class OtherCodes(Sound):
    def value(self, column, cell):
        value, is_read = super().value(column, cell)
        return (value.upper() if column == "kit_tenure" and value else value), is_read


@breaks("uprn-range")
class LongUprn(Sound):
    def value(self, column, cell):
        value, is_read = super().value(column, cell)
        return (value * 10_000 if column == "uprn" and value else value), is_read


@breaks("column-renamed")
class Forgiving(Sound):
    def check_header(self, path, names):
        pass

    def records(self, context, name, batch):
        missing = dict.fromkeys(HEADER, "")
        return super().records(context, name, [(row, missing | cells) for row, cells in batch])


@breaks("quotes-cells")
class Quotes(Sound):
    def records(self, context, name, batch):
        for _, cells in batch:
            if not self.value("uprn", cells["UPRN"])[1]:
                problem = f"{cells['UPRN']} is no UPRN"
                raise PluginError(f"{name}, column UPRN", problem, "Correct it")
        return super().records(context, name, batch)


@breaks("breaks-on-nonsense")
class Strict(Sound):
    def value(self, column, cell):
        if column == "uprn":
            if not cell.isdigit():
                raise RuntimeError("that is no number")
            return int(cell), True
        return super().value(column, cell)


@breaks("empty-extract")
class NeverEmpty(Sound):
    def read(self, context):
        found = list(super().read(context))
        if not found:
            raise IndexError("list index out of range")
        yield from found


@breaks("source-memory")
class Hoards(Sound):
    def read(self, context):
        held = bytearray()
        for records in super().read(context):
            held += b"x" * (len(records.data) * 12_000)
            yield records


@breaks("source-slow")
class Dawdles(Sound):
    def read(self, context):
        for records in super().read(context):
            time.sleep(len(records.data) / 100_000)
            yield records


@hookimpl
def folkmoot_data_sources():
    return [Sound, *SOURCES.values()]
