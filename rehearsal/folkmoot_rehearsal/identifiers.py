"""Identifiers that look real and belong to nobody.

Councils' files hold them beside what is mapped; no mapping names them, so no node reads
them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.str_]

_SURNAMES = np.array(
    ["Ahmed", "Brennan", "Clegg", "Dvořáková", "Entwistle", "Farrow", "Grimshaw", "Hussain",
     "Iqbal", "Jagger", "Kowalska", "Lomax", "Müller", "Núñez", "O'Shea", "Pickles", "Quirk",
     "Ramsbottom", "Siddiqui", "Taylor-Webb", "Umeh", "Vasquez", "Whittaker", "Özdemir"]
)  # fmt: skip
_WESTERN_SURNAMES = np.array(
    ["Ahmed", "Brennan", "Clegg", "Entwistle", "Farrow", "Grimshaw", "Hussain", "Lefèvre",
     "Müller", "Núñez", "Økland", "Ramsbottom", "Siddiqui", "Šimek", "Whittaker"]
)  # fmt: skip
"""Characters that cp1252 has, some of them only there."""
_FORENAMES = np.array(
    ["Aisha", "Bartosz", "Chloé", "David", "Eleanor", "Farah", "George", "Hana", "Imran", "José",
     "Kathleen", "Liam", "Maria", "Noor", "Oluwaseun", "Priya", "Renée", "Siobhán", "Tomasz"]
)  # fmt: skip


def surnames(size: int, rng: np.random.Generator, *, western: bool = False) -> Texts:
    """Surnames: text, shape (size,), none empty; with `western` only of code page 1252."""
    return rng.choice(_WESTERN_SURNAMES if western else _SURNAMES, size=size)


def forenames(size: int, rng: np.random.Generator) -> Texts:
    """Forenames, some with accents: text, shape (size,), none empty."""
    return rng.choice(_FORENAMES, size=size)


def nhs_numbers(size: int, rng: np.random.Generator) -> Texts:
    """NHS numbers of ten digits with valid check digits, in the 999 range kept for tests.

    The check digit is 11 less the remainder by 11 of the sum of the first nine digits
    weighted 10 to 2; 11 becomes 0, and numbers for which it is 10 are not issued. Source:
    NHS Data Dictionary, NHS Number.

    Returns:
        Text, shape (size,), none empty.
    """
    kept: list[str] = []
    while len(kept) < size:
        serial = rng.integers(0, 1_000_000, size=size + 20)
        digits = np.concatenate(
            [np.full((len(serial), 3), 9), serial[:, None] // 10 ** np.arange(5, -1, -1) % 10],
            axis=1,
        )
        check = (11 - digits @ np.arange(10, 1, -1) % 11) % 11
        kept += [f"999{s:06d}{c}" for s, c in zip(serial, check, strict=True) if c != 10]
    return np.array(kept[:size], dtype=np.str_)


def national_insurance_numbers(size: int, rng: np.random.Generator) -> Texts:
    """National insurance numbers from QQ, never issued: text, shape (size,), none empty."""
    serial = rng.integers(0, 1_000_000, size=size)
    suffix = rng.choice(np.array(list("ABCD")), size=size)
    return np.array(
        [f"QQ{s:06d}{letter}" for s, letter in zip(serial, suffix, strict=True)], dtype=np.str_
    )
