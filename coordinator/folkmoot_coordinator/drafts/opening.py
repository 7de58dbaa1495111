"""The coordinator opens drafts that were approved: it alone has the signing key.

What the database of drafts says was written by the viewer's process, which may be wrong or in
strange hands. So everything is checked again here, by the settings of the coordinator: that the
question is the one that was approved, who approved it, and that `round open` would open it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.pauses import PauseWatch
from folkmoot_coordinator.drafts.decisions import approval_of, end_opening, note_trouble
from folkmoot_coordinator.drafts.drafts import Draft, DraftState, list_drafts, question_of
from folkmoot_coordinator.drafts.models import DRAFTS
from folkmoot_coordinator.drafts.people import AccountKind, Person, check_second, needs_second
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.membership.known_councils import known_councils
from folkmoot_coordinator.planning.question_checks import doubts_of_question
from folkmoot_coordinator.rounds.opening import open_planned
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_coordinator.rounds.round_store import round_of_origin
from folkmoot_coordinator.signals import events
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.events import emit
from folkmoot_operator.problems import ExitCode, Problem

PROGRAM = Person("folkmoot-coordinator", AccountKind.PROGRAM)
"""Who opens drafts."""
_RETRIES = Backoff(5.0, 300.0)


def open_drafts(home: Home, settings: CoordinatorSettings) -> Database:
    """The database of drafts; made if it is missing.

    Raises:
        Problem: If it cannot be used.
    """
    database = Database(home.drafts_url(settings), DRAFTS)
    try:
        database.bring_up_to_date()
    except BaseException:
        database.close()
        raise
    return database


class DraftOpener:
    """Opens approved drafts, each once."""

    def __init__(
        self,
        home: Home,
        region: Database,
        signing: SigningKey,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens no database yet.

        Args:
            home: The coordinator's folder.
            region: The region's database.
            signing: The coordinator's key.
            clock: The time.
            monotonic: Seconds, for waits between attempts.
        """
        self._home = home
        self._settings = home.settings()
        self._region = region
        self._pauses = PauseWatch(region)
        self._signing = signing
        self._clock = clock
        self._monotonic = monotonic
        self._drafts: Database | None = None
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def look(self) -> list[Draft]:
        """Opens what is approved and due; returns the drafts that were looked at.

        Raises:
            Problem: If the database of drafts cannot be used now.
        """
        drafts = self._database()
        if drafts is None or self._pauses.pause() is not None:
            return []
        approved = list_drafts(drafts, (DraftState.APPROVED,))
        due = [one for one in approved if self._monotonic() >= self._due.get(one.draft_id, 0.0)]
        for draft in due:
            self._try(drafts, draft)
        return due

    def close(self) -> None:
        """Closes the database of drafts."""
        if self._drafts is not None:
            self._drafts.close()
            self._drafts = None

    def _database(self) -> Database | None:
        """The database of drafts; None while nobody has written one."""
        if self._drafts is None:
            file = self._home.drafts_file(self._settings)
            if file is not None and not file.exists():
                return None
            self._drafts = open_drafts(self._home, self._settings)
        return self._drafts

    def _try(self, drafts: Database, draft: Draft) -> None:
        now = self._clock()
        try:
            round_id = open_draft(
                drafts, self._region, self._signing, self._home, self._settings, draft, now
            )
        except Problem as problem:
            if problem.exit_code is ExitCode.UNREACHABLE:
                self._again_later(drafts, draft, problem)
                return
            emit(events.DRAFT_REFUSED, draft=draft.draft_id, reason=problem)
            reason = f"{problem}. {problem.remedy}"
            end_opening(drafts, draft.draft_id, PROGRAM, now, reason=reason)
        except Exception as error:  # one draft must not stop the others, nor be tried endlessly
            emit(events.DRAFT_FAILED, draft=draft.draft_id, error=error)
            reason = f"a fault of the coordinator ({type(error).__name__}). Report it"
            end_opening(drafts, draft.draft_id, PROGRAM, now, reason=reason)
        else:
            end_opening(drafts, draft.draft_id, PROGRAM, now, round_id=round_id)
            emit(events.DRAFT_OPENED, draft=draft.draft_id, round=round_id)
        self._failures.pop(draft.draft_id, None)
        self._due.pop(draft.draft_id, None)

    def _again_later(self, drafts: Database, draft: Draft, problem: Problem) -> None:
        failures = self._failures.get(draft.draft_id, 0)
        wait = _RETRIES.seconds(failures)
        self._failures[draft.draft_id] = failures + 1
        self._due[draft.draft_id] = self._monotonic() + wait
        emit(events.DRAFT_DELAYED, draft=draft.draft_id, again_in=wait, reason=problem)
        note_trouble(drafts, draft.draft_id, str(problem))


def open_draft(
    drafts: Database,
    region: Database,
    signing: SigningKey,
    home: Home,
    settings: CoordinatorSettings,
    draft: Draft,
    now: int,
) -> str:
    """Opens the round of an approved draft, or finds the one that was opened from it.

    The round remembers the draft: whatever ends this process before that is written down among the
    drafts (`drafts.end_opening`), no second round is opened.

    Args:
        drafts: The database of drafts.
        region: The region's database.
        signing: The coordinator's key.
        home: The coordinator's folder.
        settings: The coordinator's settings.
        draft: An approved draft.
        now: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        The round's id.

    Raises:
        Problem: UNREACHABLE if it may be tried again; else why it cannot be opened.
    """
    round_id = round_of_origin(region, draft.origin)
    if round_id is not None:
        return round_id
    approval = approval_of(drafts, draft)
    people = {"asked_by": str(draft.author)}
    if needs_second(settings.rounds, draft.author):
        if approval is None:
            raise Problem(
                "nobody has approved the question as it is now",
                where=f"draft {draft.draft_id[:12]}",
                remedy="Submit it again, and ask a second person to approve it",
                exit_code=ExitCode.REFUSED,
            )
        check_second(approval.person, draft.author, settings.rounds.approvers)
    if approval is not None:
        people["approved_by"] = str(approval.person)
    asked = make_round(question_of(drafts, draft), (), now)
    catalogues = catalogues_of(region, asked.round_.councils)
    doubts_of_question(asked, known_councils(home), catalogues)
    try:
        stored = open_planned(
            region,
            signing,
            asked,
            origin=draft.origin,
            who=PROGRAM.name,
            details=people | {"question": draft.digest.hex()},
        )
    except Problem:
        # `serve` and `round approve` both open what was just approved: one of them is first.
        round_id = round_of_origin(region, draft.origin)
        if round_id is None:
            raise
        return round_id
    return stored.round_.round_id
