"""The node's certificate while `serve` runs: renewed in time, and its end told once a day.

Visits renew it too. But a visit may be far off, or wait for what else `serve` starts; a
certificate that lives for hours cannot.
"""

from __future__ import annotations

from collections.abc import Callable

from folkmoot_node.answering.event import Event
from folkmoot_node.federation.certificate_lives import certificates
from folkmoot_node.federation.identity import Identity
from folkmoot_node.home import NodeHome
from folkmoot_node.signals import events
from folkmoot_operator.certificate_lives import CertificateLife, Standing
from folkmoot_operator.problems import Problem

LOOK_SECONDS = 3600
"""How often the files are looked at, at least: another command may have renewed them."""
SHORTEST_SECONDS, LONGEST_SECONDS = 5, 300
"""Shortest and longest time between two tries of a renewal that fails: a thirtieth of what is left
of the certificate, within these."""
TELL_SECONDS = 86_400
"""A certificate that ends soon is told of once in this time."""


class CertificateWatch:
    """Renews the certificate when it is due. Of one thread."""

    def __init__(self, home: NodeHome, report: Callable[[Event], None]) -> None:
        """Has not looked yet.

        Args:
            home: The node.
            report: Told of a renewal, of one that failed, and of a certificate that ends soon.
        """
        self._home = home
        self._report = report
        self._look_at = 0.0
        self._told: dict[str, int] = {}
        self._failed = ""

    def attend(self) -> None:
        """Looks, if it is time to; to be called again and again. Never raises Problem.

        What is wrong with the files themselves, the next visit says.
        """
        now = self._home.clock()
        if self._look_at - LOOK_SECONDS <= now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        try:
            identity = self._home.identity()
        except Problem:
            return
        if identity.is_due_for_renewal(now) and not identity.is_expired(now):
            identity = self._renewed(now, identity.not_after.timestamp() - now) or identity
        if not identity.is_due_for_renewal(now):
            self._look_at = min(self._look_at, identity.due_at + 1)
        self._tell(now)

    def _renewed(self, now: int, left: float) -> Identity | None:
        try:
            identity = self._home.renew_certificate()
        except Problem as problem:
            again = min(LONGEST_SECONDS, max(SHORTEST_SECONDS, left / 30))
            self._look_at = now + again
            if self._failed != str(problem):
                text = f"the certificate was not renewed: {problem}. {problem.remedy}"
                self._report(Event("", text, True, events.CERTIFICATE_NOT_RENEWED))
            self._failed = str(problem)
            return None
        self._failed = ""
        until = f"{identity.not_after:%Y-%m-%d %H:%M} UTC"
        text = f"certificate renewed until {until}"
        self._report(Event("", text, False, events.CERTIFICATE_RENEWED))
        return identity

    def _tell(self, now: int) -> None:
        for one in certificates(self._home.keys, now):
            if one.standing is Standing.FINE:
                self._told.pop(one.name, None)
            elif not 0 <= now - self._told.get(one.name, -TELL_SECONDS) < TELL_SECONDS:
                self._told[one.name] = now
                has_ended = one.standing is Standing.ENDED
                kind = events.CERTIFICATE_ENDED if has_ended else events.CERTIFICATE_ENDS_SOON
                self._report(Event("", _line(one), has_ended, kind))


def _line(life: CertificateLife) -> str:
    return f"certificate of {life.name} {life}. {life.remedy}"
