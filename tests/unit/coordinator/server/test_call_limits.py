"""Calls that are cut off at the end of their time."""

from __future__ import annotations

import threading
import time

from folkmoot_coordinator.server.call_limits import CallLimits


def test_only_calls_that_take_too_long_are_cancelled_each_at_its_time() -> None:
    limits = CallLimits()
    cancelled: dict[str, float] = {}
    begin = time.monotonic()

    def cancel(name: str) -> None:
        cancelled[name] = time.monotonic() - begin

    long = limits.within(60, lambda: cancel("long"))
    with long, limits.within(0.3, lambda: cancel("second")):
        with limits.within(0.1, lambda: cancel("first")):
            time.sleep(0.2)
        with limits.within(0.2, lambda: cancel("in time")):
            pass
        time.sleep(0.3)
    assert list(cancelled) == ["first", "second"]
    assert cancelled["first"] >= 0.1
    assert cancelled["second"] >= 0.3
    limits.stop()


def test_all_calls_share_one_thread_that_ends() -> None:
    limits = CallLimits()
    before = threading.active_count()
    for _ in range(100):
        with limits.within(60, lambda: None):
            assert threading.active_count() <= before + 1
    limits.stop()
    assert threading.active_count() == before
    with limits.within(0, lambda: None):  # a call that ends while the server stops
        assert threading.active_count() == before
