"""Codes of UK statistical geography."""

from __future__ import annotations

import re

from folkmoot.errors import ContractError

GSS_CODE = "[EWSNKJ][0-9]{8}"
"""Pattern of a GSS code. The SDK, which may not import this, has the same one."""

_GSS = re.compile(GSS_CODE)


class GssCode(str):
    """A nine-character GSS code, for example `E08000009` (Trafford).

    Source: ONS, Register of Geographic Codes: one letter for the country, two digits
    for the entity, six digits for the instance.
    """

    __slots__ = ()

    def __new__(cls, value: str, where: str = "GSS code") -> GssCode:
        """Checks and makes a code; `where` names the field in the error."""
        if not _GSS.fullmatch(value):
            raise ContractError(
                where,
                f"{value[:20]!r} is not a GSS code",
                "A GSS code is one letter (E, W, S, N, K or J) and eight digits, "
                "for example E08000009",
            )
        return super().__new__(cls, value)
