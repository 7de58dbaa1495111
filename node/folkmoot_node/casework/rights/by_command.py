"""Residents answered by commands: under the casework policy, in its log, as pages do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from folkmoot_node.casework.authority.command_line import command_user, require_noted
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.holdings import Records
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.opening.reasons import checked_reason
from folkmoot_node.casework.rights.access_folder import AccessFolder, access_folder
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.casework.rights.dossier import SHOWN, gather
from folkmoot_node.casework.rights.erasure import Erasure, Preview
from folkmoot_node.casework.rights.kinds import Ground, RequestKind
from folkmoot_node.casework.rights.notice import Notice, make_notice
from folkmoot_node.casework.rights.rectification import Rectification, Wrong
from folkmoot_node.casework.rights.requests import Requests
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.errors import WebProblem
from folkmoot_web.visitors import Visitor

FOLDER_MADE = "subject access folder made"
"""Action of the log."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Somebody who answers a resident by a command, and the household that is open for them.

    Attributes:
        visitor: Who it is.
        opened: The household.
        request: The request, and its version.
    """

    visitor: Visitor
    opened: Opened
    request: tuple[str, int]


def begin(bench: Bench, uprn: int, kind: RequestKind, reason: str, what: str) -> Answering:
    """Records what a resident asks for, and opens the household; the log has both first.

    Args:
        bench: Casework.
        uprn: The household.
        kind: What is asked for.
        reason: Why, in words that name nobody.
        what: What is looked at, for the log.

    Raises:
        Problem: Exit code REFUSED, if the policy does not permit it; DATA if nothing is held;
            USAGE, if the reason is none.
        WebProblem: Status 403, if the household is hidden from them. Of this and of the others
            `desk_for_command` makes a `Problem`.
    """
    reason = checked_reason(reason)
    visitor = command_visitor(bench)
    case_id = _case(bench, visitor, uprn, reason)
    made = Requests(bench).record(
        case_id, kind=kind, asked_by=reason, received_on=uk_day(bench.clock()), by=visitor
    )
    return Answering(visitor, _look(bench, visitor, case_id, reason, what), (made, 1))


def _case(bench: Bench, visitor: Visitor, uprn: int, reason: str) -> str:
    case_id = Requests(bench).case_for(uprn, reason, visitor)
    if case_id is None:
        raise Problem(
            "nothing is held about a household with this UPRN",
            where="UPRN",
            remedy="Check it; if it is right, answer the resident that nothing is held",
            exit_code=ExitCode.DATA,
        )
    return case_id


def notice_by_command(bench: Bench, case_id: str, reason: str, language: str) -> Notice:
    """The notice of the household of a case; arguments and errors as `begin`."""
    reason = checked_reason(reason)
    visitor = command_visitor(bench)
    return make_notice(bench, _look(bench, visitor, case_id, reason, "notice"), language)


def answer_access(
    bench: Bench, answering: Answering, records: Sequence[Records], review: Path | None
) -> tuple[AccessFolder, list[dict[str, object]]]:
    """The folder for a resident, and what is to be reviewed.

    Args:
        bench: Casework.
        answering: Of `begin`.
        records: Of every room.
        review: A file of an earlier call, in which somebody has marked what may be shown.

    Returns:
        The folder; and each text that may name others, with whether it is shown.
    """
    dossier = gather(bench, answering.opened, records)
    shown = set() if review is None else _reviewed(review)
    listed: list[dict[str, object]] = [
        {
            "reference": ref,
            "show": ref in shown,
            "where": f"{room}, {item.title}: {fact.label}",
            "text": fact.value,
        }
        for ref, room, item, fact in dossier.to_review()
    ]
    made = access_folder(dossier, shown)
    with bench.state.database.writing() as session:
        detail = {
            "request": answering.request[0],
            "household": answering.opened.household,
            "shown": made.shown,
            "redacted": made.redacted,
        }
        bench.state.audit.record(session, FOLDER_MADE, answering.visitor.name, detail)
    Requests(bench).answer(*answering.request, answering.visitor)
    return made, listed


def write_review(path: Path, listed: list[dict[str, object]]) -> None:
    """Writes what is to be reviewed, as a private file; one of this name is replaced."""
    content = json.dumps({"texts": listed}, indent=1, ensure_ascii=False)
    write_private(path, content.encode(), replace=True)


def _reviewed(path: Path) -> set[str]:
    try:
        texts = json.loads(path.read_bytes())["texts"]
        return {str(one["reference"]) for one in texts if one["show"] is True}
    except (OSError, ValueError, KeyError, TypeError):
        raise Problem(
            "this is no review of texts",
            where=str(path),
            remedy="Give the file that the command wrote, with `true` beside what may be shown",
            exit_code=ExitCode.USAGE,
        ) from None


def preview_erasure(bench: Bench, answering: Answering, records: Sequence[Records]) -> Preview:
    """What an erasure would do."""
    return Erasure(bench, records).preview(answering.opened, answering.request[0])


def erase_by_command(
    bench: Bench, answering: Answering, records: Sequence[Records], ground: Ground
) -> dict[str, int]:
    """Erases a household; says how many entries each room had.

    Raises:
        WebProblem: Naming what stands in the way.
    """
    try:
        return Erasure(bench, records).erase(
            answering.opened, ground, answering.visitor, request=answering.request
        )
    except WebProblem as problem:
        leave(bench, answering, problem.problem)
        raise


def rectifiable(bench: Bench, uprn: int, reason: str, records: Sequence[Records]) -> list[Wrong]:
    """Texts about a household that can be rectified; arguments and errors as `begin`."""
    reason = checked_reason(reason)
    visitor = command_visitor(bench)
    case_id = _case(bench, visitor, uprn, reason)
    opened = _look(bench, visitor, case_id, reason, "rectification")
    return Rectification(bench, records).texts(opened)


def rectify_by_command(
    bench: Bench, answering: Answering, records: Sequence[Records], ref: str, text: str
) -> Wrong:
    """Replaces a text; says what it said before."""
    wrong = Rectification(bench, records).rectify(answering.opened, ref, text, answering.visitor)
    Requests(bench).answer(*answering.request, answering.visitor)
    return wrong


def leave(bench: Bench, answering: Answering, why: str) -> None:
    """Notes that nothing was done about what a command had recorded."""
    Requests(bench).answer(*answering.request, answering.visitor, text=why, refused=True)


def command_visitor(bench: Bench) -> Visitor:
    """Who runs a command, as the rest of casework knows people.

    Raises:
        Problem: Exit code REFUSED, if the policy does not let them answer residents.
    """
    user = command_user(bench.known.policy, current_operator())
    require_noted(bench.state, user, Right.RIGHTS)
    permissions = frozenset(str(one) for one in user.rights)
    return Visitor(name=user.name, roles=user.roles, permissions=permissions, by_browser=False)


def _look(bench: Bench, visitor: Visitor, case_id: str, reason: str, what: str) -> Opened:
    bench.openings.open(visitor, case_id, reason)
    opened = bench.openings.look(visitor, case_id, what)
    if what != SHOWN:
        return opened
    # A resident is answered with everything, whoever runs the command, as `explain` does.
    return replace(opened, sources=frozenset(bench.known.policy.sensitive_sources))
