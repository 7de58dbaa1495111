"""One field of a mapping: the column that it is read from, and how the column is written."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_plugin_extracts.amounts import Negative
from folkmoot_plugin_extracts.codes import Words
from folkmoot_plugin_extracts.dates import check_date_format
from folkmoot_sdk import Category, Combine, Field, FieldType, ProtectedCharacteristic
from folkmoot_sdk.parameters import nearest, parameter

TRUE_WORDS = ("true", "True", "TRUE", "1", "Y", "y", "Yes", "YES", "yes")
FALSE_WORDS = ("false", "False", "FALSE", "0", "N", "n", "No", "NO", "no")
TRANSFORMS = ("age", "days_since")
_NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
_UNITS = {"age": "years", "days_since": "days"}
UNKNOWN = "unknown"
"""As `other`: a text that is not named means that the value is not known."""
_COUNTED = (Combine.COUNT, Combine.COUNT_DISTINCT)


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field of the data set, and the column that it is read from.

    Attributes:
        column: Column of the file; of a number several, which are added up.
        type: Type of the field.
        combine: How several records of a household become one value.
        category: Kind of information.
        description: One sentence.
        unit: Unit, for example `GBP`.
        protected: Protected characteristic it states or nearly states.
        savvi_term: Term of the Vulnerabilities Data Standard.
        consumer_data: True if bought from a consumer-data supplier.
        codes: For a category, a list of the codes, or a table from what the file holds
            to the code it stands for.
        order: All codes in order, if it is not the order in which `codes` names them, or if
            the files do not hold all codes that there are.
        values: For a number or an integer, a table from what the file holds to the value
            it stands for, such as the lower end of an age band.
        minimum: Smallest valid value.
        maximum: Largest valid value.
        absent: Value of a household of which the data set has no record.
        format: How a date is written, as in `strftime`, or `excel` for day numbers; or a list of
            the ways that occur.
        latest_year: The latest year that a year of two digits may stand for.
        transform: `age` or `days_since`: a number made of a date and the date of the run.
        true: What the file holds for true; with `false`, or neither for the usual words.
        false: What the file holds for false.
        area_type: Of an area: what its codes are and of which year, such as `lsoa21`.
        null_values: What the column holds where the value is not known, beside the mapping's.
        ignore_case: True if capitals do not count in codes, words and values.
        other: What a text stands for that `codes`, `true` and `false`, or `values` do not name;
            `unknown` if the value is not known then.
        thousands: What stands between groups of three digits; None for what the mapping says.
        decimal: What stands before the pence; None for what the mapping says.
        currency: Sign that may stand before or after a number; None for what the mapping says,
            and for a pound sign where the unit is pounds.
        negative: Ways to write a negative number; None for what the mapping says.
        scale: What a number is multiplied by, such as 0.01 for pence, or -1 to turn the sign.
        credits: `zero` if an amount below 0 is a credit, which counts as 0.
        outcome: True for a date that is the day of an event which policies are judged by.
    """

    column: str | tuple[str, ...]
    type: FieldType
    combine: Combine
    category: Category
    description: str = ""
    unit: str = ""
    protected: ProtectedCharacteristic | None = None
    savvi_term: str = ""
    consumer_data: bool = False
    codes: dict[str, str] | tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    values: dict[str, float] = parameter(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    absent: bool | float | str | None = None
    format: str | tuple[str, ...] = "%Y-%m-%d"
    latest_year: int | None = parameter(default=None, minimum=1900, maximum=2199)
    transform: str = ""
    true: tuple[str | int, ...] = ()
    false: tuple[str | int, ...] = ()
    area_type: str = ""
    null_values: tuple[str | int | float, ...] = ()
    ignore_case: bool = False
    other: bool | float | str | None = None
    thousands: str | None = None
    decimal: str | None = None
    currency: str | None = None
    negative: tuple[Negative, ...] | None = None
    scale: float = 1
    credits: str = ""
    outcome: bool = False

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_words()
        if self.transform and self.transform not in TRANSFORMS:
            raise ValueError(f"transform {self.transform!r}: {nearest(self.transform, TRANSFORMS)}")
        if self.transform and self.type not in _NUMERIC:
            raise ValueError(
                f"transform {self.transform!r} gives an integer, not {self.type.value}"
            )
        if self.values and (self.transform or self.type not in _NUMERIC):
            raise ValueError("`values` is for a number or an integer without a transform")
        if self.type is FieldType.INTEGER and any(v != int(v) for v in self.values.values()):
            raise ValueError("`values` of an integer are not all whole numbers")
        if self.codes and self.type is not FieldType.CATEGORY:
            raise ValueError("`codes` is for a category; a number has `values`")
        if self.reads_date:
            check_date_format(self.format, self.latest_year)
        if bool(self.true) != bool(self.false):
            raise ValueError("give both `true` and `false`, or neither")
        words = (*self.true_words, *self.false_words)
        if len(set(words)) != len(words):
            raise ValueError("a word stands for both true and false, or stands there twice")
        if self.true and self.type is not FieldType.BOOLEAN:
            raise ValueError("`true` and `false` are for a boolean")
        unordered = set(self._appearing()) - set(self.order)
        if self.order and unordered:
            raise ValueError(f"`order` lacks {', '.join(sorted(unordered))} of `codes`")

    def _check_numbers(self) -> None:
        is_number = self.type in _NUMERIC and not self.transform and not self.values
        if not self.columns or not all(self.columns):
            raise ValueError("`column` names no column")
        if len(self.columns) > 1 and (not is_number or self.combine in _COUNTED):
            raise ValueError("several columns are added up: `column` is a list for numbers only")
        written = (self.thousands, self.decimal, self.currency, self.negative)
        if not is_number and (any(written) or self.scale != 1 or self.credits):
            raise ValueError(
                "`thousands`, `decimal`, `currency`, `negative`, `scale` and `credits` are for "
                "numbers"
            )
        if not self.scale or (self.type is FieldType.INTEGER and self.scale != int(self.scale)):
            raise ValueError("`scale` is 0, or would make whole numbers broken: use type number")
        if self.credits not in ("", "zero"):
            raise ValueError(f'credits {self.credits!r}: write "zero", or leave it out')

    def _check_words(self) -> None:
        has_words = bool(self.values) or self.type in (FieldType.BOOLEAN, FieldType.CATEGORY)
        if not has_words and (self.ignore_case or self.other is not None):
            raise ValueError("`ignore_case` and `other` are for codes, words and `values`")
        if self.ignore_case:
            texts = [*self.true_words, *self.false_words] if self.type is FieldType.BOOLEAN else []
            named = dict.fromkeys(texts) | dict(self.code_of) | dict(self.values)
            meant: dict[str, object] = {}
            for text, value in named.items():
                is_true = text in self.true_words if texts else value
                if meant.setdefault(text.lower(), is_true) != is_true:
                    raise ValueError(f"{text!r} has two meanings if capitals do not count")
        if self.other is None or (self.other == UNKNOWN and UNKNOWN not in self._codes):
            return
        fits = {
            FieldType.BOOLEAN: isinstance(self.other, bool),
            FieldType.CATEGORY: self.other in self._codes,
        }.get(self.type, isinstance(self.other, int | float) and not isinstance(self.other, bool))
        if not fits:
            raise ValueError(
                f'`other` is {self.other!r}, which is no value of the field; or "unknown"'
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file."""
        return (self.column,) if isinstance(self.column, str) else self.column

    @property
    def null_texts(self) -> tuple[str, ...]:
        """Its own null values as texts."""
        return tuple(str(value) for value in self.null_values)

    @property
    def words(self) -> Words:
        """How its codes and words are compared."""
        is_unknown = self.other == UNKNOWN and UNKNOWN not in self._codes
        return Words(self.ignore_case, None if is_unknown else self.other, is_unknown)

    @property
    def _codes(self) -> tuple[str, ...]:
        return self.order or self._appearing()

    @property
    def reads_date(self) -> bool:
        """True if the column holds dates."""
        return self.type is FieldType.DATE or bool(self.transform)

    @property
    def true_words(self) -> tuple[str, ...]:
        """For a boolean: what the file holds for true."""
        return tuple(str(word) for word in self.true) or TRUE_WORDS

    @property
    def false_words(self) -> tuple[str, ...]:
        """For a boolean: what the file holds for false."""
        return tuple(str(word) for word in self.false) or FALSE_WORDS

    @property
    def code_of(self) -> dict[str, str]:
        """For a category: from what the file holds to the code."""
        return self.codes if isinstance(self.codes, dict) else {code: code for code in self.codes}

    def _appearing(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.code_of.values()))

    def field(self, name: str) -> Field:
        """The field as the schema declares it.

        Raises:
            PluginError: If the parts contradict each other.
        """
        minimum = 0 if self.minimum is None and self.transform == "age" else self.minimum
        return Field(
            name=name,
            type=self.type,
            combine=self.combine,
            category=self.category,
            description=self.description,
            unit=self.unit or _UNITS.get(self.transform, ""),
            protected=self.protected,
            savvi_term=self.savvi_term,
            consumer_data=self.consumer_data,
            codes=self._codes,
            minimum=minimum,
            maximum=self.maximum,
            absent=self.absent,
            area_type=self.area_type,
            outcome=self.outcome,
        )
