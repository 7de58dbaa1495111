"""When scoring is due: a cron expression in the council's time zone."""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass

from cronsim import CronSim, CronSimError

_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """Repeated times.

    When clocks go forward, a time that does not exist is moved an hour later; when they go
    back, a time that occurs twice counts once. Debian's cron does the same.

    Attributes:
        cron: Minute, hour, day of month, month, day of week: `0 5 * * *` is 5:00 every day.
        zone: Time zone, such as `Europe/London`.
    """

    cron: str
    zone: zoneinfo.ZoneInfo

    def next(self, now: int) -> int:
        """The first time after `now`; both in seconds since 1970-01-01T00:00:00Z."""
        return self._step(now, reverse=False)

    def latest(self, now: int) -> int:
        """The last time before `now`; both in seconds since 1970-01-01T00:00:00Z."""
        return self._step(now, reverse=True)

    def _step(self, now: int, *, reverse: bool) -> int:
        start = datetime.datetime.fromtimestamp(now, self.zone)
        return int(next(CronSim(self.cron, start, reverse=reverse)).timestamp())


def check_cron(expression: str) -> str:
    """Returns the expression if it is valid.

    Raises:
        ValueError: If it is not, or names a day that never comes, such as 30 February.
    """
    remedy = "write minute, hour, day of month, month, day of week, such as `0 5 * * *`"
    if len(expression.split()) != _FIELDS:
        raise ValueError(f"{expression!r} does not have {_FIELDS} fields; {remedy}")
    try:
        next(CronSim(expression, datetime.datetime.now(datetime.UTC)))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is no schedule ({error}); {remedy}") from None
    return expression


def check_zone(name: str) -> str:
    """Returns the name if this machine has such a time zone.

    Raises:
        ValueError: If it does not.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write one such as Europe/London") from None
    return name
