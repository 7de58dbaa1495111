"""Writes the sample export: tenants who do not exist. `python samples/make.py`"""

import csv
import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

FOLDER = Path(__file__).resolve().parent / "export"
DAY = datetime.date


def table(name, header, *rows):
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


FOLDER.mkdir(exist_ok=True)
table(
    "homes.csv",
    ("property_ref", "uprn"),
    ("P1", "990000000001"),
    ("P2", "990000000002"),
    ("P3", "none yet"),
    ("P4", ""),
)
table(
    "accounts.csv",
    ("tenancy_ref", "balance"),
    ("T1", "-250.75"),
    ("T2", "12.00"),
    ("T3", "-80"),
    ("T4", "-1,000"),
    ("T5", "-40"),
    ("T6", ""),
    ("T9", "-5"),
)
tenancies = [
    ("T1", "P1", DAY(2019, 5, 1), None, DAY(2026, 2, 3)),
    ("T2", "P1", DAY(2021, 1, 1), None, None),
    ("T3", "P2", DAY(2015, 7, 9), DAY(2025, 12, 31), None),
    ("T4", "P2", DAY(2026, 1, 1), None, None),
    ("T5", "P3", DAY(2020, 3, 1), None, None),
    ("T6", "P4", None, None, None),
]
names = ("tenancy_ref", "property_ref", "start_date", "end_date", "notice_date")
types = (pa.string(), pa.string(), pa.date32(), pa.date32(), pa.date32())
pyarrow.parquet.write_table(
    pa.table(
        {
            name: pa.array([row[at] for row in tenancies], kind)
            for at, (name, kind) in enumerate(zip(names, types, strict=True))
        }
    ),
    FOLDER / "tenancies.parquet",
)
