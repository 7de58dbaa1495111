"""A factor under test: made, scored and explained as a node does, each result examined."""

from __future__ import annotations

import builtins
import datetime
import re
import warnings
from collections.abc import Callable, Mapping
from string import digits
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_sdk.conformance.findings import Check, Finding, Found
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import FactorArray, Input, RiskFactor, ScoringContext

TODAY = datetime.date(2026, 4, 1)
CONTEXT = ScoringContext(TODAY)

NOT_MADE = Check(
    "not-made", "factor", "The factor can be made from its parameters",
    "A policy that names the factor cannot be used.",
    "Give every parameter a default that works, or check with the parameters that it needs",
)  # fmt: skip
SCORE_FAILS = Check(
    "score-fails", "factor", "`score` accepts every kind of household",
    "A run stops at the first household that the factor did not expect.",
    "Give NaN where a value cannot be scored",
)  # fmt: skip
SCORE_WARNS = Check(
    "score-warns", "factor", "`score` computes without warnings",
    "A warning says that a number is not what it seems: divided by zero, overflowed, cut short.",
    "Handle unknown values and zeros before the arithmetic that warns",
)  # fmt: skip
SCORE_TYPE = Check(
    "score-type", "factor", "`score` returns an array of float64",
    "Other types cut scores short, or cannot hold NaN for unknown.",
    "Return np.asarray(result, dtype=np.float64)",
)  # fmt: skip
SCORE_SHAPE = Check(
    "score-shape", "factor", "`score` returns one score for each household",
    "Scores would be given to the wrong households.",
    "Return an array of shape (households,)",
)  # fmt: skip
SCORE_RANGE = Check(
    "score-range", "factor", "Scores are from 0 to 1, or NaN",
    "The policy weighs factors against each other on this scale.",
    "End with np.clip(result, 0, 1)",
)  # fmt: skip
SCORE_IS_INPUT = Check(
    "score-is-input", "factor", "`score` returns an array of its own",
    "Other factors read the same inputs, which would change when the node writes to the scores.",
    "Return a new array: `inputs[...].copy()`",
)  # fmt: skip
WRITES_INPUTS = Check(
    "writes-inputs", "factor", "The factor does not write to what it is given",
    "Other factors read the same arrays and would score values that no record holds.",
    "Copy an array before you change it",
)  # fmt: skip
UNDECLARED_INPUT = Check(
    "undeclared-input", "factor", "The factor reads the inputs that it declares and no others",
    "The policy, the record of processing and the equality audit say what is used: it must be so.",
    "Add the field to `inputs`, or do not ask for it",
)  # fmt: skip
QUOTES_RECORDS = Check(
    "quotes-records", "factor", "Error messages hold no value of a record",
    "Messages go to logs and to the supplier's support desk, where residents' data must not be.",
    "Name the input, the parameter or the type in the message, not the value",
)  # fmt: skip
EXPLAIN_FAILS = Check(
    "explain-fails", "factor", "`explain` accepts every household that `score` does",
    "A caseworker opens a household and gets an error.",
    "Handle None, which stands for unknown, for each input",
)  # fmt: skip
EXPLAIN_EMPTY = Check(
    "explain-empty", "factor", "`explain` says something of every household",
    "A resident has a right to be told why; an empty text gives no reason.",
    "Return a sentence, also where the score is 0 or unknown",
)  # fmt: skip

ENDS_PROCESS = Check(
    "ends-process",
    "factor",
    "The plugin does not end the process that it runs in",
    "The run stops, and nobody can say at which household.",
    "Raise an error instead of calling sys.exit or os._exit",
)
FORBIDDEN_CALL = Check(
    "forbidden-call",
    "factor",
    "A factor asks the system for no file, network or clock",
    "It is granted none: its process is refused, or stopped, when it tries.",
    "Take the date from `context`, settings from parameters, and tables from your module",
)

Arrays = Mapping[str, npt.NDArray[Any]]
_LONG_NUMBER = re.compile(r"[0-9][0-9,_]*(?:\.[0-9]+)?")
_NAMED = re.compile(r"['\"](\w+)['\"]")


class Watched(dict[str, Any]):
    """A dictionary that notes which keys were asked for one by one, declared or not."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As of a dictionary."""
        self.asked.add(key)
        return super().get(key, default)


class Trial:
    """Calls a factor, and examines what every call must satisfy.

    A subclass may run the factor elsewhere, and say more of how it failed.

    Attributes:
        cls: The class; only its declarations are used.
        subject: What findings call it.
        shares_process: True if the factor runs in this process, where its state and its
            threads can be seen.
        explained: How many households are explained.
    """

    shares_process = True
    explained = 300

    def __init__(self, cls: type[RiskFactor], make: Callable[[], RiskFactor]) -> None:
        self.cls = cls
        self.subject = f"factor {cls.name}"
        self._make = make

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The declared inputs."""
        return self.cls.inputs

    def finding(self, check: Check, seen: str, remedy: str = "") -> Finding:
        """A finding about this factor."""
        return check.finding(seen, self.subject, remedy)

    def fresh(self) -> RiskFactor:
        """A new object.

        Raises:
            Found: If it cannot be made.
        """
        try:
            return self._make()
        except PluginError as error:
            raise Found(self.finding(NOT_MADE, f"cannot be made: {error.where}: {error.problem}",
                                     error.remedy)) from None  # fmt: skip
        except (Exception, SystemExit) as error:
            raise Found(self.failure(NOT_MADE, error, "the constructor", {})) from None

    def score(self, factor: RiskFactor, arrays: Arrays, what: str) -> FactorArray:
        """Scores made-up households.

        Args:
            factor: From `fresh`.
            arrays: One array of shape (households,) for each input.
            what: Which households these are, in words.

        Returns:
            float64 of shape (households,), from 0 to 1, NaN where unknown.

        Raises:
            Found: If the call fails, or returns what no factor may return.
        """
        count = len(next(iter(arrays.values())))
        before = {name: array.tobytes() for name, array in arrays.items()}
        watched = Watched(arrays)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                scores: object = factor.score(watched, CONTEXT)
        except Warning as warning:
            raise Found(self.finding(SCORE_WARNS, f"`score` of {what} warns: {warning}")) from None
        except (Exception, SystemExit) as error:
            undeclared = self._undeclared(watched, "score")
            if undeclared is not None and isinstance(error, KeyError):
                raise Found(undeclared) from None
            raise Found(self.failure(SCORE_FAILS, error, f"`score` of {what}", arrays)) from None
        self._read_as_declared(watched, "score")
        if any(array.tobytes() != before[name] for name, array in arrays.items()):
            raise Found(self.finding(WRITES_INPUTS, "`score` writes to its inputs"))
        return self._sound(scores, arrays, count, what)

    def _sound(self, scores: object, arrays: Arrays, count: int, what: str) -> FactorArray:
        if not isinstance(scores, np.ndarray) or scores.dtype != np.float64:
            found = getattr(scores, "dtype", type(scores).__name__)
            seen = f"`score` returns {found}, not an array of float64"
            raise Found(self.finding(SCORE_TYPE, seen))
        if scores.shape != (count,):
            seen = f"`score` of {what} returns shape {scores.shape}, not ({count},)"
            raise Found(self.finding(SCORE_SHAPE, seen))
        if any(np.shares_memory(scores, array) for array in arrays.values()):
            raise Found(self.finding(SCORE_IS_INPUT, "`score` returns one of its inputs"))
        outside = scores[(scores < 0) | (scores > 1)]
        if len(outside):
            seen = f"`score` of {what} gives {outside[0]}, which is not from 0 to 1"
            raise Found(self.finding(SCORE_RANGE, seen))
        return scores

    def explain(self, factor: RiskFactor, values: Mapping[str, Any], score: float) -> str:
        """Explains the score of one made-up household.

        Raises:
            Found: If the call fails, says nothing, or asks for an input that is not declared.
        """
        watched = Watched(values)
        try:
            text: object = factor.explain(watched, score, CONTEXT)
        except (Exception, SystemExit) as error:
            undeclared = self._undeclared(watched, "explain")
            if undeclared is not None and isinstance(error, KeyError):
                raise Found(undeclared) from None
            unknown = [entry.name for entry in self.inputs if values[entry.name] is None]
            hint = f" of a household whose {', '.join(unknown)} is unknown" if unknown else ""
            arrays = {name: np.array([value], dtype=object) for name, value in values.items()}
            raise Found(self.failure(EXPLAIN_FAILS, error, f"`explain`{hint}", arrays)) from None
        self._read_as_declared(watched, "explain")
        if not isinstance(text, str) or not text.strip():
            raise Found(self.finding(EXPLAIN_EMPTY, "`explain` says nothing"))
        return text

    def failure(self, check: Check, error: BaseException, what: str, arrays: Arrays) -> Finding:
        """What an exception of the plugin is a finding of.

        Args:
            check: If nothing closer is known.
            error: What was raised.
            what: The call, in words.
            arrays: The values that it was given.
        """
        return self.of_exception(check, type(error).__name__, str(error), what, arrays)

    def of_exception(
        self, check: Check, name: str, text: str, what: str, arrays: Arrays
    ) -> Finding:
        """The same, of the name and the text of an exception."""
        text = " ".join(text.split())
        if "read-only" in text or "WRITEABLE" in text:
            return self.finding(WRITES_INPUTS, f"{what} writes to its inputs")
        key = _NAMED.search(text)
        if name == KeyError.__name__ and key and key[1] not in self._names():
            seen = f"{what} asks for {key[1]!r}, which `inputs` does not declare"
            return self.finding(UNDECLARED_INPUT, seen)
        if name == SystemExit.__name__:
            return self.finding(ENDS_PROCESS, f"{what} raises SystemExit")
        if _is_of_system(name):
            return self.finding(
                FORBIDDEN_CALL, f"{what} raises {name}" + (f": {text}" if text else "")
            )
        quoted = quotes(text, arrays)
        if quoted:
            seen = f"{what} raises {name}, and its message quotes {quoted}, a value of a record"
            return self.finding(QUOTES_RECORDS, seen)
        return self.finding(check, f"{what} raises {name}" + (f": {text}" if text else ""))

    def _names(self) -> set[str]:
        return {entry.name for entry in self.inputs}

    def _undeclared(self, watched: Watched, hook: str) -> Finding | None:
        asked = sorted(watched.asked - self._names())
        if not asked:
            return None
        seen = f"`{hook}` asks for {', '.join(map(repr, asked))}, which `inputs` does not declare"
        return self.finding(UNDECLARED_INPUT, seen)

    def _read_as_declared(self, watched: Watched, hook: str) -> None:
        undeclared = self._undeclared(watched, hook)
        if undeclared is not None:
            raise Found(undeclared)


def _is_of_system(name: str) -> bool:
    """Whether an exception of this name comes from a file, a socket or another process."""
    known = getattr(builtins, name, None)
    return isinstance(known, type) and issubclass(known, OSError)


def quotes(text: str, arrays: Arrays) -> str:
    """The first value of some arrays that a text quotes; empty if there is none.

    Values of fewer than four digits are left aside: a line number could be one of them.
    """
    numbers = {float(word.replace(",", "").replace("_", "")) for word in _LONG_NUMBER.findall(text)
               if sum(sign in digits for sign in word) >= 4}  # fmt: skip
    for array in arrays.values():
        for value in array.tolist():
            if isinstance(value, datetime.date) and value.isoformat() in text:
                return value.isoformat()
            if isinstance(value, int | float) and abs(float(value)) in numbers:
                return f"{value:.15g}"
    return ""
