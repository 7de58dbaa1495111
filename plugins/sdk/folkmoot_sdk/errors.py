"""The error a plugin raises when an operator has to fix something."""

from __future__ import annotations


class PluginError(Exception):
    """What is wrong, where, and how to fix it.

    The message may name files, columns and options, never a value of a record.

    Attributes:
        where: File, column, option or parameter.
        problem: What is wrong with it.
        remedy: What to do.
        transient: True if the same call may succeed later without a person's help, such as
            when a database restarts: the node may retry. Otherwise it does not.
    """

    def __init__(self, where: str, problem: str, remedy: str, *, transient: bool = False) -> None:
        super().__init__(f"{where}: {problem}. {remedy}")
        self.where = where
        self.problem = problem
        self.remedy = remedy
        self.transient = transient
