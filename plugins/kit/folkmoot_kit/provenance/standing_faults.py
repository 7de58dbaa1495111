"""What can be in the way of a plugin: each with a name that programs know, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from folkmoot_operator.problems import ExitCode, Problem


class Reason(StrEnum):
    """Why a plugin must not run, or what somebody should know of it."""

    NOT_ALLOWED = "not_allowed"
    """The council's settings do not name it."""
    CHANGED = "changed"
    """What is installed is not what was pinned."""
    REQUIREMENT_CHANGED = "requirement_changed"
    """What it requires is not what was pinned."""
    UNSIGNED = "unsigned"
    """There is no manifest of it."""
    UNKNOWN_KEY = "unknown_key"
    """A document is signed by a key that does not count."""
    EXPIRED = "expired"
    """A document no longer counts, or not yet."""
    WRONG_DIGEST = "wrong_digest"
    """A document is about other files."""
    REVOKED = "revoked"
    """The registry has revoked the wheel, or a key."""
    STALE = "stale"
    """The registry is out of date."""
    DAMAGED = "damaged"
    """A document of the registry was changed, or is missing."""
    CLAIMS_LESS = "claims_less"
    """The plugin does more than its manifest claims."""
    GRANTED_TOO_MUCH = "granted_too_much"
    """The council grants what the plugin does not ask for."""
    GRANTED_TOO_LITTLE = "granted_too_little"
    """The plugin asks for what the council does not grant."""
    OTHER_SDK = "other_sdk"
    """It is made for another version of the SDK."""
    NOT_REVIEWED = "not_reviewed"
    """There are not two reviews of two people of two organisations."""
    NOT_REPORTED = "not_reported"
    """No report of the conformance kit has passed it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is in the way, or that somebody should know.

    Attributes:
        reason: Its name, for programs.
        problem: What is wrong.
        remedy: What to do.
        where: The distribution with its version, or the file.
    """

    reason: Reason
    problem: str
    remedy: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.remedy}"

    def as_problem(self) -> Problem:
        """The same as an error of a command, exit code VERIFICATION."""
        return Problem(
            self.problem,
            where=self.where,
            remedy=self.remedy,
            exit_code=ExitCode.VERIFICATION,
        )


def fault_of(reason: Reason, problem: Problem) -> Fault:
    """The fault that a problem is."""
    return Fault(reason, problem.problem, problem.remedy, problem.where)
