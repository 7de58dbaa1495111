"""Whether a risk policy was fitted to residents' records, by the audit log.

The guarantee assumes that the policy does not come from the records. `fit` notes each policy that
it proposes, and `policy publish` who decided to publish one. A policy is recognised by its file or
by its weights: new names, dates, comments or bands, another order or scale do not hide it. A weight
that somebody changed by hand does.
"""

from __future__ import annotations

import hashlib
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_operator.hash_chain import HashChain
from folkmoot_operator.moments import day, day_text
from folkmoot_operator.problems import Problem

FITTED, PROPOSED, PUBLISHED = "policy fitted", "policy proposed", "publication decided"
"""Actions of the audit log: a fit was begun; what it proposed; somebody decided to publish it."""


class Audited(Protocol):
    """What has a node's audit log: a `NodeHome`."""

    @property
    def audit(self) -> HashChain:
        """The log of what people did at this node."""


@dataclass(frozen=True, slots=True)
class FittedPolicy:
    """A risk policy that a fit of this node has proposed.

    Attributes:
        run: Names the fit.
        proposed_at: Seconds since 1970-01-01T00:00:00Z.
        same_file: Whether the file is the proposed one, to the byte.
        decided_by: Who decided to publish it; empty if nobody has.
        decided_at: When, as `proposed_at`; 0 if nobody has.
    """

    run: str
    proposed_at: int
    same_file: bool
    decided_by: str = ""
    decided_at: int = 0

    @property
    def is_published(self) -> bool:
        """Whether a named person has decided to publish it."""
        return bool(self.decided_by)

    @property
    def what(self) -> str:
        """What is known, in plain English, without a full stop."""
        text = (
            f"the risk policy {'is' if self.same_file else 'has the weights of'} the one that "
            f"`fit` proposed on {day_text(self.proposed_at)} from residents' records "
            f"(run {self.run})"
        )
        if self.is_published:
            text += f"; {self.decided_by} decided on {day_text(self.decided_at)} to publish it"
        else:
            text += ", and no decision to publish it is recorded"
        return (
            f"{text}. What rounds count by it rests on those records, which the guarantee does not "
            "cover"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "run": self.run,
            "proposed_on": day(self.proposed_at).isoformat(),
            "same_file": self.same_file,
            "published": self.is_published,
            "decided_by": self.decided_by or None,
        }


def publish_command(policy: RiskPolicy) -> str:
    """The command that records the decision to publish a policy, with words to fill in."""
    file = shlex.quote(policy.path)
    return f'folkmoot-node policy publish {file} --by "NAME, ROLE" --reason TEXT'


def weights_mark(policy: RiskPolicy) -> str:
    """A digest of how the weights compare, hexadecimal; the same for twice the weights.

    It is slow to compute, so that few guesses at what a fit has found can be tried by who sees the
    audit log.
    """
    shares = {entry.factor: Fraction(str(entry.weight)) for entry in policy.factors}
    least = math.lcm(*(share.denominator for share in shares.values()))
    whole = {name: int(share * least) for name, share in shares.items()}
    common = math.gcd(*whole.values())
    return _digest(
        "\n".join(f"{name} {weight // common}" for name, weight in sorted(whole.items()))
    )


@lru_cache
def _digest(text: str) -> str:
    return hashlib.scrypt(
        text.encode(), salt=b"folkmoot weights of a risk policy", n=2**14, r=8, p=1, dklen=32
    ).hex()


def fitted_policy(home: Audited, policy: RiskPolicy) -> FittedPolicy | None:
    """The fit that has proposed a policy; None if none of this node's has.

    Of several, the newest. Somebody who decided to publish one of them has published these weights.

    Args:
        home: The node.
        policy: The policy.
    """
    entries = list(home.audit.entries((PROPOSED, PUBLISHED)))
    proposed = [entry for entry in entries if entry.body["action"] == PROPOSED]
    if not proposed:
        return None
    digest, mark = policy.digest.hex(), weights_mark(policy)

    def is_it(body: Mapping[str, Any], key: str) -> bool:
        return body.get(key) == digest or body.get("weights") == mark

    found = [entry for entry in proposed if is_it(entry.body, "proposed_sha256")]
    if not found:
        return None
    last = found[-1]
    same = any(entry.body.get("proposed_sha256") == digest for entry in found)
    decided = [
        entry
        for entry in entries
        if entry.body["action"] == PUBLISHED and is_it(entry.body, "file_sha256")
    ]
    by, at = (decided[-1].body["decided_by"], decided[-1].at) if decided else ("", 0)
    return FittedPolicy(last.body["run"], last.at, same, by, at)


def fitted_file(home: Audited, path: Path) -> tuple[FittedPolicy, RiskPolicy] | None:
    """The same of a file, with the policy in it; None too if it cannot be read."""
    try:
        policy = load_policy(path)
    except Problem:
        return None
    found = fitted_policy(home, policy)
    return None if found is None else (found, policy)


def advice(policy: RiskPolicy) -> str:
    """What to do about a fitted policy that nobody has decided to publish."""
    return (
        f"`{publish_command(policy)}` records that decision; or score by another policy, such as "
        "one that the region fits from noisy counts"
    )
