"""Whether the node's keys are private and its certificate is valid."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from folkmoot_node.evidence.database import Clock
from folkmoot_node.federation.certificate_lives import AUTHORITY, certificates
from folkmoot_node.federation.identity import KeyFiles, load_identity, load_valid_identity
from folkmoot_operator.certificate_lives import CertificateLife, Standing
from folkmoot_operator.checks import Check, Finding, State, open_to_others
from folkmoot_operator.private_files import is_open_to_others
from folkmoot_operator.problems import ExitCode, Problem

_NAME = "enrolment"


def private_keys(
    keys: KeyFiles, store_key: Path, readers: Callable[[], int | None] = lambda: None
) -> Check:
    """Whether this account alone can read the private keys that there are.

    Args:
        keys: The files of keys.
        store_key: The key of the store.
        readers: Gives the number of a group that may read the key of the store too.
    """

    def look() -> str:
        private = [path for path in keys.private if path.is_file()]
        group = readers()
        found = open_to_others(private)
        if store_key.is_file() and is_open_to_others(store_key, group):
            found.append(store_key)
        for path in found:
            mode = "640" if path == store_key and group is not None else "600"
            raise Problem(
                f"{path.name} can be read by others",
                remedy=shlex.join(["chmod", mode, str(path)]),
                exit_code=ExitCode.SETTINGS,
            )
        if group is not None:
            return "private keys are this account's alone, and the store's the group's as well"
        return "private keys are readable by this account alone"

    return Check("keys", look)


def overdue_renewal(keys: KeyFiles, now: int) -> str | None:
    """What a command that does not connect says of a certificate that nobody renews.

    Returns:
        None if it is not due for renewal, or the node is not enrolled.
    """
    try:
        identity = load_identity(keys)
    except Problem:
        return None
    if not identity.is_due_for_renewal(now):
        return None
    ends = "ended" if identity.is_expired(now) else "ends"
    return (
        f"the certificate {ends} on {identity.not_after:%Y-%m-%d}, and nothing has renewed it. "
        "`folkmoot-node renew` does, until it ends; then `folkmoot-node enrol --again`"
    )


def certificate(keys: KeyFiles, clock: Clock) -> Check:
    """Whether the node is enrolled, and how long its certificate and its authority's are valid.

    It warns from 14 days before an end on, and if the clock says that the certificate has not
    begun.
    """

    def look() -> Iterator[Finding]:
        now = clock()
        identity = load_valid_identity(keys, now)
        if now < identity.not_before.timestamp():
            begin = f"{identity.not_before:%Y-%m-%d %H:%M} UTC"
            what = f"by this machine's clock, the certificate begins only on {begin}"
            yield Finding(_NAME, State.WARN, what, "Set the clock of this machine")
            return
        for one in certificates(keys, now):
            if one.name != AUTHORITY or one.standing is not Standing.FINE:
                yield _found(one)

    return Check(_NAME, look)


def _found(life: CertificateLife) -> Finding:
    whose = "the certificate" + (" of the region's authority" if life.name == AUTHORITY else "")
    if life.standing is Standing.FINE:
        return Finding(_NAME, State.OK, f"{whose.removeprefix('the ')} until {life.end}")
    return Finding(_NAME, life.state, f"{whose} {life}", life.remedy)
