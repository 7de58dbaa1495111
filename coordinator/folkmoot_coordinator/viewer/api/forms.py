"""In which form a table is sent: by the ending of the address, or by the header Accept.

Source: RFC 9110, section 12.5.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from folkmoot_web.errors import WebProblem


class Form(StrEnum):
    """A form; its value is the ending of the address."""

    JSON = "json"
    CSV = "csv"
    CSV_METADATA = "csv-metadata.json"
    PARQUET = "parquet"
    GEOJSON = "geojson"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """Its media type, without parameters."""
        return _MEDIA_TYPES[self]

    @property
    def content_type(self) -> str:
        """For the header Content-Type."""
        return "text/csv; charset=utf-8; header=present" if self is Form.CSV else self.media_type


_MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv",
    Form.CSV_METADATA: "application/csvm+json",
    Form.PARQUET: "application/vnd.apache.parquet",
    Form.GEOJSON: "application/geo+json",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TABLE_FORMS = (Form.JSON, Form.CSV, Form.CSV_METADATA, Form.PARQUET, Form.XLSX)
"""Forms of every table; of tables by one kind of area there is GeoJSON too."""
_MOST_RANGES = 50


def ending_of(name: str) -> tuple[str, Form | None]:
    """The last part of an address without the ending of a form; None if it has none.

    `band.lsoa.csv` is the table `band.lsoa` as CSV.
    """
    for form in sorted(Form, key=len, reverse=True):
        if name.endswith(f".{form}") and len(name) > len(form) + 1:
            return name.removesuffix(f".{form}"), form
    return name, None


def negotiate(accept: str, offered: Sequence[Form]) -> Form:
    """The form that whoever asks likes best; the first on offer if they like several alike.

    Args:
        accept: The header; empty if there is none.
        offered: Forms, the usual one first.

    Raises:
        WebProblem: Status 406, if none of them is accepted.
    """
    if not accept.strip():
        return offered[0]
    ranges = _ranges(accept)
    best, most = offered[0], 0.0
    for form in offered:
        quality = _quality(form.media_type, ranges)
        if quality > most:
            best, most = form, quality
    if most == 0:
        raise not_offered(offered)
    return best


def not_offered(offered: Sequence[Form], problem: str = "") -> WebProblem:
    """That a table cannot be had in the form that was asked for."""
    listed = ", ".join(f"{form.media_type} (.{form})" for form in offered)
    return WebProblem(
        406,
        "It cannot be had in this form",
        problem or "The header Accept names no form that there is.",
        f"Ask for one of: {listed}.",
    )


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(",")[:_MOST_RANGES]:
        name, *parameters = (one.strip().lower() for one in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = _number(value.strip())
        if "/" in name:
            found.append((name, quality))
    return found


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return min(number, 1.0) if number > 0 else 0.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """That of the most specific range that the media type is in; 0 if it is in none."""
    kind = media_type.partition("/")[0]
    for wanted in (media_type, f"{kind}/*", "*/*"):
        qualities = [quality for name, quality in ranges if name == wanted]
        if qualities:
            return max(qualities)
    return 0.0
