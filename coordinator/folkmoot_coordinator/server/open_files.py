"""How many files this process may have open."""

from __future__ import annotations

import resource

WANTED = 65_536
"""More than connections and databases ever need."""
KEPT_BACK = 256
"""For what are no connections: databases, logs, libraries."""


def raise_limit() -> None:
    """Raises the limit of open files as far as the account may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def left_for_connections() -> int:
    """How many files connections may use, under the limit that there is."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = WANTED if soft == resource.RLIM_INFINITY else soft
    return max(allowed - KEPT_BACK, allowed // 2)
