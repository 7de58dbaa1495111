"""Runs the region's site, alone in its process."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable

from folkmoot_coordinator.home import Home


def serve_viewer(home: Home, ready: Callable[[str], None]) -> None:
    """Serves the site until SIGTERM or SIGINT. To be called from the main thread.

    Args:
        home: The coordinator's folder.
        ready: Called with the site's address once it answers.

    Raises:
        Problem: If the settings are wrong, something is not installed, the port is taken, or
            there is no region.
    """
    # Also while it starts; the server then finishes what it serves, and passes the signal on.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from folkmoot_coordinator.charts.drawing import start_drawing
    from folkmoot_coordinator.viewer.settings import site_settings

    web = site_settings(home, home.settings())
    from folkmoot_coordinator.viewer.site import build_viewer
    from folkmoot_web.serving import Serving

    def answers(address: str) -> None:
        ready(address)
        # What draws charts takes seconds to start; the first reader should not wait for it. The
        # process ends when it has started, not in the middle of that.
        threading.Thread(target=start_drawing, name="drawing").start()

    Serving(build_viewer(home), web, home=home.path, ready=answers).run()
