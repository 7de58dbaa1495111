"""How often names and other identifiers occur, from public figures alone.

Nothing here depends on the records of a run, so that no household changes how another's records
are weighed. `person_model.toml` states the figures, `common_names.txt` the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

import polars as pl

from folkmoot_node.linkage.person_model import PersonModel

NAMES_FILE = "common_names.txt"
_YEARS = range(1890, 2101)
"""Of the first of January, which records have where the day is not known."""


def public_frequencies(model: PersonModel) -> Iterator[tuple[str, pl.DataFrame]]:
    """How often values occur that are commoner than the model's level says.

    Args:
        model: How people are compared.

    Yields:
        A comparison, and one row for each value: it (String) and `tf_<comparison>` (Float64, from
        0 to 1), as Splink wants them; none null. What is not listed is as frequent as the level
        says.
    """
    listed: dict[str, dict[str, float]] = {}
    for name, shares in model.names.items():
        listed[name] = {word: shares.share(place) for word, place in _places()[name].items()}
        for word in _places()[f"{name} of communities"]:
            listed[name][word] = max(listed[name].get(word, 0.0), shares.community)
    listed["dob"] = {f"{year}0101": model.first_of_january for year in _YEARS}
    for name in (found.name for found in model.comparisons if found.by_frequency):
        # Also where nothing is listed: Splink would count what it is not told.
        values = listed.get(name, {})
        columns = {name: list(values), f"tf_{name}": list(values.values())}
        yield name, pl.DataFrame(columns, {name: pl.String, f"tf_{name}": pl.Float64})


@cache
def _places() -> Mapping[str, Mapping[str, int]]:
    """By section of the file the place of each name, from 1."""
    text = (resources.files(__package__) / NAMES_FILE).read_text("utf-8")
    found: dict[str, dict[str, int]] = {}
    section: dict[str, int] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words and words[0].startswith("["):
            section = found.setdefault(line.strip().strip("[]"), {})
            continue
        for word in words:
            section.setdefault(word, len(section) + 1)
    return found
