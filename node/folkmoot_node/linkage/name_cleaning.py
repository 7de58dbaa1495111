"""Rewrites identifiers of people in the one spelling in which they are compared.

Names lose accents, case, punctuation, titles and suffixes; what stands for "not known" becomes
unknown. Nothing is guessed: what cannot be read as a postcode, a date of birth or an NHS number
is unknown.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache
from importlib import resources

import polars as pl

from folkmoot_node.linkage.postcode import compact, sector, whole
from folkmoot_sdk.schema import Identifier

NICKNAMES_FILE = "nicknames.txt"

MODEL_COLUMNS = (
    "forename",  # first forename: lower-case letters, no accents
    "forename_root",  # what it is short for, or itself; unknown if it is an initial
    "forename_other",  # what else it may be short for
    "surname",  # lower-case letters, parts of a double-barrelled name run together
    "surname_sound",  # its Soundex code: a letter and three digits
    "surname_first",  # first and last part of a double-barrelled surname, else unknown
    "surname_last",
    "dob",  # text of eight digits, YYYYMMDD
    "postcode",  # capitals and digits without a space
    "sector",  # postcode without its last two letters
    "district",  # postcode without its last three characters
    "nhs_number",  # ten digits
)
"""Columns that the model compares and blocks on; texts, null where not known."""

_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th",
    "\u0131": "i",
}  # fmt: skip
"""Letters that Unicode does not take apart into a letter and an accent."""
_TITLES = r"^(?:(?:mr|mrs|ms|miss|mx|dr|prof|professor|rev|revd|sir|dame|lord|lady|master)\s+)+"
_SUFFIXES = r"(?:\s+(?:jr|jnr|junior|sr|snr|senior|esq|ii|iii))+$"
_NOT_KNOWN = (
    "unknown", "not known", "notknown", "nk", "na", "n a", "none", "null", "nil", "tbc", "tba",
    "test", "anon", "anonymous", "baby", "infant", "unborn", "xx", "xxx",
)  # fmt: skip
_NO_NUMBER = "^(?:999|" + "|".join(f"{digit}{{10}}$" for digit in range(10)) + ")"
"""What systems write for an NHS number that nobody knows, ten equal digits, some of which have the
right check digit; and the range from 999 on, which is kept for tests and is nobody's."""
_SOUNDS = {
    "[aeiouyhw]": "0", "[bfpv]": "1", "[cgjkqsxz]": "2", "[dt]": "3", "l": "4", "[mn]": "5",
    "r": "6", "[^0-6]": "0",
}  # fmt: skip
_ABROAD = "^([0-9]{4,6})$"
"""Postcodes of most other countries, from which people come and to which they go."""
_NO_BIRTHDAY = (datetime.date(1900, 1, 1), datetime.date(1901, 1, 1), datetime.date(1899, 12, 30))
"""What systems write for a date that nobody knows."""


def comparable(people: pl.DataFrame) -> pl.DataFrame:
    """The identifiers of people as the model compares them.

    Args:
        people: Any of the columns `Identifier.X.column`; others are left out, missing ones
            are unknown for everybody.

    Returns:
        `MODEL_COLUMNS`, one row for each of `people`, in order.
    """
    found = set(people.columns)

    def column(identifier: Identifier, kind: type[pl.DataType]) -> pl.Expr:
        if identifier.column not in found:
            return pl.repeat(None, people.height, dtype=kind)
        return pl.col(identifier.column).cast(kind)

    born = column(Identifier.DATE_OF_BIRTH, pl.Date)
    postcode = column(Identifier.POSTCODE, pl.String)
    number = column(Identifier.NHS_NUMBER, pl.String).str.replace_all(r"\s", "")
    read = people.select(
        _words(column(Identifier.FORENAME, pl.String)).str.replace(_TITLES, "").alias("forename"),
        _words(column(Identifier.SURNAME, pl.String)).str.replace(_SUFFIXES, "").alias("surname"),
        pl.when(~born.is_in(_NO_BIRTHDAY)).then(born.dt.strftime("%Y%m%d")).alias("dob"),
        pl.coalesce(whole(postcode), compact(postcode).str.extract(_ABROAD)).alias("postcode"),
        pl.when(number.str.contains(r"^[0-9]{10}$") & ~number.str.contains(_NO_NUMBER))
        .then(number)
        .alias("nhs_number"),
    )
    read = read.with_columns(
        _known(pl.col("forename")).str.split(" ").list.first().alias("forename"),
        _known(pl.col("surname")).alias("surname"),
    )
    parts = pl.col("surname").str.split(" ")
    double = parts.list.len() > 1
    initial = pl.col("forename").str.len_chars() == 1
    first, second = _roots()
    return read.select(
        pl.col("forename"),
        pl.when(~initial).then(pl.col("forename").replace(first)).alias("forename_root"),
        pl.col("forename").replace_strict(second, default=None).alias("forename_other"),
        pl.col("surname").str.replace_all(" ", ""),
        _sound(pl.col("surname").str.replace_all(" ", "")).alias("surname_sound"),
        pl.when(double).then(parts.list.first()).alias("surname_first"),
        pl.when(double).then(parts.list.last()).alias("surname_last"),
        pl.col("dob"),
        pl.col("postcode"),
        sector(pl.col("postcode")).alias("sector"),
        pl.col("postcode").str.head(-3).alias("district"),
        pl.col("nhs_number"),
    )


def _words(name: pl.Expr) -> pl.Expr:
    """Lower-case words of letters, one space between them."""
    folded = name.str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}", "")
    folded = folded.str.replace_many(list(_LETTERS), list(_LETTERS.values()))
    joined = folded.str.replace_all("['\u2019`\u00b4.]", "")
    return joined.str.replace_all(r"[^\p{L}]+", " ").str.strip_chars()


def _sound(name: pl.Expr) -> pl.Expr:
    """Soundex (Russell, US patent 1,261,167), as the National Archives of the US describe it."""
    first, rest = name.str.head(1), name.str.slice(1).str.replace_all("[hw]", "")
    code = first + rest
    for letters, digit in _SOUNDS.items():
        code = code.str.replace_all(letters, digit)
    for digit in sorted(set(_SOUNDS.values())):
        code = code.str.replace_all(f"{digit}+", digit)
    digits = code.str.slice(1).str.replace_all("0", "")
    return first + (digits + "000").str.head(3)


def _known(name: pl.Expr) -> pl.Expr:
    return pl.when((name != "") & ~name.is_in(_NOT_KNOWN)).then(name)


@cache
def _roots() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """From a name to the first, and to the second line of the file on which it stands."""
    text = (resources.files(__package__) / NICKNAMES_FILE).read_text("utf-8")
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    for line in text.splitlines():
        names = line.partition("#")[0].split()
        for name in names:
            if first.setdefault(name, names[0]) != names[0]:
                second.setdefault(name, names[0])
    return first, second
