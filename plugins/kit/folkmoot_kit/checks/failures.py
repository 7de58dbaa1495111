"""What the failure of a confined process is a finding of."""

from __future__ import annotations

import re

from folkmoot_kit.checks.processes import MEMORY, PRINTS, SLOW
from folkmoot_kit.hosting.failure import FailureKind, PluginFailure
from folkmoot_sdk.conformance.findings import Check, Finding
from folkmoot_sdk.conformance.trial import (
    ENDS_PROCESS,
    EXPLAIN_EMPTY,
    FORBIDDEN_CALL,
    SCORE_RANGE,
    SCORE_SHAPE,
    SCORE_TYPE,
    Arrays,
    Trial,
)

_KINDS: dict[FailureKind, Check] = {
    FailureKind.DIED: ENDS_PROCESS,
    FailureKind.GARBAGE: ENDS_PROCESS,
    FailureKind.FORBIDDEN: FORBIDDEN_CALL,
    FailureKind.MEMORY: MEMORY,
    FailureKind.HUNG: SLOW,
    FailureKind.FLOOD: PRINTS,
}
_RAISED = re.compile(r"raised (an exception of its own|\w+)")
_CONTRACT = {
    r"no NumPy array|not of float64": SCORE_TYPE,
    r"another shape": SCORE_SHAPE,
    r"outside 0 to 1": SCORE_RANGE,
    r"where a text belongs": EXPLAIN_EMPTY,
}


class ConfinedTrial(Trial):
    """A factor that runs in a confined process, called as a node calls it."""

    shares_process = False
    explained = 60

    def failure(self, check: Check, error: BaseException, what: str, arrays: Arrays) -> Finding:
        """What an exception is a finding of; see `Trial.failure`."""
        if not isinstance(error, PluginFailure):
            return super().failure(check, error, what, arrays)
        found = check_of(error)
        if found is not None:
            return self.finding(found, f"{what}: {error.problem}")
        raised = _RAISED.match(error.problem)
        name = raised[1] if raised else "an exception"
        return self.of_exception(check, name, error.message, what, arrays)


def check_of(error: PluginFailure) -> Check | None:
    """The rule that a failure breaks; None if the plugin has only raised an exception."""
    if error.kind is FailureKind.CONTRACT:
        for words, check in _CONTRACT.items():
            if re.search(words, error.problem):
                return check
    return _KINDS.get(error.kind)
