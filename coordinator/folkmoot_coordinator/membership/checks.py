"""Whether keys and state are private, and the authority and the councils' certificates valid."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from folkmoot_coordinator.clock import DAY, Clock
from folkmoot_coordinator.config import Home
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.membership.councils import enrolled
from folkmoot_coordinator.membership.known_councils import (
    doubts_about,
    known_councils,
    overlaps,
)
from folkmoot_coordinator.membership.policy_keys import policy_signers
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.checks import Check, Finding, State, open_to_others
from folkmoot_operator.moments import day, to_text

SOON_DAYS = 90
"""An authority that expires sooner is worth a warning."""


def permissions(home: Home) -> Check:
    """Whether the owner alone can use the keys and the state."""

    def look() -> Iterator[Finding]:
        private = [home.path, home.keys, *sorted(home.keys.glob("*"))]
        if home.database_file.exists():
            private.append(home.database_file)
        names = shlex.join(map(str, open_to_others(private)))
        if names:
            remedy = f"Run `chmod go= {names}`"
            yield Finding("permissions", State.FAIL, f"others can use {names}", remedy)
        else:
            yield Finding("permissions", State.OK, "keys and state are the owner's alone")

    return Check("permissions", look)


def keys(home: Home, clock: Clock) -> Check:
    """Whether the authority's certificate is valid, and its key and the signing key are there."""

    def look() -> Iterator[Finding]:
        authority = Authority.load(home.keys)
        left = authority.expires_at - clock()
        until = f"the authority's certificate is valid until {to_text(authority.expires_at)}"
        state, remedy = State.OK, ""
        if left <= 0:
            state, remedy = State.FAIL, "Make a new coordinator and invite every council"
        elif left < SOON_DAYS * DAY:
            state, remedy = State.WARN, "Plan a new coordinator before that day"
        yield Finding("authority", state, until, remedy)
        SigningKey.load(home.keys)
        yield Finding("signing key", State.OK, "can be read")

    return Check("authority", look)


def certificates(database: Database, now: int) -> Iterator[Finding]:
    """Which councils have no valid certificate."""
    councils = enrolled(database, now)
    without = [council.code for council in councils if not council.valid_certificates]
    if without:
        yield Finding(
            "councils",
            State.WARN,
            f"no valid certificate: {', '.join(without)}",
            "Invite them again if they should take part",
        )
    else:
        yield Finding("councils", State.OK, f"{len(councils)} enrolled")


def signers(database: Database) -> Iterator[Finding]:
    """Which councils sign their release policies with a key that the region has not accepted."""
    found = policy_signers(database)
    changed = [one for one in found.values() if one.has_changed]
    for one in changed:
        remedy = (
            "Ask the council on another way whether it wanted that; if so, run "
            f"`folkmoot-coordinator councils accept-signer {one.council}`"
        )
        yield Finding("policy signers", State.WARN, f"{one.council}: {one}", remedy)
    if not changed:
        yield Finding("policy signers", State.OK, f"{len(found)} councils have stated theirs")


def council_codes(home: Home, database: Database, now: int) -> Iterator[Finding]:
    """Which councils that can answer are enrolled under a code that ended, or under two."""
    known = known_councils(home)
    members = [one.code for one in enrolled(database, now) if one.valid_certificates]
    found = [
        *doubts_about(known, members, day(now), "councils"),
        *overlaps(known, members, members),
    ]
    for text in found:
        yield Finding(
            "council codes",
            State.WARN,
            text,
            "Agree with the council under which code its homes are counted, and revoke the other. "
            "If the code is newer than this version of Folkmoot, name a newer list in "
            "coordinator.toml as council_list",
        )
    if not found:
        yield Finding("council codes", State.OK, "each council is enrolled under its code of today")
