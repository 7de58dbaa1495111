"""Whether the node's keys are private and its certificate is valid."""

from __future__ import annotations

import shlex
from pathlib import Path

from folkmoot_node.evidence.database import Clock
from folkmoot_node.federation.identity import KeyFiles, load_valid_identity
from folkmoot_operator.checks import Check, open_to_others
from folkmoot_operator.problems import ExitCode, Problem


def private_keys(keys: KeyFiles, store_key: Path) -> Check:
    """Whether this account alone can read the private keys that there are."""

    def look() -> str:
        private = (keys.policy_key, keys.tls_key, store_key)
        for path in open_to_others(path for path in private if path.is_file()):
            raise Problem(
                f"{path.name} can be read by others",
                remedy=shlex.join(["chmod", "600", str(path)]),
                exit_code=ExitCode.SETTINGS,
            )
        return "private keys are readable by this account alone"

    return Check("keys", look)


def certificate(keys: KeyFiles, clock: Clock) -> Check:
    """Whether the node is enrolled, and its certificate is still valid."""

    def look() -> str:
        identity = load_valid_identity(keys, clock())
        return f"certificate until {identity.not_after:%Y-%m-%d %H:%M} UTC"

    return Check("enrolment", look)
