"""What a GSS code is a code of, and which edition of the codes a set of them belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

KINDS = {
    "E00": "output areas", "W00": "output areas", "S00": "output areas",
    "N00": "small areas",
    "E01": "LSOAs", "W01": "LSOAs", "S01": "data zones", "N20": "data zones",
    "N21": "super data zones",
    "E02": "MSOAs", "W02": "MSOAs", "S02": "intermediate zones",
    "E05": "wards", "W05": "wards", "S13": "wards", "N08": "wards",
    "E06": "districts", "E07": "districts", "E08": "districts", "E09": "districts",
    "W06": "districts", "S12": "districts", "N09": "districts",
    "E10": "counties", "E12": "regions", "E47": "combined authorities",
}  # fmt: skip
"""By the first three characters of a code. Source: ONS, Register of Geographic Codes."""
_LAST_OF_2011 = {"E01": "E01033768", "W01": "W01001958"}
"""The LSOAs of 2021 that those of 2011 did not have come after these."""
_YEAR = re.compile(r"[A-Za-z_](?:20)?([0-9]{2})(?:_?[A-Za-z]|$)")


def kind_of(codes: Iterable[str]) -> str:
    """What most of the codes are codes of, for people; `areas` if that is not known."""
    counted = Counter(KINDS.get(code[:3], "areas") for code in codes)
    return counted.most_common(1)[0][0] if counted else "areas"


def year_in(column: str) -> str:
    """The edition that the name of a column says, such as 2021 for `LSOA21CD`; empty if none."""
    found = _YEAR.search(column)
    return f"20{found[1]}" if found else ""


def year_of(codes: Iterable[str]) -> str:
    """The edition that the codes themselves show, for LSOAs of England and Wales.

    Codes that changed in 2021 have higher numbers. A set without any, such as that of a district
    where nothing changed, fits both: the answer is empty.
    """
    if any(code > _LAST_OF_2011.get(code[:3], "~") for code in codes):
        return "2021"
    return ""
