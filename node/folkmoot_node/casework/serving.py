"""Runs the casework site, alone in its process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from folkmoot_node.casework.desk import desk_of_app
from folkmoot_node.casework.referring.mail_rounds import sending_messages
from folkmoot_node.casework.site import build_casework
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.casework.tidying import Tidying
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_web.serving import Serving


def serve_casework(config: NodeConfig, ready: Callable[[str], None]) -> None:
    """Serves the site until SIGTERM or SIGINT. To be called from the main thread.

    Args:
        config: The node's settings.
        ready: Called with the site's address once it answers.

    Raises:
        Problem: If settings, policy or key are wrong, something is not installed, or the port is
            taken.
    """
    # Also while it starts; the server then finishes what it serves, and passes the signal on.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    web = site_settings(config)
    app = build_casework(config)
    tidying = Tidying(desk_of_app(app))

    def started(address: str) -> None:
        tidying.start()
        ready(address)

    try:
        with sending_messages(desk_of_app(app)):
            Serving(app, web, home=config.casework_folder, ready=started).run()
    finally:
        tidying.stop()
