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
