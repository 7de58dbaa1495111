"""How long certificates last, and what to do before they end."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from folkmoot_operator.checks import State
from folkmoot_operator.moments import to_datetime

if TYPE_CHECKING:
    from cryptography import x509

SOON_DAYS = 14
"""So many days before its end, a certificate is shown as one that ends soon."""
RENEW_AT = 1 / 3
"""A certificate is renewed when less than this share of its life is left."""
_DAY = 86_400


class Standing(StrEnum):
    """Whether a certificate needs somebody."""

    FINE = "fine"
    SOON = "soon"
    ENDED = "ended"


_STATES = {Standing.FINE: State.OK, Standing.SOON: State.WARN, Standing.ENDED: State.FAIL}


@dataclass(frozen=True, slots=True)
class CertificateLife:
    """When a certificate ends.

    Attributes:
        name: Whose it is: `this node`, `authority`, `collection port`, a council's GSS code.
        not_after: Its end, UTC.
        days_left: Days until then, negative if it has ended.
        standing: Whether it ends soon.
        remedy: What to do, as a sentence without its full stop; empty while it is fine.
    """

    name: str
    not_after: datetime.datetime
    days_left: float
    standing: Standing
    remedy: str

    def __str__(self) -> str:
        if self.standing is Standing.ENDED:
            return f"ended on {self.end}"
        return f"ends in {_time(self.days_left)}, on {self.end}"

    @property
    def state(self) -> State:
        """What a check finds it to be."""
        return _STATES[self.standing]

    @property
    def end(self) -> str:
        """Its end for people, to the minute."""
        return f"{self.not_after:%Y-%m-%d %H:%M} UTC"

    def as_json(self) -> dict[str, str | float]:
        """For programs: name, end (ISO 8601), days left, standing, remedy."""
        return {
            "name": self.name,
            "not_after": f"{self.not_after:%Y-%m-%dT%H:%M:%SZ}",
            "days_left": round(self.days_left, 3),
            "standing": self.standing.value,
            "remedy": self.remedy,
        }


def life(
    name: str,
    begin: float,
    end: float,
    now: float,
    *,
    soon: str,
    ended: str,
    soon_days: float = SOON_DAYS,
) -> CertificateLife:
    """How long a certificate lasts.

    It ends soon from `soon_days` on. Of one that lives for less than twice that time, it is the
    last third of its life, for otherwise it would be said all the time.

    Args:
        name: Whose it is.
        begin: Seconds since 1970-01-01T00:00:00Z.
        end: Seconds since 1970-01-01T00:00:00Z.
        now: Seconds since 1970-01-01T00:00:00Z.
        soon: What to do when it ends soon.
        ended: What to do when it has ended.
        soon_days: From how many days on it ends soon.
    """
    left, whole = end - now, end - begin
    warn = soon_days * _DAY if whole >= 2 * soon_days * _DAY else whole * RENEW_AT
    standing, remedy = Standing.FINE, ""
    if left <= 0:
        standing, remedy = Standing.ENDED, ended
    elif left <= warn:
        standing, remedy = Standing.SOON, soon
    return CertificateLife(name, to_datetime(end), left / _DAY, standing, remedy)


def life_of(
    name: str,
    certificate: x509.Certificate,
    now: float,
    *,
    soon: str,
    ended: str,
    soon_days: float = SOON_DAYS,
) -> CertificateLife:
    """How long a certificate lasts; see `life`."""
    return life(
        name,
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        now,
        soon=soon,
        ended=ended,
        soon_days=soon_days,
    )


def _time(days: float) -> str:
    """A time for people: `12 days`, `5 hours`, `3 minutes`."""
    for size, unit in ((1.0, "days"), (1 / 24, "hours"), (1 / 1440, "minutes")):
        if days >= 2 * size:
            return f"{days / size:.0f} {unit}"
    return f"{days * _DAY:.0f} seconds"
