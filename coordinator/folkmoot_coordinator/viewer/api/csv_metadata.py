"""What stands in the columns of a table in CSV, for programs: CSV on the Web.

Source: W3C, Metadata Vocabulary for Tabular Data, 2015.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from folkmoot.precision import Reliability
from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.aggregation.statistic import GeographicLevel
from folkmoot_coordinator.viewer.api.figures_table import FiguresTable
from folkmoot_coordinator.viewer.words import table_title

_LISTED = {"level": GeographicLevel, "reliability": Reliability, "measure": Measure}


def csv_metadata(table: FiguresTable, address: str) -> dict[str, Any]:
    """The description of a table, as `TABLE.csv-metadata.json`.

    Args:
        table: The rows.
        address: Of the CSV file, relative to the description.
    """
    published = table.published
    title = "All tables" if table.marginal is None else table_title(table.marginal)
    notes = [f"{published.coverage}.", *published.statement().split("\n\n")]
    if published.withdrawn:
        notes.insert(0, f"WITHDRAWN. The figures are wrong, do not use them: {published.withdrawn}")
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": address,
        "dc:title": f"{published.stored.title}: {title}",
        "dc:publisher": published.region,
        "dc:identifier": published.round_.round_id,
        "dc:conformsTo": f"urn:sha256:{published.round_.policy_digest.hex()}",
        "dc:description": " ".join(" ".join(notes).split()),
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "quoteChar": '"'},
        "tableSchema": {
            "columns": [
                _column(name, kind, table.columns[name], name in table.never_empty)
                for name, kind in table.schema.items()
            ]
        },
    }


def _column(name: str, kind: pl.DataType, text: str, is_required: bool) -> dict[str, Any]:
    datatype: str | dict[str, str] = "string"
    if kind.is_float():
        datatype = "number"
    elif kind.is_integer():
        datatype = "integer"
    elif name in _LISTED:
        listed = "|".join(one.value for one in _LISTED[name])
        datatype = {"base": "string", "format": f"^({listed})$"}
    return {
        "name": name,
        "titles": name,
        "dc:description": text,
        "datatype": datatype,
        "required": is_required,
    }
