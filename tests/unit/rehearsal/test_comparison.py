"""Published estimates beside exact counts."""

import polars as pl
import pytest

from folkmoot_rehearsal.comparison import Agreement, agreements, with_truth


@pytest.fixture
def scored(tmp_path):
    """Two councils; one household of the first has no LSOA."""
    tables = {
        "E08000001": [("low", "E01000001"), ("low", "E01000001"), ("high", None)],
        "E08000002": [("low", "E01000002"), ("high", "E01000009")],
    }
    paths = {}
    for council, rows in tables.items():
        paths[council] = tmp_path / f"{council}.parquet"
        pl.DataFrame(
            {
                "uprn": range(len(rows)),
                "score": 1.0,
                "completeness": 1.0,
                "band": [band for band, _ in rows],
                "lsoa": [lsoa for _, lsoa in rows],
            }
        ).write_parquet(paths[council])
    return paths


def published(tmp_path, rows):
    """A published table: level, place, marginal, band, lsoa, value; intervals are +-1.

    Texts are enumerations of what occurs, as the coordinator writes them.
    """
    names = ("level", "place", "marginal", "band", "lsoa", "value")
    path = tmp_path / "published.parquet"
    table = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    texts = {name: table[name].cast(pl.String) for name in names[:-1]}
    table.with_columns(
        *(text.cast(pl.Enum(text.drop_nulls().unique())) for text in texts.values()),
        lower=pl.col("value") - 1,
        upper=pl.col("value") + 1,
        standard_error=pl.lit(0.5),
    ).write_parquet(path)
    return path


def test_each_row_has_its_exact_count(tmp_path, scored):
    rows = [
        ("council", "E08000001", "band", "low", None, 3),
        ("council", "E08000001", "band", "high", None, 7),
        ("council", "E08000002", "band", "low", None, 1),
        ("region", "Region", "band", "low", None, 3),
        ("region", "Region", "band", "none", None, 0),
        ("region", "Region", "total", None, None, 5),
        ("region", "Region", "band*lsoa", "low", "E01000001", 2),
        ("region", "Region", "band*lsoa", "high", "E01000002", 0),
        ("all_areas", "Region", "band*lsoa", "high", "(all)", 4),
    ]
    compared = with_truth(published(tmp_path, rows), scored)
    keys = ("level", "place", "marginal", "band", "lsoa")
    exact = {
        tuple(row[key] for key in keys): (row["true"], row["within"])
        for row in compared.iter_rows(named=True)
    }
    assert exact == {
        ("council", "E08000001", "band", "low", None): (2, True),
        ("council", "E08000001", "band", "high", None): (0, False),
        ("council", "E08000002", "band", "low", None): (1, True),
        ("region", "Region", "band", "low", None): (3, True),
        ("region", "Region", "band", "none", None): (0, True),
        ("region", "Region", "total", None, None): (3, False),
        ("region", "Region", "band*lsoa", "low", "E01000001"): (2, True),
        ("region", "Region", "band*lsoa", "high", "E01000002"): (0, True),
        # E01000009 is not among the round's areas and the other household has none: neither
        # has a cell in this round, and so neither is in any marginal of it.
        ("all_areas", "Region", "band*lsoa", "high", "(all)"): (0, False),
    }


def test_others_have_a_cell_where_the_round_gives_them_one(tmp_path, scored):
    rows = [
        ("region", "Region", "band", "high", None, 2),
        ("region", "Region", "band*lsoa", "low", "E01000001", 2),
        ("region", "Region", "band*lsoa", "high", "(other)", 2),
        ("all_areas", "Region", "band*lsoa", "low", "(all)", 3),
    ]
    compared = with_truth(published(tmp_path, rows), scored)
    found = {(row["band"], row["lsoa"]): row["true"] for row in compared.iter_rows(named=True)}
    assert found == {
        ("high", None): 2,
        ("low", "E01000001"): 2,
        ("high", "(other)"): 2,
        ("low", "(all)"): 3,
    }


def test_agreement_counts_by_level_and_marginal(tmp_path, scored):
    rows = [
        ("council", "E08000001", "band", "low", None, 2),
        ("council", "E08000001", "band", "high", None, 9),
        ("region", "Region", "band", "low", None, 3),
    ]
    compared = with_truth(published(tmp_path, rows), scored)
    assert agreements(compared) == [
        Agreement("council", "band", 2, 1),
        Agreement("region", "band", 1, 1),
    ]


def test_councils_that_refused_are_not_counted(tmp_path, scored):
    rows = [("region", "Region", "band", "low", None, 2)]
    one = {"E08000001": scored["E08000001"]}
    assert with_truth(published(tmp_path, rows), one)["true"].to_list() == [2]
