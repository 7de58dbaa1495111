"""The floor: what a data engineer would write by hand in Polars for one extract layout.

No plugin API, no validation, no quarantine, no linkage report, no encryption, no
explanation: extracts in, contributions out, with the arithmetic of the twelve factors
at their default parameters. A row that stands there twice counts once, as with the node:
without that, the sums of the two would differ.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs


def run(
    extracts: Path,
    out: Path,
    reference: datetime.date,
    weights: dict[str, float],
    bands: dict[str, float],
) -> None:
    """Scores two Parquet files and writes UPRN, contributions, score and band to Parquet."""
    accounts = pl.scan_parquet(extracts / "accounts.parquet").unique()
    people = pl.scan_parquet(extracts / "people.parquet").unique()
    score(accounts, people, out, reference, weights, bands)


def run_csv(
    extracts: Path,
    out: Path,
    reference: datetime.date,
    weights: dict[str, float],
    bands: dict[str, float],
    households: Sequence[str],
) -> None:
    """The same from CSV files: the first of `households` is the frame, the others are joined.

    Dates are written as DD/MM/YYYY, true and false as Y and N.
    """

    def scan(name: str) -> pl.LazyFrame:
        table = pl.scan_csv(extracts / f"{name}.csv", infer_schema_length=1000).with_columns(
            cs.matches("Date|From|Change|LastReport").str.to_date("%d/%m/%Y"),
            cs.matches("Support|Benefit|Credit|^Discount$|Services|Shielded") == "Y",
        )
        return table.unique()

    first, *others = households
    accounts = scan(first)
    for name in others:
        accounts = accounts.join(scan(name), on="UPRN", how="left")
    score(accounts, scan("people"), out, reference, weights, bands)


def score(
    accounts: pl.LazyFrame,
    people: pl.LazyFrame,
    out: Path,
    reference: datetime.date,
    weights: dict[str, float],
    bands: dict[str, float],
) -> None:
    """Joins people to accounts, and scores."""
    born = pl.col("DateOfBirth")
    in_year = born.dt.month().cast(pl.Int32) * 32 + born.dt.day()
    birthday_to_come = in_year > reference.month * 32 + reference.day
    grouped = (
        people.with_columns(
            age=reference.year - born.dt.year() - birthday_to_come.cast(pl.Int32),
            # False, unknown, true in ascending order: a maximum is Kleene's "any".
            shielded=(pl.col("Shielded").cast(pl.Int8) * 2).fill_null(1),
            care=pl.col("Care").cast(pl.Enum(["none", "low", "medium", "high"])).to_physical(),
        )
        .group_by("UPRN")
        .agg(
            people=pl.col("Person").n_unique(),
            oldest=pl.col("age").max(),
            youngest=pl.col("age").min(),
            shielded=pl.col("shielded").max(),
            care=pl.col("care").max(),
        )
    )
    factors = _factors(reference)
    contributions = [  # scores of factors are whole thousandths, as the node's are
        ((factors[name] * 1000).round(0, mode="half_to_even") / 1000 * weight).alias(name)
        for name, weight in weights.items()
    ]
    total = pl.sum_horizontal(*weights).round(6)
    (
        accounts.join(grouped, on="UPRN", how="left")
        .select("UPRN", *contributions)
        .with_columns(score=total)
        .with_columns(
            pl.col(list(weights)).cast(pl.Float32),
            pl.col("score").cast(pl.Float32),
            band=pl.sum_horizontal(
                (pl.col("score") >= low).cast(pl.UInt8) for low in list(bands.values())[1:]
            ),
        )
        .sink_parquet(out)
    )


def _recency(column: str, reference: datetime.date, full: float, none: float) -> pl.Expr:
    days = (pl.lit(reference) - pl.col(column)).dt.total_days()
    return ((days - none) / (full - none)).clip(0, 1)


def _flag(condition: pl.Expr) -> pl.Expr:
    return condition.cast(pl.Float64)


def _factors(reference: datetime.date) -> dict[str, pl.Expr]:
    owed = pl.col("Arrears").fill_null(0) + pl.col("RentArrears").fill_null(0)
    supported = pl.any_horizontal("Support", "HousingBenefit", "UniversalCredit").fill_null(False)
    hardship = (owed / 2000 + supported.cast(pl.Float64) * 0.2).clip(upper_bound=1)

    age, people, kind = pl.col("oldest"), pl.col("people"), pl.col("Type")
    alone_type = kind.is_in(["one_person_66_over", "one_person_other"])
    alone = (people == 1) | (
        people.is_null() & (alone_type | (kind.is_null() & pl.col("Discount"))).fill_null(False)
    )
    together = (people > 1) | (people.is_null() & ~alone_type.fill_null(True))
    isolation = (
        pl.when(together.fill_null(False) | (age < 65).fill_null(False))
        .then(0.0)
        .when(alone.fill_null(False))
        .then((0.6 + (age - 65) * 0.02).clip(upper_bound=1))
    )

    reports = pl.col("Reports")
    weight = (0.6 + (reports.fill_null(1).clip(lower_bound=1) - 1) * (0.4 / 3)).clip(upper_bound=1)
    abuse = (
        pl.when(reports == 0)
        .then(0.0)
        .otherwise(weight * _recency("LastReport", reference, 90, 730))
    )

    change = (
        pl.when(~pl.col("Discount"))
        .then(0.0)
        .otherwise(_recency("DiscountFrom", reference, 180, 730))
    )
    tenancy = _recency("TenancyChange", reference, 180, 730)
    latest = pl.max_horizontal(change, tenancy)
    breakdown = (
        pl.when(~(change.is_null() & (latest == 0)).fill_null(False)).then(latest)
    ) * pl.when(pl.col("ChildrenServices")).then(1.0).otherwise(0.7)

    return {
        "financial_hardship": pl.when(~(pl.col("Arrears").is_null() & (hardship == 0))).then(
            hardship
        ),
        "isolation": isolation,
        "clinical_vulnerability": pl.when(pl.col("shielded") != 1).then(pl.col("shielded") / 2),
        "social_care_need": pl.col("care").replace_strict(
            [0, 1, 2, 3], [0.0, 0.4, 0.7, 1.0], return_dtype=pl.Float64
        ),
        "domestic_abuse": abuse,
        "relationship_breakdown": breakdown,
        "social_renting": _flag(pl.col("Tenure") == "social_rented"),
        "lone_parent": _flag(kind == "lone_parent"),
        "young_child": _flag(pl.col("youngest") < 5),
        "large_household": _flag(people >= 6),
        "rent_in_arrears": _flag(pl.col("RentArrears") > 500),
        "very_old": _flag(age >= 85),
    }
