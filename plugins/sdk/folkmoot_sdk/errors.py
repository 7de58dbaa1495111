"""The error a plugin raises when an operator has to mend something."""

from __future__ import annotations


class PluginError(Exception):
    """What is wrong, where, and how to mend it. Permanent: the node does not retry.

    The message may name files, columns and options, never a value of a record.

    Attributes:
        where: File, column, option or parameter.
        problem: What is wrong with it.
        remedy: What to do.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}. {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy
