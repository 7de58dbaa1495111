"""Sends messages that wait, now and then, while the site runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.referring.room import open_room
from folkmoot_node.signals import events
from folkmoot_operator.events import emit

SECONDS = 60
"""From one round to the next."""


@contextmanager
def sending_messages(desk: Desk, *, seconds: float = SECONDS) -> Iterator[None]:
    """Sends in a thread what waits, until the end; nothing where mail is off.

    Args:
        desk: Casework at the council.
        seconds: From one round to the next.

    Raises:
        Problem: If the settings of mail cannot be used.
    """
    postbox = open_room(desk).postbox
    ends = threading.Event()

    def rounds() -> None:
        while not ends.wait(seconds):
            try:
                postbox.send_due()
            except Exception as error:  # the next round may do better
                emit(events.CASEWORK_NOT_SENT, problem=error)

    if not postbox.is_on:
        yield
        return
    thread = threading.Thread(target=rounds, daemon=True, name="messages")
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join(seconds)
