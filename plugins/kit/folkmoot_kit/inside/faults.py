"""What crosses of an error: never its text, which may quote a record."""

from __future__ import annotations

import os
import sys
from typing import Any

from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_NAME, Breach, Reply, cut
from folkmoot_sdk.errors import PluginError


class BreachError(Exception):
    """A plugin breaks its contract.

    Attributes:
        breach: How.
        found: A name that says more, such as that of a type or a column; may be empty.
    """

    def __init__(self, breach: Breach, found: str = "") -> None:
        super().__init__(breach.value)
        self.breach = breach
        self.found = found


class Faults:
    """Makes answers of errors.

    Args:
        show_messages: Whether an error's text may cross: only on made-up data.
    """

    def __init__(self, show_messages: bool) -> None:
        self._show = show_messages

    def answer(self, error: BaseException, at: int = 0, *, speaks: bool = True) -> dict[str, Any]:
        """The answer to a call that failed.

        Args:
            error: What was raised.
            at: Which of several plugins of the call failed, from 0.
            speaks: Whether a `PluginError` may carry its text here: where a plugin works on
                households it may not.
        """
        return {"reply": Reply.ERROR, "at": at, "error": self._error(error, speaks)}

    def _error(self, error: BaseException, speaks: bool) -> dict[str, Any]:
        if isinstance(error, BreachError):
            return {"kind": "breach", "breach": error.breach, "found": cut(error.found, 100)}
        if isinstance(error, PluginError) and (speaks or self._show):
            return {
                "kind": "plugin_error",
                "where": cut(str(error.where), LONGEST_NAME),
                "problem": cut(str(error.problem), LONGEST_LINE),
                "remedy": cut(str(error.remedy), LONGEST_LINE),
                "transient": bool(error.transient),
            }
        file, line = _place(error)
        raised = {"kind": "raised", "type": type(error).__name__, "file": file, "line": line}
        if self._show:
            raised["message"] = _said(error)
        return raised


def _place(error: BaseException) -> tuple[str, int]:
    """Where an error was raised, its file as it is named under an import folder."""
    file, line = "", 0
    trace = error.__traceback__
    while trace is not None:
        file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    for folder in sys.path:
        if folder and file.startswith(folder + os.sep):
            return file[len(folder) + 1 :], line
    return "", line


def _said(error: BaseException) -> str:
    try:
        return cut(str(error), LONGEST_LINE)
    except Exception:
        return ""
