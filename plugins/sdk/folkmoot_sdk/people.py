"""Made-up people, for the files that a vendor tests a source with."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

_FORENAMES = (
    "Aisha", "Bronwen", "Callum", "Dilys", "Ewan", "Fatima", "Gethin", "Harriet", "Imran",
    "Jade", "Kwame", "Li", "Moira", "Nikhil", "Oluwaseun", "Zoë",
)  # fmt: skip
_SURNAMES = (
    "Ahmed", "Brown", "Campbell", "Davies", "Evans", "O'Neill", "Green", "Hughes", "Iqbal",
    "Jones", "Khan", "Lewis", "Mensah", "Núñez", "Patel", "Smith-Wright",
)  # fmt: skip
_STREETS = ("High Street", "Station Road", "Mill Lane", "St. John's Way", "Y Stryd Fawr")
_FIRST_UPRN = 990_000_000_001
"""Above the numbers in use; a UPRN has at most twelve digits."""
_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class MadeUpPerson:
    """Somebody who does not exist.

    Attributes:
        uprn: Of the home; about three people share one.
        address: Its lines, without the postcode.
        postcode: In an area that Royal Mail does not use.
        forename: With the letters that names in Britain have.
        surname: The same.
        date_of_birth: Up to 100 years before the reference date.
        nhs_number: Ten digits from the range for tests, with the right check digit.
    """

    uprn: int
    address: str
    postcode: str
    forename: str
    surname: str
    date_of_birth: datetime.date
    nhs_number: str


def people(count: int, today: datetime.date, seed: int = 20_260_401) -> tuple[MadeUpPerson, ...]:
    """Draws people: the same for the same arguments, whoever draws them.

    Args:
        count: How many.
        today: The reference date: nobody is born after it.
        seed: Of the generator.
    """
    generator = np.random.default_rng(seed)
    homes = generator.integers(0, max(1, count // 3), count)
    return tuple(_person(generator, int(home), today, at) for at, home in enumerate(homes))


def _person(
    generator: np.random.Generator, home: int, today: datetime.date, at: int
) -> MadeUpPerson:
    street = _STREETS[home % len(_STREETS)]
    return MadeUpPerson(
        uprn=_FIRST_UPRN + home,
        address=f"{home + 1} {street}, Madeup-on-Sea",
        postcode=f"ZZ{home % 90 + 1} {home % 9 + 1}AA",
        forename=_FORENAMES[generator.integers(len(_FORENAMES))],
        surname=_SURNAMES[generator.integers(len(_SURNAMES))],
        date_of_birth=today - datetime.timedelta(days=int(generator.integers(_DAYS))),
        nhs_number=_nhs_number(at),
    )


def _nhs_number(at: int) -> str:
    """The number at a place in the range for tests, which begins with 999.

    Source: NHS Data Dictionary, NHS NUMBER: the check digit is modulo 11, and a number for
    which it would be 10 is not used.
    """
    for offset in range(11):
        digits = f"999{(at * 11 + offset) % 1_000_000:06d}"
        weighted = sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True))
        check = (11 - weighted % 11) % 11
        if check < 10:
            return f"{digits}{check}"
    raise AssertionError("eleven numbers in a row have no check digit")
