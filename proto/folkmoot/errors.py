"""The one error that the contract's types raise."""

from __future__ import annotations

_LONGEST = 500
"""Characters of an error that may be repeated from what a peer sent."""


def plain(text: str, longest: int = _LONGEST) -> str:
    """A peer's text in one line: no control characters, at most `longest` characters."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text[: longest + 1])
    return line if len(line) <= longest else line[: longest - 1] + "\u2026"


class ContractError(ValueError):
    """A value breaks a rule of the contract.

    Attributes:
        where: The field that is wrong, for example `round.councils[3]`.
        problem: What is wrong with it.
        remedy: What would be right.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        where, problem = plain(where), plain(problem)
        super().__init__(f"{where}: {problem}. {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy
