"""The councils of a rehearsal region."""

from __future__ import annotations

import re
from dataclasses import dataclass

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_operator.problems import ExitCode, Problem

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

_LONDON = (
    ("E09000001", "City of London"),
    ("E09000002", "Barking and Dagenham"),
    ("E09000003", "Barnet"),
    ("E09000004", "Bexley"),
    ("E09000005", "Brent"),
    ("E09000006", "Bromley"),
    ("E09000007", "Camden"),
    ("E09000008", "Croydon"),
    ("E09000009", "Ealing"),
    ("E09000010", "Enfield"),
    ("E09000011", "Greenwich"),
    ("E09000012", "Hackney"),
    ("E09000013", "Hammersmith and Fulham"),
    ("E09000014", "Haringey"),
    ("E09000015", "Harrow"),
    ("E09000016", "Havering"),
    ("E09000017", "Hillingdon"),
    ("E09000018", "Hounslow"),
    ("E09000019", "Islington"),
    ("E09000020", "Kensington and Chelsea"),
    ("E09000021", "Kingston upon Thames"),
    ("E09000022", "Lambeth"),
    ("E09000023", "Lewisham"),
    ("E09000024", "Merton"),
    ("E09000025", "Newham"),
    ("E09000026", "Redbridge"),
    ("E09000027", "Richmond upon Thames"),
    ("E09000028", "Southwark"),
    ("E09000029", "Sutton"),
    ("E09000030", "Tower Hamlets"),
    ("E09000031", "Waltham Forest"),
    ("E09000032", "Wandsworth"),
    ("E09000033", "Westminster"),
)
_INVENTED = tuple(
    (f"E080099{number:02d}", f"Invented borough {number}")
    for number in range(1, MAXIMUM_COUNCILS - len(_METROPOLITAN) + 1)
)


@dataclass(frozen=True, slots=True)
class Council:
    """A council of the rehearsal: a real name and code, invented residents.

    Attributes:
        code: GSS code of the district.
        name: Its name.
        index: Place among all that can be rehearsed, from 0; seeds and identifiers derive
            from it, so that a council's files do not depend on which others there are.
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
    return _known()[:size]


def named(councils: str) -> tuple[Council, ...]:
    """The councils that a person names: how many, or which.

    Args:
        councils: A number from 1 to 40, as for `region`; or GSS codes with commas between them.
            Besides the councils of `region` the boroughs of London have codes here.

    Raises:
        Problem: Exit code USAGE, if the number is out of range, or a code is none, unknown, or
            named twice.
    """
    words = [word.strip() for word in councils.split(",")]
    if re.fullmatch("[0-9]{1,4}", councils.strip()):
        try:
            return region(int(words[0]))
        except ValueError as error:
            raise _usage(str(error)) from None
    known = {str(council.code): council for council in _known()}
    chosen: list[Council] = []
    for word in words:
        try:
            code = str(GssCode(word.upper()))
        except ContractError:
            raise _usage(f"{word!r} is neither a number nor a GSS code") from None
        if code not in known:
            raise _usage(f"{code} is no metropolitan district of England or London borough")
        if known[code] in chosen:
            raise _usage(f"{code} is named twice")
        chosen.append(known[code])
    if len(chosen) > MAXIMUM_COUNCILS:
        raise _usage(f"a region has 1 to {MAXIMUM_COUNCILS} councils")
    return tuple(chosen)


def _known() -> tuple[Council, ...]:
    return tuple(
        Council(GssCode(code), name, index)
        for index, (code, name) in enumerate(_METROPOLITAN + _INVENTED + _LONDON)
    )


def _usage(problem: str) -> Problem:
    return Problem(
        problem,
        where="--councils",
        remedy=f"Give a number from 1 to {MAXIMUM_COUNCILS}, or GSS codes with commas between "
        "them, such as E09000002,E08000009",
        exit_code=ExitCode.USAGE,
    )
