"""Recognises extracts that a profile fits, and writes the options by which it reads them.

A draft holds names of columns and how values are written. It quotes no value but short codes that
many rows hold, as drafts of mappings do.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from folkmoot_plugin_council_records.profile import (
    RECORD_DATE,
    columns_of,
    identifying_columns,
    profile,
)
from folkmoot_plugin_extracts.draft_text import joined, option_lines, quoted
from folkmoot_plugin_extracts.guesses import FEWEST_EACH, Guess, Holds, guess
from folkmoot_plugin_extracts.headings import matched, no_likeness, plain
from folkmoot_plugin_extracts.sample import Sample, read_sample

_NULLS = frozenset({"NULL", "N/A"})
"""What the options have by default."""
_COUNTED = ("count", "count_distinct")
_FEWEST = 2
"""Fields that a file has to have whose name says what it is; of others it needs half of them."""


@dataclass(slots=True)
class _Fitting:
    """What the options will say.

    Attributes:
        columns: From the profile's column to the file's, where they differ.
        without: Fields and identifiers that the file does not hold, with the question why not.
        writing: By field, lines that say how it is written.
        formats: Date formats that occur, each once.
        nulls: Texts that seem to stand for an unknown value.
    """

    columns: dict[str, str] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)
    writing: dict[str, list[str]] = field(default_factory=dict)
    formats: list[str] = field(default_factory=list)
    nulls: set[str] = field(default_factory=set)


def draft(kind: str, path: Path) -> str:
    """The options of a source of a kind that reads this file, as TOML.

    Args:
        kind: Name of the profile.
        path: An extract.

    Raises:
        PluginError: If the file cannot be read, or has too little of what the profile reads.
    """
    sample = read_sample(path)
    values = profile(kind)
    shipped = resources.files(__package__).joinpath("headings.toml").read_text("utf-8")
    likenesses = tomllib.loads(shipped)[kind]
    found = matched(
        sample.frame.columns, {column: likenesses["columns"].get(column, ()) for column in
                               columns_of(values)}
    )  # fmt: skip
    if values["uprn"] not in found:
        raise no_likeness(kind, str(path), "no column is called UPRN, or alike")
    guesses = {column: guess(sample.frame[heading]) for column, heading in found.items()}
    fitting = _fit(sample, values, found, guesses)
    fields, named = values["fields"], any(w in plain(path.name) for w in likenesses["words"])
    here = sum(key not in fitting.without for key in fields)
    if here < min(_FEWEST, len(fields)) or not (named or 2 * here >= len(fields)):
        raise no_likeness(kind, str(path), f"it has {here} of {len(fields)} fields")
    return joined(_lines(path, sample, fitting))


def _lines(path: Path, sample: Sample, fitting: _Fitting) -> Iterator[str]:
    yield f"# Drafted from {path.name}: its header and {sample.frame.height:,} of its first rows."
    yield from option_lines(path, sample)
    if sample.sheet:
        yield f"sheet = {quoted(sample.sheet)}"
    if fitting.nulls - _NULLS:
        nulls = sorted({*_NULLS, *fitting.nulls})
        yield f"null_values = [{', '.join(map(quoted, nulls))}]"
        yield "# QUESTION: do these mean that a value is not known?"
    if fitting.formats:
        yield f"date_format = [{', '.join(map(quoted, fitting.formats))}]"
    for reason in filter(None, fitting.without.values()):
        yield f"# QUESTION: {reason}"
    if fitting.without:
        yield f"without = [{', '.join(map(quoted, fitting.without))}]"
    if fitting.columns:
        yield ""
        yield "[columns]"
        for column, heading in fitting.columns.items():
            yield f"{quoted(column)} = {quoted(heading)}"
    for key, lines in fitting.writing.items():
        yield ""
        yield f"[fields.{key}]"
        yield from lines


def _fit(
    sample: Sample, values: dict[str, Any], found: Mapping[str, str], guesses: Mapping[str, Guess]
) -> _Fitting:
    fitting = _Fitting(columns={c: heading for c, heading in found.items() if c != heading})
    dates: dict[str, str] = {}
    for key, entry in values["fields"].items():
        column = entry["column"]
        if column not in found:
            fitting.without[key] = ""
            continue
        heading, one = found[column], guesses[column]
        texts = {str(text).strip() for text in sample.frame[heading].drop_nulls().unique()}
        if entry["type"] == "date":
            dates[column] = entry["format"]
        doubt, lines = _written(entry, heading, one, texts - set(one.nulls))
        if doubt:
            fitting.without[key] = doubt
        else:
            words = {*entry.get("true", ()), *entry.get("false", ()), *entry.get("codes", ())}
            fitting.nulls.update(set(one.nulls) - words)
            if lines:
                fitting.writing[key] = lines
    if "record_date" in values:
        date = values["record_date"]
        if date["column"] in found:
            dates[date["column"]] = date["format"]
        else:
            fitting.without[RECORD_DATE] = ""
    if values.get("person", values["uprn"]) not in found:
        fitting.without["person"] = ""
    for key, named in values.get("identifiers", {}).items():
        if not set(identifying_columns({"identifiers": {key: named}})) <= set(found):
            fitting.without[key] = ""
        elif key == "date_of_birth":
            dates[named["column"]] = named["format"]
    written = [f for column in dates for f in guesses[column].formats]
    if any(f not in dates.values() for f in written):
        fitting.formats = list(dict.fromkeys(written))
    # A column of which nothing is read need not be renamed.
    read = {
        entry["column"] for key, entry in values["fields"].items() if key not in fitting.without
    }
    read |= {values["uprn"], *dates, values.get("person", "")}
    for key, named in values.get("identifiers", {}).items():
        if key not in fitting.without:
            read |= set(identifying_columns({"identifiers": {key: named}}))
    fitting.columns = {c: heading for c, heading in fitting.columns.items() if c in read}
    return fitting


def _written(
    entry: Mapping[str, Any], heading: str, one: Guess, texts: set[str]
) -> tuple[str, list[str]]:
    """Why a column cannot be read as its field; else how it is written, where that differs."""
    if one.holds is Holds.NOTHING or entry["combine"] in _COUNTED:
        return "", []
    kind = entry["type"]
    if kind == "boolean":
        if texts <= {*entry["true"], *entry["false"]}:
            return "", []
        if one.holds is Holds.BOOLEAN:
            true, false = (", ".join(map(quoted, words)) for words in (one.true, one.false))
            return "", [f"true = [{true}]", f"false = [{false}]"]
        return f"which texts of {heading} mean yes, and which no? It is left out", []
    if kind == "category" and "transform" not in entry:
        return _coded(entry, heading, one, texts)
    if kind in ("number", "integer") and "transform" not in entry:
        if "values" in entry:
            fits = texts <= set(entry["values"])
            return ("" if fits else f"what do the texts of {heading} stand for? It is left out"), []
        return _amount(entry, heading, one)
    if kind == "date" and one.holds is not Holds.DATE:
        return f"{heading} holds no dates. Which column does? It is left out", []
    return "", []


def _coded(
    entry: Mapping[str, Any], heading: str, one: Guess, texts: set[str]
) -> tuple[str, list[str]]:
    codes = entry.get("codes", ())
    unknown = texts - set(codes)
    if not unknown:
        return "", []
    lines = []
    if {text.upper() for text in texts} <= {code.upper() for code in codes}:
        return "", ["ignore_case = true"]
    if len(unknown) == len(texts):
        return f"what do the codes of {heading} stand for? It is left out", []
    shown = ", ".join(code for code in one.codes if code in unknown)
    lines.append('other = "unknown"')
    named = f": {shown}" if shown else f", each in fewer than {FEWEST_EACH} rows"
    lines.append(f"# QUESTION: {len(unknown)} codes are not in the profile{named}. What are they?")
    return "", lines


def _amount(entry: Mapping[str, Any], heading: str, one: Guess) -> tuple[str, list[str]]:
    if one.holds is not Holds.NUMBER:
        return f"{heading} holds no numbers. Which column does? It is left out", []
    lines = []
    if one.thousands:
        lines.append('thousands = ","')
    if one.negative:
        lines.append(f"negative = [{', '.join(map(quoted, one.negative))}]")
    if one.negatives and entry.get("minimum") == 0 and "credits" not in entry:
        lines.append('credits = "zero"')
        lines.append("# QUESTION: some are below 0. Are they credits, so that they count as 0?")
    return "", lines
