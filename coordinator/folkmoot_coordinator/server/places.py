"""Places for calls: how many one caller may have at one time, and how many workers they get."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from folkmoot_operator.problems import ExitCode, Problem


@dataclass
class _Caller:
    """A caller with calls under way."""

    workers: asyncio.Semaphore
    calls: int = field(default=0)


class Places:
    """Counts the calls of each caller. Of one event loop."""

    def __init__(self, calls: int, workers: int) -> None:
        """Nobody has called yet.

        Args:
            calls: How many each caller may have under way; those that wait count.
            workers: How many workers may be busy with one caller.
        """
        self._calls = calls
        self._workers = workers
        self._callers: dict[str, _Caller] = {}

    @contextmanager
    def one(self, name: str) -> Iterator[asyncio.Semaphore]:
        """A place for the block; what is given is held while a worker is busy.

        Args:
            name: A council, or the network of a stranger.

        Raises:
            Problem: UNREACHABLE, if the caller has none left.
        """
        caller = self._callers.setdefault(name, _Caller(asyncio.Semaphore(self._workers)))
        if caller.calls >= self._calls:
            raise Problem(
                "too many calls at once",
                where=name,
                remedy="The node tries again by itself; if it goes on, ask the council why",
                exit_code=ExitCode.UNREACHABLE,
            )
        caller.calls += 1
        try:
            yield caller.workers
        finally:
            caller.calls -= 1
            if not caller.calls:
                del self._callers[name]
