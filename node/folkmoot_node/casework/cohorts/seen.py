"""What somebody is shown of counts and runs: nothing that a hidden household has added to, and no
band that gives something away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.cohorts.cohorts import Cohorts
from folkmoot_node.casework.cohorts.evaluate import Counted
from folkmoot_node.casework.cohorts.models import MemberRow
from folkmoot_node.casework.cohorts.runs import Run, Standing, digest_of
from folkmoot_web.visitors import Visitor

FEW = 5
"""A count from 1 to below this is not shown as it is before there is a run."""


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run as somebody is shown it.

    Attributes:
        run: With the numbers of the households that they may see.
        shows_bands: Whether they may see bands, and the order by score.
        is_whole: Whether its details (who may belong, who is left out) are there; they are not
            if households may be in them that are hidden from this person.
    """

    run: Run
    shows_bands: bool
    is_whole: bool


def rough(counted: Counted) -> dict[str, object]:
    """A count as it is shown before there is a run: None stands for fewer than 5, and not none.

    A run says exactly how many there are, to people who may list them, and the log has it.

    Returns:
        The attributes of `Counted` by name. `bands` is empty if one of them has fewer than 5: the
        others would tell how many.
    """
    bands = {name: _rough(number) for name, number in counted.bands.items()}
    return counted.as_json() | {
        "members": _rough(counted.members),
        "undecided": _rough(counted.undecided),
        "not_known": {text: _rough(number) for text, number in counted.not_known.items()},
        "left_out": {mark: _rough(number) for mark, number in counted.left_out.items()},
        "left_out_in_all": _rough(counted.left_out_in_all),
        "marked": {mark: _rough(number) for mark, number in counted.marked.items()},
        "bands": {} if None in bands.values() else bands,
    }


def seen_run(cohorts: Cohorts, session: Session, run: Run, by: Visitor) -> SeenRun:
    """A run as somebody is shown it: households that are hidden from them are in no number.

    Args:
        cohorts: The cohorts.
        session: Of a transaction.
        run: As it is kept.
        by: Who asks.
    """
    shows_bands = cohorts.shows_bands(by, run.scored_from)
    if not shows_bands:
        run = replace(run, counted=replace(run.counted, bands={}))
    hidden = cohorts.hidden(by)
    if not hidden:
        return SeenRun(run, shows_bands, is_whole=True)
    query = select(MemberRow.standing, func.count()).where(
        MemberRow.run_id == run.run_id, MemberRow.household_id.not_in(hidden)
    )
    rows = session.execute(query.group_by(MemberRow.standing))
    found = {row[0]: row[1] for row in rows}
    standing = {one.value: found.get(one.value, 0) for one in Standing}
    # What is hidden from somebody is in no number that they could count themselves.
    same = run.ran_by == by.name or run.hidden == digest_of(hidden)
    is_whole = same and standing == dict(run.standing)
    counted = replace(run.counted, members=standing[Standing.NEW] + standing[Standing.UNCHANGED])
    if not is_whole:
        counted = replace(
            counted, undecided=0, not_known={}, left_out={}, left_out_in_all=0, marked={}, bands={}
        )
    return SeenRun(replace(run, counted=counted, standing=standing), shows_bands, is_whole)


def _rough(number: int) -> int | None:
    return None if 0 < number < FEW else number
