"""Whether keys and state are private, and the authority and the councils' certificates valid."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.authorities import load_authorities
from folkmoot_coordinator.membership.certificate_lives import (
    AUTHORITY,
    NEXT_AUTHORITY,
    authority_lives,
)
from folkmoot_coordinator.membership.certificate_lives import certificates as lives
from folkmoot_coordinator.membership.councils import enrolled
from folkmoot_coordinator.membership.enrolling_again import waiting_requests
from folkmoot_coordinator.membership.known_councils import (
    doubts_about,
    known_councils,
    overlaps,
)
from folkmoot_coordinator.membership.policy_keys import policy_signers
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.certificate_lives import Standing
from folkmoot_operator.checks import Check, Finding, State, open_to_others
from folkmoot_operator.moments import day


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
        load_authorities(home.keys)
        for one in authority_lives(home, clock()):
            until = f"the certificate of the {one.name} is valid until {one.end}"
            yield Finding(AUTHORITY, one.state, until, one.remedy)
        SigningKey.load(home.keys)
        yield Finding("signing key", State.OK, "can be read")

    return Check(AUTHORITY, look)


def certificates(home: Home, database: Database, now: int) -> Iterator[Finding]:
    """Which certificates of ports and councils end soon or have ended, and who asks for one."""
    for waiting in waiting_requests(database, now):
        yield Finding("councils", State.WARN, str(waiting), waiting.remedy)
    councils = enrolled(database, now)
    without = [council.code for council in councils if not council.valid_certificates]
    for one in lives(home, database, now):
        if one.name in (AUTHORITY, NEXT_AUTHORITY) or one.standing is Standing.FINE:
            continue
        if one.name not in without:
            yield Finding("certificates", State.WARN, f"{one.name}: {one}", one.remedy)
    if without:
        yield Finding(
            "councils",
            State.WARN,
            f"no valid certificate: {', '.join(without)}",
            "If a council should take part, it runs `folkmoot-node enrol --again`, or you invite "
            "it again",
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
