"""How codes of places are written: patterns for whole texts, of ASCII letters and digits.

The digits of other scripts are none: no register of places has them.
"""

from __future__ import annotations

GSS_CODE = "[EWSNKJ][0-9]{8}"
"""A GSS code. Source: ONS, Register of Geographic Codes."""

POSTCODE_AREA = "[A-Z]{1,2}"
"""First letters of a postcode, such as `SW` of `SW1A 1AA`."""
POSTCODE_DISTRICT = "[0-9][A-Z0-9]?"
"""The rest of the outward code, such as `1A`."""
POSTCODE_INWARD = "[0-9][A-Z]{2}"
"""The inward code, such as `1AA`. Its digit is the sector."""
POSTCODE = POSTCODE_AREA + POSTCODE_DISTRICT + POSTCODE_INWARD
"""A postcode in capitals without a blank. Source: Royal Mail, Programmers' Guide to the
Postcode Address File. `GIR 0AA`, which was a bank's, is left out: nobody lives there."""

LEVELS = {
    "oa": ("an output area", "E00 W00 S00 N00"),
    "lsoa": ("an LSOA or data zone", "E01 W01 S01 N20"),
    "msoa": ("an MSOA or intermediate zone", "E02 W02 S02 N21"),
    "parish": ("a parish or community", "E04 W04"),
    "ward": ("a ward", "E05 W05 S13 N08"),
    "district": ("a district or unitary council", "E06 E07 E08 E09 W06 S12 N09"),
    "county": ("a county", "E10"),
    "region": ("a region", "E12"),
    "country": ("a country", "E92 W92 S92 N92"),
}
"""By level, what an area of it is called, and how the codes of such areas begin.

Source: ONS, Register of Geographic Codes.
"""

COUNTRIES = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}
"""By the first letter of a GSS code, the country of its area; other letters stand for several."""

_OTHER_NAMES = {"wd": "ward", "lad": "district", "ltla": "district", "dz": "lsoa", "iz": "msoa"}
_BY_PREFIX = {prefix: level for level, (_, some) in LEVELS.items() for prefix in some.split()}

PSEUDO_CODES = tuple(f"{country}99999999" for country in "EWSNLM")
"""What ONS writes where a place is in no area of a level: of the four countries, the Channel
Islands and the Isle of Man."""


def level_of_type(area_type: str) -> str | None:
    """The level of a type of area, such as `lsoa` of `lsoa21`; None if it is not in `LEVELS`."""
    stem = area_type.rstrip("0123456789")
    level = _OTHER_NAMES.get(stem, stem)
    return level if level in LEVELS else None


def level_of_code(code: str) -> str | None:
    """The level of the area that a GSS code stands for; None if it is not in `LEVELS`."""
    return _BY_PREFIX.get(code[:3])


def fault_of_code(code: str, area_type: str = "") -> str:
    """Why a GSS code is none of an area of a type: `is a ward, not an LSOA or data zone`.

    Args:
        code: Written as a GSS code is.
        area_type: Such as `lsoa21`; if it is empty, or of no level that is known, only pseudo
            codes are faulty.

    Returns:
        The end of a sentence that begins with the code; empty if nothing is wrong.
    """
    if code in PSEUDO_CODES:
        return "is a pseudo code: it stands for no area"
    wanted = level_of_type(area_type)
    found = level_of_code(code)
    if wanted is None or found == wanted:
        return ""
    name = LEVELS[wanted][0]
    return f"is {LEVELS[found][0]}, not {name}" if found else f"is not the code of {name}"
