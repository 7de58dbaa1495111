"""`folkmoot-coordinator serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from folkmoot_coordinator.cli.options import HomeOption

if TYPE_CHECKING:
    from folkmoot_coordinator.home import Home


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("serve")(serve)


def serve(home: HomeOption = Path()) -> None:
    """Serve both ports until stopped (SIGTERM or Ctrl-C); closes rounds when due.

    Runs the region's site too, in a process of its own, where the settings have a table [viewer].
    Opens drafts that were approved and, where the settings have a table [schedule], rounds that
    are due; exports those that close.

    Prints one line when ready; logs one line for each event to standard error.

    Example: `folkmoot-coordinator serve --home region`
    """
    import signal
    from importlib.metadata import version

    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.operations.measuring import look_at
    from folkmoot_coordinator.schedule.background import Schedule
    from folkmoot_coordinator.server.open_files import raise_limit
    from folkmoot_coordinator.server.server import CoordinatorServer
    from folkmoot_coordinator.server.viewer_process import ViewerProcess
    from folkmoot_coordinator.signals import events
    from folkmoot_coordinator.signals.metrics import METRICS
    from folkmoot_operator import log_output, readings_socket, service_manager, signal_output
    from folkmoot_operator.events import emit
    from folkmoot_operator.stop_signal import stop_on

    stop = stop_on(signal.SIGTERM, signal.SIGINT)
    place = Home(home)
    log_output.configure(place.settings().log, place.path, "folkmoot-coordinator")
    raise_limit()
    site = _site_address(place)
    schedule = Schedule(place)
    viewer = ViewerProcess(place)
    server = CoordinatorServer(place, enrolment_apart=True)
    settings = server.settings
    with (
        signal_output.shown(
            settings.metrics,
            place.path,
            "folkmoot-coordinator",
            version("folkmoot-coordinator"),
            METRICS,
            look_at(place, server.certificate_ends),
        ) as readings,
        readings_socket.heard(readings),
    ):
        server.start()
        try:
            schedule.open()
            if site is not None:
                viewer.start()
        except BaseException:
            viewer.stop()
            schedule.close()
            server.stop()
            raise
        print(
            f"Serving {settings.region}: collection {settings.collection.listen}, "
            f"enrolment {settings.enrolment.listen}" + (f", site {site}" if site else ""),
            flush=True,
        )

        service_manager.ready(f"serves {settings.region}")

        def attend() -> None:
            schedule.attend()
            viewer.look_after()

        try:
            server.wait(stop, attend)
        finally:
            viewer.stop()
            schedule.close()
    emit(events.STOPPED)


def _site_address(home: Home) -> str | None:
    """Address of the site that `serve` is to run; None if it is to run none.

    Raises:
        Problem: If its settings are wrong or something is not installed: before a port is open.
    """
    settings = home.settings()
    if not settings.viewer.enabled:
        return None
    from folkmoot_coordinator.viewer.settings import site_settings

    return site_settings(home, settings).origin
