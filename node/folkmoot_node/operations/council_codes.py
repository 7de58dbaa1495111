"""Whether a GSS code is one of a council that exists.

Source: ONS, Register of Geographic Codes and Code History Database, up to the changes of
1 April 2025. The list of codes that ended has what is certain; a code that is missing there is
not refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_sdk.geography import LEVELS, level_of_code

_ISSUED = {
    "E06": (1, 66), "E07": (4, 246), "E08": (1, 39), "E09": (1, 33), "W06": (1, 24), "S12": (5, 50),
    "N09": (1, 11),
}  # fmt: skip
"""For each beginning of a council's code the first and the last number that was issued."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Councils that became one, or a council that got another code.

    Attributes:
        year: From 1 April of this year on; None if that is not certain.
        code: What stands in the place of the others.
        name: Its name.
        before: The codes that ended.
    """

    year: int | None
    code: str
    name: str
    before: tuple[str, ...]


_CHANGES = (
    _Change(None, "E07000240", "St Albans", ("E07000100",)),
    _Change(None, "E07000241", "Welwyn Hatfield", ("E07000104",)),
    _Change(None, "E07000242", "East Hertfordshire", ("E07000097",)),
    _Change(None, "E07000243", "Stevenage", ("E07000101",)),
    _Change(None, "E06000057", "Northumberland", ("E06000048",)),
    _Change(None, "E08000037", "Gateshead", ("E08000020",)),
    _Change(None, "S12000047", "Fife", ("S12000015",)),
    _Change(None, "S12000048", "Perth and Kinross", ("S12000024",)),
    _Change(2019, "S12000049", "Glasgow City", ("S12000046",)),
    _Change(2019, "S12000050", "North Lanarkshire", ("S12000044",)),
    _Change(
        2019,
        "E06000058",
        "Bournemouth, Christchurch and Poole",
        ("E06000028", "E06000029", "E07000048"),
    ),
    _Change(
        2019,
        "E06000059",
        "Dorset",
        ("E07000049", "E07000050", "E07000051", "E07000052", "E07000053"),
    ),
    _Change(2019, "E07000244", "East Suffolk", ("E07000205", "E07000206")),
    _Change(2019, "E07000245", "West Suffolk", ("E07000201", "E07000204")),
    _Change(2019, "E07000246", "Somerset West and Taunton", ("E07000190", "E07000191")),
    _Change(
        2020, "E06000060", "Buckinghamshire", ("E07000004", "E07000005", "E07000006", "E07000007")
    ),
    _Change(
        2021,
        "E06000061",
        "North Northamptonshire",
        ("E07000150", "E07000152", "E07000153", "E07000156"),
    ),
    _Change(2021, "E06000062", "West Northamptonshire", ("E07000151", "E07000154", "E07000155")),
    _Change(2023, "E06000063", "Cumberland", ("E07000026", "E07000028", "E07000029")),
    _Change(2023, "E06000064", "Westmorland and Furness", ("E07000027", "E07000030", "E07000031")),
    _Change(2023, "E06000065", "North Yorkshire", tuple(f"E0700016{at}" for at in range(3, 10))),
    _Change(2023, "E06000066", "Somerset", ("E07000187", "E07000188", "E07000189", "E07000246")),
    _Change(2025, "E08000038", "Barnsley", ("E08000016",)),
    _Change(2025, "E08000039", "Sheffield", ("E08000019",)),
)
_ENDED = {code: change for change in _CHANGES for code in change.before}


def doubt_about_council(code: GssCode, where: str) -> str:
    """What a person should know of a council's code before a node is made for it.

    Args:
        code: The code.
        where: Where it was given.

    Returns:
        A sentence, or an empty string. It may be wrong: codes are issued after this was written,
        and a council may go on under its old one for a while.

    Raises:
        ContractError: If it is no council's code, but for example an LSOA's.
    """
    number = int(code[3:])
    if code[:3] not in _ISSUED:
        level = level_of_code(code)
        raise ContractError(
            where,
            f"{code} is {LEVELS[level][0]}, not a council"
            if level
            else f"{code} is not the code of a council",
            "Give the code of the council whose homes are scored: it begins with "
            f"{', '.join(list(_ISSUED)[:-1])} or {list(_ISSUED)[-1]}",
        )
    change = _ENDED.get(code)
    if change is not None:
        when = f" on 1 April {change.year}" if change.year else ""
        return f"{code} ended{when}; its homes are those of {change.name} ({change.code}) now."
    first, last = _ISSUED[code[:3]]
    if not first <= number <= last:
        return (
            f"{code} is not among the codes of councils that ONS had issued by April 2025. Look "
            "whether it is mistyped."
        )
    return ""
