"""Whether a node is made for a council that exists."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from folkmoot.council_codes import BEGINNINGS, WHICH_CODE, check_council, council_list
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_sdk.geography import LEVELS, level_of_code


def doubt_about_council(code: GssCode, where: str, today: date, newer: Path | None = None) -> str:
    """What a person should know of a council's code; see `CouncilList.doubt`.

    Args:
        code: The code.
        where: Where it was given.
        today: The day on which the node is made or checked.
        newer: A list that is newer than the one that Folkmoot has.

    Returns:
        A sentence without its full stop, or an empty string.

    Raises:
        ContractError: If it is no council's code, but for example an LSOA's; or the list is wrong.
    """
    level = level_of_code(code)
    if level is not None and code[:3] not in BEGINNINGS:
        raise ContractError(where, f"{code} is {LEVELS[level][0]}, not a council", WHICH_CODE)
    check_council(code, where)
    return council_list(newer).doubt(code, today)
