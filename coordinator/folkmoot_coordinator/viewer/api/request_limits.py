"""How many requests a key or a person may send, and how many wrong keys an address."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from folkmoot_web.errors import WebProblem, problem_of_status

WRONG_KEYS = 30
"""In any minute, from one address."""


class RequestLimits:
    """Counts requests of the last minute, in the memory of this process; for several threads."""

    def __init__(self, per_minute: int, wrong_keys: int = WRONG_KEYS) -> None:
        """Begins with nothing.

        Args:
            per_minute: Requests that a key or a person may send in any minute.
            wrong_keys: Wrong keys that an address may send in any minute.
        """
        self._counted = MovingWindowRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerMinute(per_minute)
        self._wrong = RateLimitItemPerMinute(wrong_keys)

    def count(self, who: str) -> None:
        """Counts a request.

        Args:
            who: Key or account.

        Raises:
            WebProblem: Status 429, if they have sent too many.
        """
        if not self._counted.hit(self._requests, "request", who):
            raise self._too_many(self._requests, "request", who)

    def count_wrong_key(self, address: str) -> None:
        """Counts a wrong key.

        Right keys from the same address go on: many programs may share it.

        Raises:
            WebProblem: Status 429, if it has sent too many.
        """
        if not self._counted.hit(self._wrong, "wrong key", address):
            raise self._too_many(self._wrong, "wrong key", address)

    def _too_many(self, item: RateLimitItemPerMinute, *who: str) -> WebProblem:
        again_at, _ = self._counted.get_window_stats(item, *who)
        seconds = max(1, math.ceil(again_at - time.time()))
        return problem_of_status(
            429, f"{item.amount} a minute are allowed.", {"Retry-After": str(seconds)}
        )
