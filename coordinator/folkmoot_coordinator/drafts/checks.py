"""Whether drafts go on: who is waited for, and what keeps the coordinator from opening them."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.drafts.drafts import DraftState, list_drafts
from folkmoot_coordinator.drafts.models import DRAFTS
from folkmoot_coordinator.home import Home
from folkmoot_operator.checks import Check, Finding, State, failed
from folkmoot_operator.problems import Problem

SOON_SECONDS = 60
"""After how long an approved draft should have been opened."""


def drafts(home: Home, settings: CoordinatorSettings, now: int) -> Check:
    """Whether the drafts can be read, and those that were approved are opened.

    Args:
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.
    """

    def look() -> Iterator[Finding]:
        file = home.drafts_file(settings)
        if file is not None and not file.exists():
            yield Finding("drafts", State.OK, "none was written yet")
            return
        database = Database(home.drafts_url(settings), DRAFTS, read_only=True)
        try:
            if database.version() is None:
                # Commands about accounts and keys make the file, without these tables.
                yield Finding("drafts", State.OK, "none was written yet")
                return
            database.bring_up_to_date()
            waiting = len(list_drafts(database, (DraftState.WAITING,)))
            approved = list_drafts(database, (DraftState.APPROVED,))
        except Problem as problem:
            yield failed("drafts", problem)
            return
        finally:
            database.close()
        for one in approved:
            where = f"draft {one.draft_id[:12]}"
            if one.note:
                yield Finding(
                    "drafts", State.WARN, f"{where} is approved and not opened yet: {one.note}"
                )
            elif now - one.changed_at > SOON_SECONDS:
                yield Finding(
                    "drafts",
                    State.WARN,
                    f"{where} is approved and not opened: the coordinator is not running",
                    "Start `folkmoot-coordinator serve`",
                )
        yield Finding("drafts", State.OK, f"{waiting} waiting for a second person")

    return Check("drafts", look)
