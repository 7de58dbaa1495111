"""A line in the log, once a day, for each certificate that ends soon and each request that waits.

What the ports show is not asked for: this process renews it itself, and `doctor` looks.
"""

from __future__ import annotations

from folkmoot_coordinator.clock import DAY, Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_lives import certificates
from folkmoot_coordinator.membership.enrolling_again import waiting_requests
from folkmoot_coordinator.signals import events
from folkmoot_operator.certificate_lives import Standing
from folkmoot_operator.events import emit

LOOK_SECONDS = 600
"""How often it is looked, so that what is new is told within that time."""


class CertificateNotices:
    """Tells what ends. Of one thread."""

    def __init__(self, home: Home, database: Database, clock: Clock) -> None:
        """Has not looked yet."""
        self._home = home
        self._database = database
        self._clock = clock
        self._look_at = 0
        self._told: dict[tuple[str, str], int] = {}

    def tell(self) -> None:
        """Looks, if it is time to; to be called again and again."""
        now = self._clock()
        if self._look_at - LOOK_SECONDS <= now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        self._told = {key: at for key, at in self._told.items() if 0 <= now - at < DAY}
        for one in certificates(self._home, self._database, now, ports=False):
            if one.standing is not Standing.FINE and self._is_new(one.name, one.standing, now):
                emit(
                    events.CERTIFICATE_ENDS,
                    standing="ended" if one.standing is Standing.ENDED else "ends soon",
                    whose=one.name.replace(" ", "-"),
                    until=str(one.end),
                    remedy=one.remedy,
                )
        for waiting in waiting_requests(self._database, now):
            if self._is_new(waiting.council, waiting.fingerprint, now):
                emit(events.ENROLMENT_WAITS_STILL, council=waiting.council)

    def _is_new(self, name: str, what: str, now: int) -> bool:
        if (name, what) in self._told:
            return False
        self._told[name, what] = now
        return True
