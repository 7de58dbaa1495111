"""How a plugin's process failed the node: named, in words of the node's own."""

from __future__ import annotations

from enum import StrEnum

from folkmoot_operator.problems import ExitCode
from folkmoot_sdk.loading import Origin

_REMEDY = "Run `folkmoot-plugin check`, or report it to the plugin's supplier"


class FailureKind(StrEnum):
    """What went wrong."""

    DIED = "died"
    FORBIDDEN = "forbidden"
    MEMORY = "memory"
    HUNG = "hung"
    GARBAGE = "garbage"
    FLOOD = "flood"
    CONTRACT = "contract"
    RAISED = "raised"


class PluginFailure(Exception):
    """A plugin, or the process it runs in, failed.

    No text of the plugin's is in it, unless its process may show messages.

    Attributes:
        origin: Distribution, version and entry point.
        hook: What was asked of it: `score`, `read`, `describe`, ...
        name: The factor or kind of source; empty if none was asked alone.
        kind: What went wrong.
        problem: The same in words.
        remedy: What to do.
        at: Place of the factor among those of the call; None if the call has no several.
        message: Text of the error that was raised; empty unless it may be shown.
        where: Plugin and hook, for a command that ends with it.
        for_operator: The message, if there is one, for the terminal of such a command.
        exit_code: Of such a command: FAULT.
    """

    exit_code = ExitCode.FAULT

    def __init__(
        self,
        origin: Origin,
        hook: str,
        kind: FailureKind,
        problem: str,
        *,
        name: str = "",
        remedy: str = _REMEDY,
        at: int | None = None,
        message: str = "",
    ) -> None:
        called = f"{hook} of {name}" if name else hook
        self.where = f"plugin {origin}, {called}"
        super().__init__(f"{self.where}: {problem}. {remedy}")
        self.origin = origin
        self.hook = hook
        self.name = name
        self.kind = kind
        self.problem = problem
        self.remedy = remedy
        self.at = at
        self.message = message
        self.for_operator = (message,) if message else ()
