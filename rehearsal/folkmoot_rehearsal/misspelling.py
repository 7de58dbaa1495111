"""What goes wrong when somebody writes down who a person is.

All rates are assumed, for a system of good and one of middling care; each error is drawn
independently of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from folkmoot_rehearsal.names import Texts

_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))

SHORT_FORMS = {
    "Margaret": "Maggie", "Susan": "Sue", "Elizabeth": "Liz", "Patricia": "Pat",
    "Jennifer": "Jenny", "Christine": "Chris", "Samantha": "Sam", "Deborah": "Debbie",
    "Rebecca": "Becky", "Katherine": "Kate", "Catherine": "Cath", "Victoria": "Vicky",
    "Jacqueline": "Jackie", "Alexander": "Alex", "Christopher": "Chris", "Stephen": "Steve",
    "Steven": "Steve", "Michael": "Mike", "Robert": "Bob", "William": "Bill", "Richard": "Dick",
    "James": "Jim", "Thomas": "Tom", "Daniel": "Dan", "Matthew": "Matt", "Andrew": "Andy",
    "Anthony": "Tony", "Joseph": "Joe", "Joshua": "Josh", "Benjamin": "Ben", "Samuel": "Sam",
    "Edward": "Ted", "Timothy": "Tim", "Nicholas": "Nick", "Geoffrey": "Geoff", "Kenneth": "Ken",
    "Ronald": "Ron", "Raymond": "Ray", "Terence": "Terry", "Philip": "Phil", "David": "Dave",
    "Mohammed": "Mohd", "Muhammad": "Mohammad", "Theodore": "Teddy", "Harold": "Harry",
    "Charlotte": "Lottie", "Abigail": "Abbie", "Isabella": "Bella", "Eleanor": "Ellie",
    "Jessica": "Jess", "Amanda": "Mandy", "Barbara": "Babs", "Dorothy": "Dot", "Peter": "Pete",
    "Jonathan": "Jon", "Frances": "Fran", "Gillian": "Jill", "Stephanie": "Steph",
    "Kathleen": "Kath", "Albert": "Bert", "Arthur": "Art", "Gerald": "Gerry", "Leslie": "Les",
}  # fmt: skip
"""Written in part as what people call themselves: not all of them stand in the node's list."""


@dataclass(frozen=True, slots=True)
class Carelessness:
    """Shares of records, from 0 to 1, in which something is wrong.

    Attributes:
        name_typed: Forename, and likewise surname, with one letter wrong, missing, doubled or
            two exchanged.
        short_form: Of those whose name has one, forename in its short form.
        initial: Forename as an initial.
        names_swapped: Forename and surname in each other's place.
        former_name: Of those who took another name, the surname they had before.
        date_typed: Date of birth with another day, month or year, by one digit.
        date_swapped: Day and month of birth exchanged, where that gives a date.
        first_of_january: Day and month of birth unknown, written as 1 January.
        no_date: Date of birth missing.
        no_forename: Forename missing.
        no_postcode: Postcode missing.
        old_postcode: Another postcode, of an earlier home.
        no_nhs_number: NHS number missing.
        wrong_nhs_number: NHS number of somebody else.
    """

    name_typed: float
    short_form: float
    initial: float
    names_swapped: float
    former_name: float
    date_typed: float
    date_swapped: float
    first_of_january: float
    no_date: float
    no_forename: float
    no_postcode: float
    old_postcode: float
    no_nhs_number: float
    wrong_nhs_number: float


CAREFUL = Carelessness(
    name_typed=0.01,
    short_form=0.02,
    initial=0.005,
    names_swapped=0.002,
    former_name=0.02,
    date_typed=0.01,
    date_swapped=0.003,
    first_of_january=0.003,
    no_date=0.012,
    no_forename=0.003,
    no_postcode=0.005,
    old_postcode=0.02,
    no_nhs_number=0.02,
    wrong_nhs_number=0.001,
)
MIDDLING = Carelessness(
    name_typed=0.03,
    short_form=0.12,
    initial=0.02,
    names_swapped=0.006,
    former_name=0.10,
    date_typed=0.025,
    date_swapped=0.008,
    first_of_january=0.008,
    no_date=0.03,
    no_forename=0.01,
    no_postcode=0.04,
    old_postcode=0.10,
    no_nhs_number=0.25,
    wrong_nhs_number=0.003,
)


def misspelt(
    people: pl.DataFrame, maiden: Texts, rates: Carelessness, rng: np.random.Generator
) -> pl.DataFrame:
    """People as a source describes them.

    Args:
        people: `forename`, `surname`, `date_of_birth` (Date), `nhs_number`, `postcode`; one
            row each.
        maiden: The surname that each had before.
        rates: What goes wrong how often.
        rng: Source of randomness.

    Returns:
        The same columns and rows, with null for what is missing.
    """
    n = people.height

    def happens(rate: float) -> pl.Series:
        return pl.Series(rng.random(n) < rate, dtype=pl.Boolean)

    short = pl.col("forename").replace(SHORT_FORMS)
    people = people.with_columns(
        pl.when(happens(rates.short_form)).then(short).otherwise("forename").alias("forename"),
        pl.when(happens(rates.former_name))
        .then(pl.Series(maiden, dtype=pl.String))
        .otherwise("surname")
        .alias("surname"),
    )
    people = people.with_columns(
        _typed(people["forename"], happens(rates.name_typed), _slip, rng),
        _typed(people["surname"], happens(rates.name_typed), _slip, rng),
    )
    initial, swapped = happens(rates.initial), happens(rates.names_swapped)
    people = people.with_columns(
        pl.when(initial)
        .then(pl.col("forename").str.head(1))
        .otherwise("forename")
        .alias("forename")
    )
    people = people.with_columns(
        pl.when(swapped).then("surname").otherwise("forename").alias("forename"),
        pl.when(swapped).then("forename").otherwise("surname").alias("surname"),
    )
    text = people["date_of_birth"].dt.strftime("%Y%m%d").alias("date_of_birth")
    text = _typed(text, happens(rates.date_typed), _another_date, rng)
    exchanged = text.str.slice(0, 4) + text.str.slice(6, 2) + text.str.slice(4, 2)
    january = text.str.slice(0, 4) + "0101"
    people = people.with_columns(
        text,
        exchanged=exchanged.str.to_date("%Y%m%d", strict=False).dt.strftime("%Y%m%d"),
        january=january,
        other_postcode=pl.Series(people["postcode"].to_numpy()[rng.permutation(n)]),
        other_number=pl.Series(people["nhs_number"].to_numpy()[rng.permutation(n)]),
    )
    born = (
        pl.when(happens(rates.first_of_january))
        .then("january")
        .when(happens(rates.date_swapped))
        .then(pl.coalesce("exchanged", "date_of_birth"))
        .otherwise("date_of_birth")
    )
    return people.select(
        pl.when(~happens(rates.no_forename)).then("forename").alias("forename"),
        pl.col("surname"),
        pl.when(~happens(rates.no_date)).then(born).str.to_date("%Y%m%d").alias("date_of_birth"),
        pl.when(~happens(rates.no_nhs_number))
        .then(pl.when(happens(rates.wrong_nhs_number)).then("other_number").otherwise("nhs_number"))
        .alias("nhs_number"),
        pl.when(~happens(rates.no_postcode))
        .then(pl.when(happens(rates.old_postcode)).then("other_postcode").otherwise("postcode"))
        .alias("postcode"),
    )


def _typed(
    values: pl.Series,
    where: pl.Series,
    slip: Callable[[str, np.random.Generator], str],
    rng: np.random.Generator,
) -> pl.Series:
    rows = where.arg_true()
    return values.scatter(rows, [slip(value, rng) for value in values.gather(rows)])


def _slip(name: str, rng: np.random.Generator) -> str:
    """A name with one letter wrong, missing, doubled, or exchanged with the next."""
    at = int(rng.integers(len(name)))
    what = int(rng.integers(4))
    if what == 0 or len(name) < 3:
        return name[:at] + str(rng.choice(_LETTERS)) + name[at + 1 :]
    if what == 1:
        return name[:at] + name[at + 1 :]
    if what == 2:
        return name[: at + 1] + name[at:]
    at = min(at, len(name) - 2)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def _another_date(date: str, rng: np.random.Generator) -> str:
    """A date of eight digits in which one digit differs, and which exists."""
    while True:
        at = int(rng.integers(2, 8))
        changed = date[:at] + str(rng.integers(10)) + date[at + 1 :]
        year, month, day = int(changed[:4]), int(changed[4:6]), int(changed[6:])
        if changed != date and 1900 < year < 2027 and 1 <= month <= 12 and 1 <= day <= 28:
            return changed
