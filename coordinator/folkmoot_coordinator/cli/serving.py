"""`folkmoot-coordinator serve`."""

from __future__ import annotations

from pathlib import Path

import typer

from folkmoot_coordinator.cli.options import HomeOption


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("serve")(serve)


def serve(home: HomeOption = Path()) -> None:
    """Serve both ports until stopped (SIGTERM or Ctrl-C); closes rounds when due.

    Opens drafts that were approved and, where the settings have a table [schedule], rounds that
    are due; exports those that close.

    Prints one line when ready; logs one line for each event to standard error.

    Example: `folkmoot-coordinator serve --home region`
    """
    import logging
    import signal
    import threading

    from folkmoot_coordinator.config import Home
    from folkmoot_coordinator.schedule.background import Schedule
    from folkmoot_coordinator.server.logs import configure
    from folkmoot_coordinator.server.open_files import raise_limit
    from folkmoot_coordinator.server.server import CoordinatorServer

    configure()
    raise_limit()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    schedule = Schedule(Home(home))
    server = CoordinatorServer(Home(home), enrolment_apart=True)
    server.start()
    try:
        schedule.open()
    except BaseException:
        schedule.close()
        server.stop()
        raise
    settings = server.settings
    print(
        f"Serving {settings.region}: collection {settings.collection.listen}, "
        f"enrolment {settings.enrolment.listen}",
        flush=True,
    )
    try:
        server.wait(stop, schedule.attend)
    finally:
        schedule.close()
    logging.getLogger("folkmoot_coordinator").info("stopped")
