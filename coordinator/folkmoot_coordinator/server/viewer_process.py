"""The region's site in a process of its own: started, started again if it ends, stopped.

Whatever befalls the site, the ports of councils go on. It is not waited for: that it answers is
in the log.
"""

from __future__ import annotations

import os
import subprocess

from folkmoot_coordinator.home import Home
from folkmoot_coordinator.server.restarted_process import RestartedProcess
from folkmoot_operator import child_process, readings_socket
from folkmoot_operator.service_manager import without_credentials

STOP_SECONDS = 15.0
"""How long the site may take to finish what it is serving."""
_MODULE = "folkmoot_coordinator.viewer.serve_viewer"


class ViewerProcess:
    """The process that serves the site. To be used from the main thread."""

    def __init__(self, home: Home) -> None:
        """Starts nothing yet.

        Args:
            home: The coordinator's folder.
        """
        self._home = home
        self._process = RestartedProcess("viewer", self._begin)

    def start(self) -> None:
        """Starts it, and does not wait until it serves.

        Raises:
            OSError: If the machine has no room for a process.
        """
        self._process.start()

    def look_after(self) -> None:
        """Starts it again if it has ended, after a wait that grows each time; raises nothing."""
        self._process.look_after()

    def stop(self) -> None:
        """Ends it."""
        self._process.stop(STOP_SECONDS)

    def _begin(self) -> subprocess.Popen[bytes]:
        home = self._home.path.resolve()
        # With all other variables: drivers of databases find passwords in them.
        variables, kept = without_credentials(os.environ), readings_socket.inherited()
        return child_process.start(["-m", _MODULE, str(home)], variables, home, keep_open=kept)
