"""What an extract says about a person or an address, used to find a record's household.

Identifiers are read only where the node asks for them, and the node drops them once the
household is found.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from folkmoot_plugin_extracts import columns
from folkmoot_plugin_extracts.dates import check_date_format
from folkmoot_plugin_extracts.nhs_number import PLACEHOLDERS, NhsNumber
from folkmoot_plugin_extracts.parsing import Output
from folkmoot_plugin_extracts.whole_names import Forename, Surname
from folkmoot_sdk import Identifier

_LINE = f"{Identifier.ADDRESS.column}_line_"


@dataclass(frozen=True, slots=True)
class BirthColumn:
    """The column of the date of birth.

    Attributes:
        column: Column of the file.
        format: How a date is written, as in `strftime`, or each way that occurs.
        latest_year: The latest year that a year of two digits may stand for.
    """

    column: str
    format: str | tuple[str, ...] = "%Y-%m-%d"
    latest_year: int | None = None

    def __post_init__(self) -> None:
        check_date_format(self.format, self.latest_year)


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Table `identifiers` of a mapping: in which columns they stand; empty for none.

    Attributes:
        address: Column of the address, or the columns of its lines, in order.
        postcode: Column of the postcode, as it was typed.
        forename: Column of the forename or forenames.
        surname: Column of the surname.
        name: Instead of these: column of the whole name, with the surname last, or first and
            before a comma.
        date_of_birth: Column of the date of birth, and how it is written.
        nhs_number: Column of the NHS number.
    """

    address: str | tuple[str, ...] = ()
    postcode: str = ""
    forename: str = ""
    surname: str = ""
    name: str = ""
    date_of_birth: BirthColumn | None = None
    nhs_number: str = ""

    def __post_init__(self) -> None:
        if self.name and (self.forename or self.surname):
            raise ValueError("give `name`, or `forename` and `surname`")

    @property
    def lines(self) -> tuple[str, ...]:
        """The columns of the address."""
        given = (self.address,) if isinstance(self.address, str) else self.address
        return tuple(column for column in given if column)

    @property
    def first_column(self) -> str:
        """A column that the files certainly have; empty if none is named."""
        return next(iter(self.columns), "")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are named."""
        birth = self.date_of_birth.column if self.date_of_birth else ""
        names = (self.surname, self.forename, self.name)
        named = (*self.lines, self.postcode, *names, birth, self.nhs_number)
        return tuple(column for column in named if column)

    @property
    def declared(self) -> tuple[Identifier, ...]:
        """The identifiers that the files hold."""
        held = {
            Identifier.ADDRESS: bool(self.lines),
            Identifier.POSTCODE: bool(self.postcode),
            Identifier.FORENAME: bool(self.forename or self.name),
            Identifier.SURNAME: bool(self.surname or self.name),
            Identifier.DATE_OF_BIRTH: self.date_of_birth is not None,
            Identifier.NHS_NUMBER: bool(self.nhs_number),
        }
        return tuple(identifier for identifier, is_held in held.items() if is_held)

    def outputs(self, asked: Collection[Identifier], reference: datetime.date) -> list[Output]:
        """How the identifiers that are asked for are read; `joined` makes them whole.

        Args:
            asked: Those that the node links by.
            reference: The date of the run, after which nobody is born.
        """
        text = columns.Text()
        found = []
        if Identifier.ADDRESS in asked:
            found += [Output(f"{_LINE}{at}", name, text) for at, name in enumerate(self.lines)]
        texts = {
            Identifier.POSTCODE: self.postcode,
            Identifier.FORENAME: self.forename,
            Identifier.SURNAME: self.surname,
        }
        found += [Output(i.column, name, text) for i, name in texts.items() if i in asked and name]
        for identifier, part in (
            (Identifier.FORENAME, Forename()),
            (Identifier.SURNAME, Surname()),
        ):
            if identifier in asked and self.name:
                found.append(Output(identifier.column, self.name, part))
        birth = self.date_of_birth
        if Identifier.DATE_OF_BIRTH in asked and birth is not None:
            reader = columns.Date(birth.format, birth.latest_year, reference)
            found.append(Output(Identifier.DATE_OF_BIRTH.column, birth.column, reader))
        if Identifier.NHS_NUMBER in asked and self.nhs_number:
            # As an identifier, a number that stands for none is no error: the cell says nothing.
            number = Output(
                Identifier.NHS_NUMBER.column, self.nhs_number, NhsNumber(), nulls=PLACEHOLDERS
            )
            found.append(number)
        return found


def joined(frame: pl.DataFrame) -> pl.DataFrame:
    """Joins the lines of the address with ", ", and strips blanks around texts.

    Args:
        frame: Values that were read by `Identifiers.outputs`, and others.

    Returns:
        The same with one column for each identifier; an empty text is null.
    """
    lines = [name for name in frame.columns if name.startswith(_LINE)]
    texts = [
        identifier.column
        for identifier in (Identifier.POSTCODE, Identifier.FORENAME, Identifier.SURNAME)
        if identifier.column in frame.columns
    ]
    if not lines and not texts:
        return frame
    made = [_filled(pl.col(name)).alias(name) for name in texts]
    if lines:
        address = pl.concat_str(
            [_filled(pl.col(name)) for name in lines], separator=", ", ignore_nulls=True
        )
        made.append(_filled(address).alias(Identifier.ADDRESS.column))
    return frame.with_columns(made).drop(lines)


def _filled(text: pl.Expr) -> pl.Expr:
    """The text without blanks and commas around it; null if nothing is left."""
    bare = text.str.strip_chars(" \t\r\n,")
    return pl.when(bare != "").then(bare)
