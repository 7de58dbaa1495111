"""Recognises attribute feeds, and names the fields that a feed seems to cover."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.draft_text import joined, option_lines, quoted
from folkmoot_plugin_extracts.headings import no_likeness
from folkmoot_plugin_extracts.sample import read_sample
from folkmoot_plugin_savvi.standard import folded, load


def draft(path: Path) -> str:
    """The options of a source that reads a feed, as TOML.

    Args:
        path: The file.

    Raises:
        PluginError: If it is no feed of a version that is shipped, or cannot be read.
    """
    sample = read_sample(path)
    version = max(
        file.name.removesuffix(".toml")
        for file in (resources.files(__package__) / "versions").iterdir()
        if file.name.endswith(".toml")
    )
    standard = load(version, None)
    names = standard.columns
    for column in (names.uprn, names.attribute_type, names.attribute):
        if column not in sample.frame.columns:
            raise no_likeness("savvi", str(path), f"it has no column {column}")
    terms = sample.frame[names.attribute].cast(pl.String).drop_nulls().unique()
    present = {folded(term) for term in terms}
    fields = [
        key
        for key, entry in standard.fields.items()
        if present & {folded(term) for term in entry.terms}
    ]
    if not fields:
        raise no_likeness("savvi", str(path), f"it has no term of {version}")
    lines = [
        f"# Drafted from {path.name}: its header and {sample.frame.height:,} of its first rows.",
        *option_lines(path, sample),
        f"standard = {quoted(version)}",
        f"fields = [{', '.join(map(quoted, fields))}]",
        "# QUESTION: does the feed cover these, so that whom it does not name has none of them?",
    ]
    return joined(lines)
