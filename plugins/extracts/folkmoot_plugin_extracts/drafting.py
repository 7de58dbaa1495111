"""Writes a first mapping file for an extract, with what it cannot know as questions.

A draft holds names of columns and how values are written. Of the values themselves it quotes
only short code lists, and of these only what many rows hold: a draft is read by more people than
the extract.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from folkmoot_plugin_extracts.dialect import Dialect, usual_delimiter
from folkmoot_plugin_extracts.draft_text import joined, pattern_for, quoted, slug
from folkmoot_plugin_extracts.file_kind import FileKind
from folkmoot_plugin_extracts.guesses import FEWEST_EACH, Guess, Holds, guess
from folkmoot_plugin_extracts.sample import Sample, read_sample
from folkmoot_plugin_extracts.series import series_of

_CATEGORIES = {
    "housing": r"tenure|rent(?!.*arrear)|room|bed|property|hous|dwelling|tenan|void",
    "finance": r"arrear|amount|balance|owed|debt|benefit|income|tax|support|liab|payment|cost|£",
    "demography": r"\bage\b|birth|dob|people|person|resident|occup|adults|child|sex|gender",
    "social_care": r"care|safeguard|social",
    "health": r"health|disab|shield|nhs|medical",
    "safety": r"crime|abuse|asb|incident",
    "education": r"school|pupil|meal|\bfsm\b|send\b|education",
    "employment": r"employ|job|work",
}
_PROTECTED = {
    "age": r"\bage\b|birth|dob",
    "disability": r"disab",
    "sex": r"\bsex\b|gender",
    "race": r"ethnic|\brace\b|nationality",
    "religion_or_belief": r"religio|faith",
}


def draft(path: Path) -> str:
    """A first mapping file for one extract, as TOML.

    It loads as it is if a column of UPRNs was found, and otherwise once the questions marked
    `QUESTION` about whom the records are about are answered.

    Raises:
        PluginError: If the file cannot be read, or no line of it names columns.
    """
    sample = read_sample(path)
    guesses = [guess(sample.frame[name]) for name in sample.frame.columns]
    lines = [
        *_head(path, sample, guesses),
        *_whom(guesses),
        *_keys(guesses),
        *_identifiers(guesses),
        *_rows(guesses),
        *_fields(guesses),
        *_unused(guesses),
    ]
    return joined(lines)


def _head(path: Path, sample: Sample, guesses: Sequence[Guess]) -> Iterator[str]:
    name = slug(series_of(path))
    yield f"# Drafted from {path.name}: its header and {sample.frame.height:,} of its first rows."
    yield "# Answer each QUESTION, and delete what no policy needs: only what is needed is read."
    yield f"# Code lists name what at least {FEWEST_EACH} rows hold. No other value of a record"
    yield "# stands in this file."
    yield ""
    yield "schema = 1"
    yield f"name = {quoted(name)}"
    yield 'level = "household"               # QUESTION: is a record about a household, a person, a'
    yield "                                  # property? Or an area, with `area` instead of `uprn`?"
    yield 'supplier = ""                     # QUESTION: which system does it come from?'
    yield f"files = [{quoted(pattern_for(path))}]"
    yield '# extracts = "newest"             # QUESTION: does each extract hold everything again?'
    yield '                                  # If each holds other records, write "all"'
    if sample.kind is FileKind.TEXT:
        default = Dialect()
        if sample.dialect.encoding != default.encoding:
            yield f"encoding = {quoted(sample.dialect.encoding)}"
        if sample.dialect.delimiter != usual_delimiter(path.name):
            yield f"delimiter = {quoted(sample.dialect.delimiter)}"
    if sample.sheet:
        yield f"sheet = {quoted(sample.sheet)}"
    if sample.skip_rows:
        yield f"# The header stands in line {sample.skip_rows + 1}, and is found by its names."
    nulls = sorted({text for one in guesses for text in one.nulls})
    if nulls:
        listed = ", ".join(map(quoted, nulls))
        yield f"null_values = [{listed}]   # QUESTION: do these mean that a value is not known?"
    if sample.left_out:
        yield "# Some rows look like totals, notes or headers. They are left out with a reason; see"
        yield "# `folkmoot-node score`. Name others under [[leave_out]]."


def _keys(guesses: Sequence[Guess]) -> Iterator[str]:
    """The column by which a record is known, if one of the references may be it."""
    references = [one for one in guesses if one.holds is Holds.REFERENCE]
    unique = [one.column for one in references if one.unique]
    if unique:
        yield f"record_id = {quoted(unique[0])}        # QUESTION: does it name a record, so that"
        yield "                                  # none counts twice? It does in the sample"
    elif references:
        shown = ", ".join(one.column for one in references)
        yield '# record_id = ""                  # QUESTION: what names a record? None of these:'
        yield f"                                  # they repeat in the sample: {shown}"


def _whom(guesses: Sequence[Guess]) -> Iterator[str]:
    uprns = [one.column for one in guesses if one.holds is Holds.UPRN]
    named = [one for one in uprns if re.search("uprn", one, re.IGNORECASE)]
    if uprns:
        best = (named or uprns)[0]
        yield f"uprn = {quoted(best)}"
        if len(uprns) > 1:
            others = ", ".join(column for column in uprns if column != best)
            yield f"# QUESTION: {others} seems to hold UPRNs too. Is {best} the right column?"
    else:
        yield '# uprn = ""                       # QUESTION: which column holds the UPRN? Without'
        yield "                                  # one, the table [identifiers] is needed"
    dates = [one for one in guesses if one.holds is Holds.DATE]
    stated = [
        one for one in dates if re.search(r"extract|as.?at|report|snapshot", one.column, re.I)
    ]
    for one in stated[:1]:
        yield f"record_date = {{ column = {quoted(one.column)}{_format(one)} }}"
    if dates and not stated:
        yield "# record_date = { column = " + quoted(dates[0].column) + _format(dates[0]) + " }"
        yield "#                                 # QUESTION: is this the date a record refers to?"


def _identifiers(guesses: Sequence[Guess]) -> Iterator[str]:
    found: dict[str, list[Guess]] = {}
    for one in guesses:
        if one.identifier:
            found.setdefault(one.identifier, []).append(one)
    if not found:
        return
    yield ""
    yield "[identifiers]                     # to find the home of a record without a UPRN"
    for key, columns in found.items():
        if key == "address":
            listed = ", ".join(quoted(one.column) for one in columns)
            yield f"address = [{listed}]"
            continue
        if key == "date_of_birth":
            one = columns[0]
            yield f"date_of_birth = {{ column = {quoted(one.column)}{_format(one)} }}"
            yield from _doubts(one)
        else:
            yield f"{key} = {quoted(columns[0].column)}"
        if len(columns) > 1:
            others = ", ".join(one.column for one in columns[1:])
            yield f"# QUESTION: {others} looks like it too. Which is right?"


def _rows(guesses: Sequence[Guess]) -> Iterator[str]:
    kinds = [
        one
        for one in guesses
        if one.holds is Holds.CODES and re.search("type|status", one.column, re.I)
    ]
    for one in kinds[:1]:
        yield ""
        yield f"# QUESTION: are only some kinds of {one.column} wanted?"
        yield "# [[where]]"
        yield f"# column = {quoted(one.column)}"
        yield f"# in = [{', '.join(map(quoted, one.codes))}]"


def _fields(guesses: Sequence[Guess]) -> Iterator[str]:
    names: set[str] = set()
    drawn = (Holds.NUMBER, Holds.BOOLEAN, Holds.CODES, Holds.DATE, Holds.AREA)
    births = [one for one in guesses if one.identifier == "date_of_birth"]
    for one in [*(one for one in guesses if one.holds in drawn), *births[:1]]:
        name = "oldest_age" if one.identifier else slug(one.column)
        while name in names:
            name += "_2"
        names.add(name)
        yield ""
        yield f"[fields.{name}]"
        yield f"column = {quoted(one.column)}"
        yield from _typed(one)
        yield f"category = {quoted(_category(one))}            # QUESTION: is it this kind?"
        for characteristic, pattern in _PROTECTED.items():
            if re.search(pattern, one.column, re.IGNORECASE):
                yield f"protected = {quoted(characteristic)}"
        yield from _doubts(one)


def _typed(one: Guess) -> Iterator[str]:
    if one.identifier == "date_of_birth":
        yield 'type = "integer"'
        yield 'transform = "age"'
        yield f"format = {_formats(one)}"
        yield 'combine = "max"                   # the oldest of a home; "min" is the youngest'
    elif one.holds is Holds.NUMBER:
        is_count = one.whole and not one.thousands and not one.currency
        yield f'type = "{"integer" if is_count else "number"}"'
        yield 'combine = "sum"                   # QUESTION: are several records added up?'
        yield from _amount(one)
        unit = "GBP" if not is_count and _category(one) == "finance" else ""
        yield f'unit = "{unit}"{" " * (26 - len(unit))}# QUESTION: GBP? people? days?'
        yield "# absent = 0                      # QUESTION: does no record mean nothing is owed?"
    elif one.holds is Holds.BOOLEAN:
        yield 'type = "boolean"'
        yield f"true = [{', '.join(map(quoted, one.true))}]"
        yield f"false = [{', '.join(map(quoted, one.false))}]"
        yield 'combine = "any"'
        yield "# absent = false                  # QUESTION: does no record mean no?"
    elif one.holds is Holds.CODES:
        yield 'type = "category"'
        yield 'combine = "first"                 # QUESTION: if a home has several, which counts?'
        codes = ", ".join(f"{quoted(code)} = {quoted(slug(code))}" for code in one.codes)
        yield f"codes = {{ {codes} }}"
        yield "#                                 # QUESTION: what does each code stand for?"
        if one.seldom:
            yield f'other = "unknown"                 # QUESTION: {one.seldom} seldom texts are not'
            yield "                                  # named here. What do they stand for?"
    elif one.holds is Holds.DATE:
        yield 'type = "date"'
        yield f"format = {_formats(one)}"
        yield 'combine = "max"                   # the latest; "min": the earliest'
        yield "# outcome = true                  # QUESTION: is it an event by which policies are"
        yield "                                  # judged, and which never scores a household?"
    else:
        yield 'type = "area"'
        yield 'combine = "first"'
        yield '# area_type = "lsoa21"            # QUESTION: which areas, of which year?'


def _amount(one: Guess) -> Iterator[str]:
    """How amounts are written."""
    if one.thousands:
        yield 'thousands = ","'
    if one.currency:
        yield 'currency = "£"'
    if one.negative:
        yield f"negative = [{', '.join(map(quoted, one.negative))}]"
    if one.negatives:
        yield '# credits = "zero"                # QUESTION: some are below 0. Are they credits, so'
        yield "                                  # that nothing is owed? Else they are added up"


def _doubts(one: Guess) -> Iterator[str]:
    if one.ambiguous:
        yield "# QUESTION: day and month could be the other way round in all rows. Which is first?"
    if any("%y" in pattern for pattern in one.formats):
        year = datetime.datetime.now(datetime.UTC).year
        yield f"latest_year = {year}                # QUESTION: is no year of two digits later?"
    if one.unread:
        yield f"# QUESTION: {one.unread:,} values of the sample are written in some other way"
    if one.filled < 1:
        yield f"# {round(100 * (1 - one.filled))} % of the sample hold nothing here"


def _unused(guesses: Sequence[Guess]) -> Iterator[str]:
    for holds in (Holds.TEXT, Holds.REFERENCE, Holds.NOTHING):
        columns = [one.column for one in guesses if one.holds is holds]
        if columns:
            yield ""
            yield f"# Not drafted, for they hold {holds.value}: {', '.join(columns)}"


def _category(one: Guess) -> str:
    if one.holds is Holds.AREA:
        return "geography"
    for category, pattern in _CATEGORIES.items():
        if re.search(pattern, one.column, re.IGNORECASE):
            return category
    return "finance" if one.holds is Holds.NUMBER else "housing"


def _formats(one: Guess) -> str:
    """The formats as a TOML text, or as a list of them."""
    written = [quoted(pattern) for pattern in one.formats] or ['"%Y-%m-%d"']
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"


def _format(one: Guess) -> str:
    return f", format = {_formats(one)}" if one.formats else ""
