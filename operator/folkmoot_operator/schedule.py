"""When something is due: a cron expression in a time zone."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from cronsim import CronSim, CronSimError

_FIELDS = 5
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Schedule:
    """Repeated times.

    When clocks go forward, a time that does not exist comes at the first moment that does; when
    they go back, a time that occurs twice counts once, when it occurs first. Expressions whose
    minute or hour begins with `*` are intervals rather than times: they go on through both
    hours, and leave out the hour that does not exist. Debian's cron does the same.

    Attributes:
        cron: Minute, hour, day of month, month, day of week: `0 5 * * *` is 5:00 every day.
        zone: Time zone, such as `Europe/London`.
    """

    cron: str
    zone: zoneinfo.ZoneInfo

    def next(self, now: int) -> int:
        """The first time after `now`; both in seconds since 1970-01-01T00:00:00Z."""
        return next(moment for moment in self._moments(now, reverse=False) if moment > now)

    def latest(self, now: int) -> int:
        """The last time before `now`; both in seconds since 1970-01-01T00:00:00Z."""
        return next(moment for moment in self._moments(now, reverse=True) if moment < now)

    def shown(self, moment: int) -> str:
        """What clocks in the zone show then, to the minute, with their offset from UTC."""
        return self._local(moment).isoformat(timespec="minutes")

    def _moments(self, now: int, *, reverse: bool) -> Iterator[int]:
        """The times around `now` and from then on, in order; forwards or backwards."""
        if self._is_interval:
            for found in CronSim(self.cron, self._local(now), reverse=reverse):
                yield int(found.timestamp())
            return
        # In the time that clocks show, of which an hour is missing in spring and one repeated
        # in autumn. It begins a day off, which is more than clocks are ever changed by.
        begin = self._local(now + (_DAY if reverse else -_DAY)).replace(tzinfo=None)
        for shown in CronSim(self.cron, begin, reverse=reverse):
            yield self._first(shown)

    @property
    def _is_interval(self) -> bool:
        minute, hour, *_ = self.cron.split()
        return minute.startswith("*") or hour.startswith("*")

    def _local(self, moment: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(moment, self.zone)

    def _first(self, shown: datetime.datetime) -> int:
        """When clocks show a time first; if never, when they jump over it."""
        local = shown.replace(tzinfo=self.zone)
        moment = int(local.timestamp())
        if self._local(moment).replace(tzinfo=None) == shown:
            return moment
        # Between the two readings of a time that does not exist the clocks change.
        before, after = sorted((moment, int(local.replace(fold=1).timestamp())))
        offset = self._local(before).utcoffset()
        while after - before > 1:
            middle = (before + after) // 2
            if self._local(middle).utcoffset() == offset:
                before = middle
            else:
                after = middle
        return after


def check_cron(expression: str) -> str:
    """Returns the expression if it is valid.

    Raises:
        ValueError: If it is not, or names a day that never comes, such as 30 February.
    """
    remedy = "write minute, hour, day of month, month, day of week, such as `0 5 * * *`"
    if len(expression.split()) != _FIELDS:
        raise ValueError(f"{expression!r} does not have {_FIELDS} fields; {remedy}")
    try:
        found = next(CronSim(expression, datetime.datetime.now(datetime.UTC)), None)
    except CronSimError as error:
        raise ValueError(f"{expression!r} is no schedule ({error}); {remedy}") from None
    if found is None:
        raise ValueError(f"{expression!r} names a day that never comes; {remedy}")
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
