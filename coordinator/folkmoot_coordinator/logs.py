"""The log of a running coordinator: one line for each event, on standard error."""

from __future__ import annotations

import logging
import sys
import time


class OneLine(logging.Formatter):
    """Formats an event as one line, whatever its message holds."""

    def __init__(self, prefix: str = "") -> None:
        """Formats events.

        Args:
            prefix: Stands before each message; without `%`.
        """
        super().__init__(f"%(asctime)s %(levelname)s {prefix}%(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """The line of an event; a trace, where one is asked for, follows it."""
        return " ".join(super().formatMessage(record).split())


def configure(level: int = logging.INFO, *, prefix: str = "") -> None:
    """Sends the coordinator's log to standard error, with times in UTC.

    Lines hold codes, identifiers and counts of messages; never a cell.

    Args:
        level: Of what the coordinator itself logs.
        prefix: Stands before each message; without `%`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(prefix))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("folkmoot_coordinator").setLevel(level)
