"""The councils of a rehearsal region."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.geography import GssCode

MAXIMUM_COUNCILS = 40

_METROPOLITAN = (
    ("E08000001", "Bolton"),
    ("E08000002", "Bury"),
    ("E08000003", "Manchester"),
    ("E08000004", "Oldham"),
    ("E08000005", "Rochdale"),
    ("E08000006", "Salford"),
    ("E08000007", "Stockport"),
    ("E08000008", "Tameside"),
    ("E08000009", "Trafford"),
    ("E08000010", "Wigan"),
    ("E08000011", "Knowsley"),
    ("E08000012", "Liverpool"),
    ("E08000013", "St. Helens"),
    ("E08000014", "Sefton"),
    ("E08000015", "Wirral"),
    ("E08000017", "Doncaster"),
    ("E08000018", "Rotherham"),
    ("E08000021", "Newcastle upon Tyne"),
    ("E08000022", "North Tyneside"),
    ("E08000023", "South Tyneside"),
    ("E08000024", "Sunderland"),
    ("E08000025", "Birmingham"),
    ("E08000026", "Coventry"),
    ("E08000027", "Dudley"),
    ("E08000028", "Sandwell"),
    ("E08000029", "Solihull"),
    ("E08000030", "Walsall"),
    ("E08000031", "Wolverhampton"),
    ("E08000032", "Bradford"),
    ("E08000033", "Calderdale"),
    ("E08000034", "Kirklees"),
    ("E08000035", "Leeds"),
    ("E08000036", "Wakefield"),
    ("E08000037", "Gateshead"),
    ("E08000038", "Barnsley"),
    ("E08000039", "Sheffield"),
)


@dataclass(frozen=True, slots=True)
class Council:
    """A council of the rehearsal: a real name and code, invented residents.

    Attributes:
        code: GSS code of the district.
        name: Its name.
        index: Place in the region, from 0; seeds and identifiers derive from it.
    """

    code: GssCode
    name: str
    index: int


def region(size: int) -> tuple[Council, ...]:
    """The first `size` councils: Greater Manchester, then other metropolitan districts.

    England has 36 metropolitan districts; councils beyond them are invented, with codes
    from E08009901, which no district has.

    Args:
        size: 1 to 40.

    Raises:
        ValueError: If `size` is out of range.
    """
    if not 1 <= size <= MAXIMUM_COUNCILS:
        raise ValueError(f"a region has 1 to {MAXIMUM_COUNCILS} councils")
    invented = tuple(
        (f"E080099{number:02d}", f"Invented borough {number}")
        for number in range(1, MAXIMUM_COUNCILS - len(_METROPOLITAN) + 1)
    )
    return tuple(
        Council(GssCode(code), name, index)
        for index, (code, name) in enumerate((_METROPOLITAN + invented)[:size])
    )
