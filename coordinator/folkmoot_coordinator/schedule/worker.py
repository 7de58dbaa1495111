"""The process that does what is due: `python -m folkmoot_coordinator.schedule.worker`.

It has its own memory, and a fault in it ends neither the ports nor the housekeeping. Prefect,
which takes seconds to import, is imported only by what is recorded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.clock import system_clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.schedule.jobs import Done, Job, done_or_failed, due_jobs
from folkmoot_coordinator.signals import events
from folkmoot_operator import log_output
from folkmoot_operator.console import application, run
from folkmoot_operator.events import emit
from folkmoot_operator.moments import to_text

MODULE = "folkmoot_coordinator.schedule.worker"
RECORDED = "--recorded"

app = application(MODULE, "What `folkmoot-coordinator serve` does on a schedule.")


@app.command()
def work(
    home: Path, recorded: Annotated[bool, typer.Option(RECORDED, help="As a flow.")] = False
) -> None:
    """Does everything that is due, once, and logs what became of it."""
    place = Home(home)
    settings = place.settings().log
    log_output.configure(settings, place.path, "folkmoot-coordinator-schedule")
    found = do_due(home, recorded=recorded)
    # Again: Prefect sets the root of all logs as it likes.
    log_output.configure(settings, place.path, "folkmoot-coordinator-schedule")
    for one, done in found.items():
        emit(
            events.JOB_FAILED if done.is_problem else events.JOB_DONE,
            job=str(one),
            result=done.text,
        )


def do_due(home: Path, *, recorded: bool) -> dict[Job, Done]:
    """Does everything that is due, once.

    Args:
        home: The coordinator's folder.
        recorded: True to run it as a flow, whose server the environment names.

    Raises:
        Problem: If the settings or the database cannot be used.
    """
    place, now = Home(home), system_clock()
    settings = place.settings()
    database = Database(place.database_url(settings))
    try:
        database.bring_up_to_date()
        jobs = list(due_jobs(database, place, settings, now))
    finally:
        database.close()
    if recorded and jobs:
        from folkmoot_coordinator.schedule.prefect_flows import run_recorded

        return run_recorded(
            home, to_text(now), jobs, lambda text: emit(events.HISTORY_GAP, text=text)
        )
    return {one: done_or_failed(home, one) for one in jobs}


if __name__ == "__main__":
    run(app)
