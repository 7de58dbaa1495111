"""A council's extract files, as its systems would write them, and their mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_rehearsal import death_notices, disorder, identifiers, unmatched
from folkmoot_rehearsal.codes import HOUSEHOLD_TYPE_OF
from folkmoot_rehearsal.extract_file import Extract
from folkmoot_rehearsal.misspelling import MIDDLING
from folkmoot_rehearsal.outcomes.dated import dated
from folkmoot_rehearsal.outcomes.events import Lived
from folkmoot_rehearsal.outcomes.outcome_extracts import outcome_frames
from folkmoot_rehearsal.person_columns import INDEX, described, postcodes
from folkmoot_rehearsal.population import ROUNDED, Population
from folkmoot_rehearsal.rounding import Integers
from folkmoot_rehearsal.unmatched import AddressColumns

FRAME = "council_tax"
"""Source whose properties are the households that are scored."""

_HOUSEHOLD_TYPE_CODES = np.array(["1P66", "1P", "CPL", "CPLCH", "LP", "OTH"])


def extracts(
    population: Population, rng: np.random.Generator, lived: Lived | None = None
) -> Iterator[Extract]:
    """Makes the extracts of a council one by one, with what is wrong with real ones.

    Args:
        population: The council.
        rng: Source of randomness for what is wrong with the files.
        lived: Its last two years, if outcomes are rehearsed: extracts then have rows for what
            changed, and there are some more.
    """
    makers: tuple[Callable[[Population, np.random.Generator], Extract], ...] = (
        _council_tax,
        _llpg,
        _residents,
        _housing,
        _housing_benefit,
        _rents,
        _adult_social_care,
        _shielded_list,
        _domestic_abuse,
        _childrens_services,
        _deaths,
    )
    for maker in makers:
        made = maker(population, rng)
        if lived is not None:
            frame, line = dated(made.source, made.frame, population, lived, rng)
            made = replace(made, frame=frame, record_date=line)
        first = 1 if made.file.endswith(".parquet") else 2
        frame, truth = unmatched.set_apart(made.frame, made.source, first)
        yield replace(made, frame=frame, truth=truth)
    for name, frame in (outcome_frames(population, lived, rng) if lived else {}).items():
        yield Extract(name, f"{name}.csv", frame, f"{name}.toml")


def write(
    population: Population, rng: np.random.Generator, folder: Path, lived: Lived | None = None
) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Writes a council's extract files and mappings.

    Args:
        population: The council.
        rng: Source of randomness for what is wrong with the files.
        folder: Receives `extracts/` and `mappings/`.
        lived: As for `extracts`.

    Returns:
        Names of the sources, the frame first; the mapping of each is
        `mappings/<name>.toml`. The truth about records without a UPRN: one row for each, with
        the columns and nulls of `unmatched.no_truth`.
    """
    (folder / "extracts").mkdir(parents=True, exist_ok=True)
    (folder / "mappings").mkdir(exist_ok=True)
    shipped = resources.files("folkmoot_rehearsal") / "mappings"
    names, truths = [], [unmatched.no_truth()]
    for extract in extracts(population, rng, lived):
        extract.write(folder / "extracts")
        mapping = (shipped / extract.mapping).read_text("utf-8")
        mapping = mapping.replace("\nuprn = ", f"\n{extract.record_date}uprn = ", 1)
        (folder / "mappings" / f"{extract.source}.toml").write_text(mapping, "utf-8")
        names.append(extract.source)
        truths.append(extract.truth)
    return tuple(names), pl.concat(truths)


def _council_tax(population: Population, rng: np.random.Generator) -> Extract:
    known = population.circumstances
    n = len(population.uprn)
    discount = ~np.isnat(known.single_person_discount_from)
    frame = pl.DataFrame(
        {
            "account": _references(n, 10_000_000, rng),
            "uprn": population.uprn,
            "party": identifiers.surnames(n, rng),
            "band": rng.choice(np.array(list("ABCDEFGH")), size=n),
            "discount": discount,
            "since": known.single_person_discount_from,
            "support": known.council_tax_support,
            "arrears": known.council_tax_arrears,
            "extracted": [population.today] * n,
            "address": [home.in_gazetteer for home in population.addresses],
            "postcode": [home.postcode for home in population.addresses],
        }
    )
    former = frame.filter(pl.Series(rng.random(n) < disorder.SECOND_ACCOUNT))
    former = former.with_columns(
        account=pl.col("account") + 50_000_000,
        discount=pl.lit(False),
        since=pl.lit(None, pl.Date),
        support=pl.lit(False),
        arrears=pl.Series(np.round(rng.uniform(50, 1500, size=former.height), 2)),
    )
    frame = pl.concat([frame, former])
    second = population.council.index % 2 == 1
    dates = "%Y-%m-%d" if second else "%d/%m/%Y"
    yes, no = ("1", "0") if second else ("Y", "N")
    frame = frame.select(
        pl.col("account", "uprn").cast(pl.String),
        pl.col("party", "band"),
        pl.when("discount")
        .then(pl.lit("1" if second else "SPD"))
        .otherwise(pl.lit("0" if second else "NONE"))
        .alias("discount"),
        pl.col("since").dt.strftime(dates),
        pl.when("support").then(pl.lit(yes)).otherwise(pl.lit(no)).alias("support"),
        _money("arrears"),
        pl.col("extracted").dt.strftime(dates),
        pl.col("address", "postcode"),
    )
    frame = disorder.blanked(frame, {"arrears": disorder.BLANK / 3, "since": disorder.BLANK}, rng)
    bad = {
        "uprn": disorder.BAD_UPRNS,
        "arrears": disorder.BAD_AMOUNTS,
        "discount": ("?", "SPX"),
        "since": disorder.BAD_DATES,
    }
    frame = disorder.shuffled(disorder.spoiled(frame, bad, rng), rng)
    if second:
        frame.columns = [
            "ACCT_NO", "PROP_UPRN", "NAME", "CTAX_BAND", "SPD_IND", "SPD_START", "CTR_IND",
            "OS_DEBT", "EXTRACT_DT", "PROP_ADDR", "PROP_PCODE",
        ]  # fmt: skip
        return Extract(
            FRAME, "council_tax.csv", frame, "council_tax_second_supplier.toml", "utf-8-sig", "|"
        )
    frame.columns = [
        "AccountReference", "UPRN", "LiableParty", "Band", "Discount", "DiscountFrom", "Support",
        "Arrears", "ExtractedOn", "PropertyAddress", "Postcode",
    ]  # fmt: skip
    return Extract(FRAME, "council_tax.csv", frame, "council_tax.toml")


def _llpg(population: Population, rng: np.random.Generator) -> Extract:
    n = len(population.uprn)
    area = population.households.area
    frame = pl.DataFrame(
        {
            "UPRN": population.uprn.astype(str),
            "CLASS": rng.choice(np.array(["RD02", "RD03", "RD04", "RD06"]), size=n),
            "ADDRESS": [home.in_gazetteer for home in population.addresses],
            "POSTCODE": [home.postcode for home in population.addresses],
            "LSOA21CD": np.array(population.margins.lsoas)[area],
            "WD24CD": np.array(population.margins.wards)[area],
        }
    ).filter(pl.Series(rng.random(n) >= disorder.NOT_LISTED))
    frame = disorder.spoiled(frame, {"UPRN": disorder.BAD_UPRNS, "LSOA21CD": ("E0100",)}, rng)
    return Extract("llpg", "llpg.csv.gz", disorder.shuffled(frame, rng), "llpg.toml")


def _residents(population: Population, rng: np.random.Generator) -> Extract:
    people, homes = population.people, population.homes
    households = len(population.uprn)
    named = described(population, homes.person, postcodes(population)[homes.household], INDEX, rng)
    frame = pl.DataFrame(
        {
            "PersonReference": population.person[homes.person],
            "UPRN": population.uprn[homes.household],
            "Surname": named["surname"],
            "Forename": named["forename"],
            "DateOfBirth": named["date_of_birth"],
            "Sex": np.where(people.female[homes.person], "F", "M"),
            "Postcode": named["postcode"],
            "MovedIn": homes.since,
        }
    )
    recorded = rng.random(households) >= disorder.NOT_RECORDED
    frame = frame.filter(pl.Series(recorded[homes.household]))

    twice = frame.filter(pl.Series(rng.random(frame.height) < disorder.REPEATED_PERSON))
    twice = twice.with_columns(PersonReference=pl.col("PersonReference") + 90_000_000)
    frame = pl.concat([frame, twice, _care_home_residents(population, frame.height, rng)])
    frame = unmatched.addressed(frame, population, rng, AddressColumns())
    frame = frame.with_columns(
        pl.col("PersonReference", "UPRN").cast(pl.String),
        pl.col("DateOfBirth", "MovedIn").dt.strftime("%d/%m/%Y"),
    )
    frame = disorder.repeated(frame, disorder.REPEATED_ROW, rng)
    frame = disorder.blanked(frame, {"DateOfBirth": disorder.BLANK}, rng)
    bad = {"UPRN": disorder.BAD_UPRNS, "DateOfBirth": disorder.BAD_DATES}
    frame = disorder.shuffled(disorder.spoiled(frame, bad, rng), rng)
    return Extract("residents", "residents.csv", frame, "residents.toml")


def _care_home_residents(
    population: Population, residents: int, rng: np.random.Generator
) -> pl.DataFrame:
    """People in care homes: properties of which no other file knows."""
    n = max(2, round(residents * disorder.IN_CARE_HOMES))
    homes = population.uprn.max() + 1 + rng.integers(0, max(1, n // 30), size=n)
    homes += homes % ROUNDED == 0
    born = np.datetime64(population.today, "D") - rng.integers(68 * 366, 98 * 365, size=n)
    return pl.DataFrame(
        {
            "PersonReference": 80_000_000 + np.arange(n),
            "UPRN": homes,
            "Surname": identifiers.surnames(n, rng),
            "Forename": identifiers.forenames(n, rng),
            "DateOfBirth": born,
            "Sex": np.where(rng.random(n) < 0.7, "F", "M"),
            "Postcode": [f"ZZ99 9A{letter}" for letter in np.array(list("ABDEF"))[homes % 5]],
            "MovedIn": np.datetime64(population.today, "D") - rng.integers(1, 1500, size=n),
        }
    )


def _housing(population: Population, rng: np.random.Generator) -> Extract:
    drawn = population.households
    household_type = np.array(HOUSEHOLD_TYPE_OF)[drawn.composition]
    frame = pl.DataFrame(
        {
            "UPRN": population.uprn.astype(str),
            "Tenure": (drawn.tenure + 1).astype(str),
            "HouseholdType": _HOUSEHOLD_TYPE_CODES[household_type],
        }
    ).filter(pl.Series(rng.random(len(drawn.size)) >= disorder.NOT_SURVEYED))
    blank = {"Tenure": disorder.BLANK, "HouseholdType": disorder.BLANK / 2}
    frame = disorder.blanked(frame, blank, rng)
    bad = {"Tenure": ("9", "ZZ"), "HouseholdType": ("HMO?",), "UPRN": disorder.BAD_UPRNS}
    frame = disorder.shuffled(disorder.spoiled(frame, bad, rng), rng)
    return Extract("housing", "housing_survey.csv", frame, "housing.toml")


def _housing_benefit(population: Population, rng: np.random.Generator) -> Extract:
    known = population.circumstances
    claims = np.flatnonzero(
        known.housing_benefit | known.universal_credit | known.council_tax_support
    )
    n = len(claims)
    benefit = known.housing_benefit[claims]
    frame = pl.DataFrame(
        {
            "CLAIM_REF": _references(n, 3_000_000, rng).astype(str),
            "UPRN": population.uprn[claims].astype(str),
            "NINO": identifiers.national_insurance_numbers(n, rng),
            "HB_IND": np.where(benefit, "Y", "N"),
            "UC_IND": np.where(known.universal_credit[claims], "Y", "N"),
            "WEEKLY_HB": [f"{v:.2f}" for v in np.where(benefit, rng.gamma(9, 13, size=n), 0)],
        }
    )
    columns = AddressColumns("UPRN", "ADDRESS", "POSTCODE")
    frame = unmatched.addressed(frame, population, rng, columns)
    frame = disorder.repeated(frame, disorder.REPEATED_ROW, rng)
    frame = disorder.blanked(frame, {"UC_IND": disorder.BLANK}, rng)
    bad = {"UPRN": disorder.BAD_UPRNS, "HB_IND": ("1", "?")}
    frame = disorder.shuffled(disorder.spoiled(frame, bad, rng), rng)
    return Extract(
        "housing_benefit", "housing_benefit.csv", frame, "housing_benefit.toml", "latin-1"
    )


def _rents(population: Population, rng: np.random.Generator) -> Extract:
    known = population.circumstances
    tenants = np.flatnonzero(known.council_tenant)
    n = len(tenants)
    frame = pl.DataFrame(
        {
            "Tenancy": _references(n, 400_000, rng).astype(str),
            "UPRN": population.uprn[tenants].astype(str),
            "Tenant": identifiers.surnames(n, rng, western=True),
            "Arrears £": known.rent_arrears[tenants],
            "Joint to sole": known.tenancy_change[tenants],
        }
    ).with_columns(
        _money("Arrears £"), pl.col("Joint to sole").dt.strftime("%d-%b-%Y").fill_null("-")
    )
    frame = unmatched.addressed(frame, population, rng, AddressColumns())
    frame = disorder.blanked(frame, {"Arrears £": disorder.BLANK}, rng)
    bad = {"UPRN": disorder.BAD_UPRNS, "Arrears £": disorder.BAD_AMOUNTS}
    frame = disorder.shuffled(disorder.spoiled(frame, bad, rng), rng)
    return Extract("rents", "rents.csv", frame, "rents.toml", "cp1252", ";")


def _adult_social_care(population: Population, rng: np.random.Generator) -> Extract:
    care = population.circumstances.care
    cared = np.flatnonzero(care > 0)
    n = len(cared)
    household = population.people.household[cared]
    started = np.datetime64(population.today, "D") - rng.integers(20, 2500, size=n)
    frame = pl.DataFrame(
        {
            "person_id": [f"ASC{number}" for number in _references(n, 60_000, rng)],
            "uprn": population.uprn[household].astype(str),
            "package": np.array(["N", "L", "M", "H"])[care[cared]],
            "start_date": started.astype(str),
        },
        schema=dict.fromkeys(("person_id", "uprn", "package", "start_date"), pl.String),
    )
    postcode = postcodes(population)[household]
    frame = frame.hstack(described(population, cared, postcode, MIDDLING, rng))
    columns = AddressColumns("uprn", "address", "postcode")
    frame = unmatched.addressed(frame, population, rng, columns, no_address=disorder.NO_ADDRESS)
    frame = disorder.shuffled(disorder.spoiled(frame, {"package": ("X", "?")}, rng), rng)
    frame = frame.with_columns(pl.col("uprn").cast(pl.Int64), pl.col("start_date").str.to_date())
    return Extract(
        "adult_social_care", "adult_social_care.parquet", frame, "adult_social_care.toml"
    )


def _shielded_list(population: Population, rng: np.random.Generator) -> Extract:
    people = np.flatnonzero(population.circumstances.shielded)
    n = len(people)
    household = population.people.household[people]
    named = described(population, people, postcodes(population)[household], MIDDLING, rng)
    frame = pl.DataFrame(
        {
            "ListReference": _references(n, 700_000, rng).astype(str),
            "NHSNumber": population.identities.nhs_number[people],
            "Forename": named["forename"],
            "Surname": named["surname"],
            "DateOfBirth": named["date_of_birth"].dt.strftime("%d/%m/%Y"),
            "Postcode": named["postcode"],
            "UPRN": population.uprn[household].astype(str),
            # Somebody whom a doctor has taken off the list again stays in it with a no.
            "Flag": np.where(rng.random(n) < 0.97, "Y", "N"),
        }
    )
    columns = AddressColumns()
    frame = unmatched.addressed(frame, population, rng, columns, no_address=disorder.NO_ADDRESS)
    bad = {"UPRN": disorder.BAD_UPRNS, "Flag": ("X",)}
    frame = disorder.shuffled(disorder.spoiled(frame, bad, rng), rng)
    return Extract("shielded_list", "shielded_list.csv", frame, "shielded_list.toml")


def _domestic_abuse(population: Population, rng: np.random.Generator) -> Extract:
    known = population.circumstances
    reported = np.flatnonzero(known.abuse_reports > 0)
    n = len(reported)
    frame = pl.DataFrame(
        {
            "Reference": _references(n, 20_000, rng).astype(str),
            "UPRN": population.uprn[reported].astype(str),
            "LastReport": known.abuse_last[reported].astype(str),
            "Reports": known.abuse_reports[reported].astype(str),
            "Risk": rng.choice(np.array(["standard", "medium", "high"]), size=n),
        }
    )
    frame = disorder.blanked(frame, {"UPRN": disorder.NO_UPRN_NO_ADDRESS}, rng)
    bad = {"LastReport": disorder.BAD_DATES, "Reports": ("-1", "many")}
    frame = disorder.shuffled(disorder.spoiled(frame, bad, rng), rng)
    return Extract("domestic_abuse", "domestic_abuse.csv", frame, "domestic_abuse.toml")


def _childrens_services(population: Population, rng: np.random.Generator) -> Extract:
    known = np.flatnonzero(population.circumstances.children_services)
    closed = rng.choice(population.uprn, size=max(1, len(known) // 5))
    n = len(known) + len(closed)
    status = rng.choice(np.array(["CIN", "CP", "CLA"]), p=(0.78, 0.12, 0.10), size=n)
    status = np.where(np.arange(n) < len(known), status, "CLOSED")
    frame = pl.DataFrame(
        {
            "ChildReference": [f"C{number}" for number in _references(n, 90_000, rng)],
            "UPRN": np.concatenate([population.uprn[known], closed]).astype(str),
            "Status": status,
        }
    )
    frame = disorder.shuffled(disorder.spoiled(frame, {"Status": ("TBC",)}, rng), rng)
    return Extract(
        "childrens_services",
        "childrens_services.csv",
        frame,
        "childrens_services.toml",
        "utf-16",
        "\t",
    )


def _deaths(population: Population, rng: np.random.Generator) -> Extract:
    frame = death_notices.notices(population, rng)
    frame = disorder.shuffled(disorder.spoiled(frame, {"Status": ("?",)}, rng), rng)
    return Extract("deaths", "deaths.csv", frame, "deaths.toml")


def _references(size: int, first: int, rng: np.random.Generator) -> Integers:
    """Distinct reference numbers in random order."""
    return first + rng.permutation(size).astype(np.int64)


def _money(column: str) -> pl.Expr:
    """Pounds and pence as text."""
    pence = (pl.col(column) * 100).round().cast(pl.Int64)
    return pl.format("{}.{}", pence // 100, (pence % 100).cast(pl.String).str.zfill(2)).alias(
        column
    )
