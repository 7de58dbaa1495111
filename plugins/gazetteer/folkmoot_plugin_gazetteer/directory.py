"""Areas of properties, from the ONS UPRN Directory or a postcode directory (ONSPD, NSPL)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from folkmoot_plugin_extracts.columns import Area, Uprn
from folkmoot_plugin_extracts.csv_file import column_names, read_csv
from folkmoot_plugin_extracts.dialect import Dialect
from folkmoot_plugin_extracts.files import find_files
from folkmoot_plugin_extracts.parsing import Output, parser
from folkmoot_plugin_extracts.postcode import Postcode
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_sdk import PluginError, ReadContext
from folkmoot_sdk.geography import PSEUDO_CODES
from folkmoot_sdk.parameters import parameter

AREAS = ("oa", "lsoa", "ward", "district")
"""Areas that a directory can give, by the names of the source's fields, which are levels too."""
_OLD_NAMES = {"ward": ("osward", "ward"), "district": ("oslaua", "laua"), "oa": (), "lsoa": ()}
_STEMS = {"ward": "wd", "district": "lad", "oa": "oa", "lsoa": "lsoa"}
UPRN_NAMES = ("uprn",)
POSTCODE_NAMES = ("pcds", "pcd", "pcd8", "pcd7", "postcode")


@dataclass(frozen=True, slots=True)
class DirectoryOptions:
    """Table `uprn_directory` or `postcode_directory`."""

    files: tuple[str, ...] = parameter(description="Patterns of the CSV files in `folder`.")
    folder: Path = parameter(
        default=Path(), description="Folder of the files, relative to the node's home."
    )
    key: str = parameter(default="", description="Column of the UPRN or postcode, if not found.")
    oa: str = parameter(default="", description="Column of the output area, if not found.")
    lsoa: str = parameter(default="", description="Column of the LSOA, if not found.")
    ward: str = parameter(default="", description="Column of the ward, if not found.")
    district: str = parameter(default="", description="Column of the district, if not found.")
    encoding: str = parameter(default="utf-8", description="Encoding of the files.")

    def __post_init__(self) -> None:
        Dialect(encoding=self.encoding)


class Directory:
    """A directory in one or several files, keyed by UPRN or by postcode.

    Attributes:
        key: `uprn` (int64) or `postcode` (string, capitals without blanks).
    """

    def __init__(self, options: DirectoryOptions, base: Path, key: str, vintage: int) -> None:
        self.key = key
        self._options = options
        self._folder = base / options.folder
        self._vintage = vintage

    def areas(self, keys: pl.Series, wanted: Sequence[str], context: ReadContext) -> pl.DataFrame:
        """Looks up the areas of keys.

        Rows of other keys are not read further: a directory covers the whole country, and
        faults elsewhere are not for this council to correct.

        Args:
            keys: UPRNs or postcodes, each once.
            wanted: Some of `AREAS`.
            context: A row of a wanted key that cannot be read is handed to its `reject`.

        Returns:
            One row for each key that the directory has: the key, and a column of codes
            (String) for each wanted area, null where the directory has none.

        Raises:
            PluginError: If a file cannot be read, or lacks a column or the LSOAs of the
                vintage.
        """
        key_reader: Reader = Uprn() if self.key == "uprn" else Postcode()
        found = []
        for path in find_files(self._folder, self._options.files):
            columns = self._columns(path, wanted)
            outputs = [Output(name, column, Area(name)) for name, column in columns.items()]
            outputs[0] = Output(self.key, columns[self.key], key_reader)
            needed = tuple(dict.fromkeys(columns.values()))
            dialect = Dialect(encoding=self._options.encoding)
            with parser(outputs, PSEUDO_CODES) as reading:
                for batch in read_csv(path, needed, dialect, context.reject, hashed=False):
                    read = key_reader.parse(batch.frame[columns[self.key]].str.strip_chars())
                    ours = batch.filter(read.is_in(keys.implode()).fill_null(False))
                    if ours.frame.height:
                        found.append(reading.whole(path.name, ours, context.reject)[0])
        if not found:
            types = {self.key: keys.dtype} | dict.fromkeys(wanted, pl.String())
            return pl.DataFrame(schema=types)
        return pl.concat(found).unique(self.key, keep="first", maintain_order=True)

    def _columns(self, path: Path, wanted: Sequence[str]) -> dict[str, str]:
        """The key's column first, then those of the wanted areas."""
        names = column_names(path, Dialect(encoding=self._options.encoding))
        keys = UPRN_NAMES if self.key == "uprn" else POSTCODE_NAMES
        found = {self.key: self._options.key or _first(names, keys)}
        for area in wanted:
            found[area] = getattr(self._options, area) or self._area_column(names, area)
        for name, column in found.items():
            if not column:
                vintage = f" of {self._vintage}" if name in ("oa", "lsoa") else ""
                raise PluginError(
                    f"{path}: line 1",
                    f"has no column that is known to hold the {name}{vintage}",
                    f"Name it with the option `{name if name in AREAS else 'key'}`, or use a "
                    "directory that has it",
                )
        return found

    def _area_column(self, names: Sequence[str], area: str) -> str:
        """The column of an area: of the census of the vintage, or else of the latest year."""
        years = {}
        for name in names:
            match = re.fullmatch(rf"{_STEMS[area]}([0-9][0-9])(cd)?", name.lower())
            if match:
                years[int(match[1])] = name
        if area in ("oa", "lsoa"):
            return years.get(self._vintage % 100, "")
        return years[max(years)] if years else _first(names, _OLD_NAMES[area])


def _first(names: Sequence[str], known: Sequence[str]) -> str:
    """The name in the file of the first known column that it has; empty if none."""
    by_lower = {name.lower(): name for name in names}
    return next((by_lower[name] for name in known if name in by_lower), "")
