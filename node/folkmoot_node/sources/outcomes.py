"""Outcomes of casework as a source: what a worker found at a home, and when. Nothing else.

The file has three columns, and no room for more: a place in a queue, an allocation, a rate or the
days from a flag to a contact depend on other households, and through them one household would
move another's row (`docs/decisions/0099-outcomes-as-a-source.md`). The source is read by the
plugin for files, `extracts`, with the mapping that comes with the node.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from folkmoot_operator.private_files import make_private_folder, write_shared
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import UPRN_COLUMN

FILE_NAME = "outcomes.csv"
"""Name of the file, which the mapping looks for."""
MAPPING_NAME = "casework_outcomes.toml"
"""Name of the mapping in the node's folder `mappings`."""
SOURCE_NAME = "casework_outcomes"
FIELD_NAME = "need_found"
"""The field that the source provides: boolean, of several outcomes the latest."""
COLUMNS = (UPRN_COLUMN, FIELD_NAME, "decided_on")

_SETTINGS = """\
[[sources]]
name = "{name}"
kind = "extracts"
change = {{ records = 100.0, linked = 0.2 }}   # outcomes come in: that is no doubt
[sources.options]
mapping = "mappings/{mapping}"
folder = "{folder}"
"""
_ATTRIBUTE = f"""\
[attributes.{FIELD_NAME}]
field = "{FIELD_NAME}"
"""


@dataclass(frozen=True, slots=True, order=True)
class Outcome:
    """What a worker recorded about one household.

    Attributes:
        uprn: The household, 1 to 12 digits.
        decided_on: Day on which it was recorded.
        need_found: Whether a need was found.
    """

    uprn: int
    decided_on: datetime.date
    need_found: bool

    def __post_init__(self) -> None:
        if not 1 <= self.uprn < 10**12:
            raise Problem(
                "the UPRN of an outcome is none of 1 to 12 digits",
                where=FILE_NAME,
                remedy="Leave the case out, or correct its UPRN",
                exit_code=ExitCode.DATA,
            )


def write_outcomes(path: Path, outcomes: Iterable[Outcome]) -> int:
    """Writes the file of all outcomes, whole; for the account alone, unless `write_shared`.

    Args:
        path: The file, called `FILE_NAME`; one that is there is replaced.
        outcomes: In any order; the same one twice counts once.

    Returns:
        Number of rows written.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = sorted(set(outcomes))
    for one in rows:
        found = "yes" if one.need_found else "no"
        writer.writerow((one.uprn, found, one.decided_on.isoformat()))
    make_private_folder(path.parent)
    write_shared(path, stream.getvalue().encode("ascii"))
    return len(rows)


def outcomes_mapping() -> str:
    """The mapping file by which the plugin `extracts` reads the outcomes: TOML."""
    return files(__package__).joinpath("outcomes.toml").read_text("utf-8")


def outcomes_settings(folder: str = "casework/outcomes") -> str:
    """What `node.toml` has to say to read the outcomes: TOML.

    Args:
        folder: Folder of the file, from the node's folder.
    """
    return _SETTINGS.format(name=SOURCE_NAME, mapping=MAPPING_NAME, folder=folder)


def outcomes_attribute() -> str:
    """What the risk stratification policy has to say so that rounds can count it: TOML."""
    return _ATTRIBUTE
