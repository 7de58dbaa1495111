"""Deletes what is past the casework policy's retention, each hour while the site is served."""

from __future__ import annotations

import threading

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.holders import RECORDS
from folkmoot_node.casework.rights.retention import BY_RULE, purge_casework
from folkmoot_node.signals import events
from folkmoot_operator.events import emit
from folkmoot_operator.problems import Problem

EVERY = 3600
"""Seconds between two looks."""


class Tidying:
    """A thread beside the site that purges."""

    def __init__(self, desk: Desk, every: float = EVERY) -> None:
        """Prepares it.

        Args:
            desk: Casework.
            every: Seconds between two looks.
        """
        self._desk = desk
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tidying", daemon=True)

    def start(self) -> None:
        """Begins, with a look at once. The tables are there."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after what is being deleted; nothing if it did not start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(20)

    def _run(self) -> None:
        while True:
            try:
                counts = purge_casework(self._desk, RECORDS, BY_RULE)
            except Problem as problem:  # the database may be away: the next look tries again
                emit(events.CASEWORK_PURGE_FAILED, problem=problem)
            else:
                for kind in counts:
                    emit(events.CASEWORK_PURGED, what=kind)
            if self._stop.wait(self._every):
                return
