"""The process that serves the enrolment port; `serve` starts it.

Whatever strangers do to it, they do not reach the files, the memory or the workers of the
process that serves enrolled councils.

Run as `python -m folkmoot_coordinator.server.serve_enrolment HOME FILE_DESCRIPTOR...`.
"""

from __future__ import annotations

import signal
import socket
import sys
from importlib.metadata import version
from pathlib import Path

from folkmoot_coordinator.clock import system_clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.authorities import KeptAuthorities
from folkmoot_coordinator.membership.caller import Callers
from folkmoot_coordinator.membership.councils import LastSeen
from folkmoot_coordinator.server.enrolment_port import enrolment_port, enrolment_service
from folkmoot_coordinator.server.open_files import raise_limit
from folkmoot_coordinator.server.port import ServingLoop
from folkmoot_coordinator.server.server_certificates import ServerCertificates
from folkmoot_coordinator.signals.metrics import METRICS
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator import log_output, readings_socket, signal_output
from folkmoot_operator.problems import ExitCode
from folkmoot_operator.stop_signal import stop_on

READY = "ready"
"""What it prints when it serves."""


def main(home: Home, sockets: list[socket.socket]) -> None:
    """Serves until SIGTERM."""
    settings = home.settings()
    log_output.configure(settings.log, home.path, "folkmoot-coordinator-enrolment")
    raise_limit()
    stop = stop_on(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    authorities, signing = KeptAuthorities(home.keys), SigningKey.load(home.keys)
    database = Database(home.database_url(settings))
    certificates = ServerCertificates(authorities, settings, system_clock)
    port = enrolment_port(
        enrolment_service(settings, database, authorities, signing, system_clock),
        certificates,
        Callers(database, LastSeen(database), system_clock),
        lambda: database.damage is None,
    )
    with (
        readings_socket.telling("enrolment", METRICS),
        signal_output.traced(
            settings.metrics, home.path, "folkmoot-coordinator", version("folkmoot-coordinator")
        ),
    ):
        loop = ServingLoop()
        loop.run(port.start(sockets))
        print(READY, flush=True)
        while not stop.wait(1) and database.damage is None:
            pass
        loop.run(port.stop())
        loop.stop()
        database.close()
    if database.damage is not None:
        raise SystemExit(ExitCode.VERIFICATION)


if __name__ == "__main__":
    main(
        Home(Path(sys.argv[1])),
        [socket.socket(fileno=int(descriptor)) for descriptor in sys.argv[2:]],
    )
