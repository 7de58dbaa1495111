"""Who writes and approves drafts, and who counts as a second person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from folkmoot_coordinator.config import RoundSettings
from folkmoot_operator.accounts import Operator, current_operator
from folkmoot_operator.problems import ExitCode, Problem

MAX_NAME = 200


class AccountKind(StrEnum):
    """What kind of account a person acted with."""

    WEB = "web"
    """An account of the viewer."""
    MACHINE = "machine"
    """An account of the machine, which ran a command."""
    PROGRAM = "program"
    """No person: the coordinator itself, on a schedule."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts on a draft.

    Attributes:
        name: Of the account: for a command, the account that had signed in at the machine before
            it became the coordinator's, if there was one.
        kind: What kind of account it is.
    """

    name: str
    kind: AccountKind

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > MAX_NAME:
            raise Problem(
                f"a name is 1 to {MAX_NAME} characters that can be printed",
                where="account",
                remedy="Sign in with another account",
                exit_code=ExitCode.USAGE,
            )

    def __str__(self) -> str:
        return f"{self.name} ({self.kind} account)" if self.kind != "program" else self.name

    def is_same(self, other: Person) -> bool:
        """True if both may be one person: accounts of the viewer and the machine with one name
        are taken for one person's.
        """
        return self.name.casefold() == other.name.casefold()


def person_here(operator: Operator | None = None) -> Person:
    """Who runs this command: whoever signed in at the machine, or else the account itself.

    That of a service is the same for all who use it by `sudo`, so the account before is asked for.
    It is an indication, and no proof (`folkmoot_operator.accounts`).
    """
    operator = operator or current_operator()
    return Person(operator.login or operator.account, AccountKind.MACHINE)


def needs_second(settings: RoundSettings, author: Person) -> bool:
    """Whether somebody else must approve what this person asks.

    Where the settings do not say, what is asked on a web page needs a second person, and what an
    operator asks by a command does not.
    """
    if settings.second_person is None:
        return author.kind is AccountKind.WEB
    return settings.second_person


def check_second(person: Person, author: Person, approvers: Collection[str]) -> None:
    """Checks that somebody may approve what another asks.

    Args:
        person: Who wants to approve.
        author: Who wrote the draft.
        approvers: Names of accounts that may approve; any other person if empty.

    Raises:
        Problem: REFUSED, if they may not.
    """
    if person.kind is AccountKind.PROGRAM:
        raise _refused("a program approves nothing", "Ask a person")
    if person.is_same(author):
        raise _refused(
            f"{person.name} wrote it: somebody else must approve it",
            "Ask a second person to approve it. Accounts with the same name count as one person",
        )
    if approvers and person.name.casefold() not in {name.casefold() for name in approvers}:
        raise _refused(
            f"{person.name} is not among those who may approve",
            f"Ask one of {', '.join(approvers)} (rounds.approvers in coordinator.toml)",
        )


def _refused(problem: str, remedy: str) -> Problem:
    return Problem(problem, where="draft", remedy=remedy, exit_code=ExitCode.REFUSED)
