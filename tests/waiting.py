"""What another thread or process brings about is waited for, and not slept for."""

from __future__ import annotations

import time
from collections.abc import Callable

_PATIENCE = 60.0  # seconds


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Waits for something that comes true soon."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {what}")
        time.sleep(0.05)
