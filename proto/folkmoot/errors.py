"""The one error that the contract's types raise."""

from __future__ import annotations


class ContractError(ValueError):
    """A value breaks a rule of the contract.

    Attributes:
        where: The field that is wrong, for example `round.councils[3]`.
        problem: What is wrong with it.
        remedy: What would be right.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}. {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy
