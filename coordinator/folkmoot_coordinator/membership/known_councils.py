"""Whether the councils that are invited exist, and none of their homes is counted twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from folkmoot.council_codes import CouncilList, council_list
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_coordinator.home import Home
from folkmoot_operator.problems import ExitCode, Problem


def known_councils(home: Home) -> CouncilList:
    """The list of councils, with the newer one of the settings; the list alone where no home is.

    Raises:
        Problem: Exit code SETTINGS, if the newer list is wrong.
    """
    newer = home.council_list(home.settings()) if home.settings_file.is_file() else None
    try:
        return council_list(newer)
    except ContractError as error:
        raise Problem(
            error.problem, where=error.where, remedy=error.remedy, exit_code=ExitCode.SETTINGS
        ) from None


def doubts_about_invited(
    known: CouncilList, councils: Collection[GssCode], today: date, where: str
) -> tuple[str, ...]:
    """What a person should know before councils are asked.

    Args:
        known: The list of councils.
        councils: Those to be invited to one round.
        today: The day on which they are.
        where: File that names them, for errors.

    Returns:
        Sentences without their full stops.

    Raises:
        Problem: Exit code SETTINGS, if one is no council, or the homes of one are those of
            another too.
    """
    for before, after in known.counted_twice(councils):
        raise Problem(
            f"{before} and {after} are both invited: the homes of the first are those of the "
            "second now, and would be counted twice",
            where=where,
            remedy="Invite one of them. Where councils are not named but all are invited, "
            "name them, or revoke the certificates of the one that ended",
            exit_code=ExitCode.SETTINGS,
        )
    return doubts_about(known, councils, today, where)


def doubts_about(
    known: CouncilList, councils: Iterable[GssCode], today: date, where: str
) -> tuple[str, ...]:
    """What a person should know of each council; see `CouncilList.doubt`.

    Raises:
        Problem: Exit code SETTINGS, if one is no council.
    """
    try:
        return tuple(text for text in (known.doubt(code, today) for code in councils) if text)
    except ContractError as error:
        raise Problem(
            error.problem, where=where, remedy=error.remedy, exit_code=ExitCode.SETTINGS
        ) from None


def overlaps(
    known: CouncilList, councils: Iterable[GssCode], others: Collection[GssCode]
) -> Iterator[str]:
    """Which councils have the homes of others that take part.

    Args:
        known: The list of councils.
        councils: Those in question.
        others: Those that take part already.

    Returns:
        Sentences without their full stops.
    """
    asked = set(councils)
    for before, after in known.counted_twice(asked | {*others}):
        if before.code in asked or after.code in asked:
            yield (
                f"{before} and {after} have the same homes: a round that invites both is not opened"
            )
