"""Series of which no further round can be answered, and whom they counted, which is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from folkmoot_node.answering.event import Event
from folkmoot_node.signals import events
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome


def forget_ended_series(home: NodeHome) -> Iterator[Event]:
    """Deletes the histories of series of which no further round can be answered.

    That is so when the last round of a series is released, or its end has passed.
    """
    folder = home.config.history_folder
    if not folder.is_dir():
        return
    from folkmoot_node.store.event_history import SUFFIX, forget  # late: see `answer.load_release`

    over = ended_series(home)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.stem in over:
            try:
                forget(path)
            except Problem:  # in use: next time
                continue
            text = f"series {path.stem[:12]} has ended; whom it counted is forgotten"
            yield Event("", text, kind=events.SERIES_FORGOTTEN)


def ended_series(home: NodeHome) -> set[str]:
    """Series of which no further round can be answered, by id."""
    over: set[str] = set()
    if not home.config.history_folder.is_dir():
        return over
    answered = home.outbox.digests()
    for known in home.round_book().rounds():
        series = known.facts.series
        if series is None:
            continue
        last = series.position == series.length and known.round_id in answered
        if home.clock() >= series.ends_at or last:
            over.add(series.series_id)
    return over
