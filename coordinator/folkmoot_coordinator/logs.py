"""The log of a running coordinator: one line an event, on standard error."""

from __future__ import annotations

import logging
import sys
import time


def configure(level: int = logging.INFO) -> None:
    """Sends the coordinator's log to standard error, with times in UTC.

    Lines hold codes, identifiers and counts of messages; never a cell.
    """
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("folkmoot_coordinator").setLevel(level)
