"""A risk factor whose code runs in a confined process."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from folkmoot_kit.channel import values
from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_VALUE, THOUSANDTHS, Call
from folkmoot_kit.hosting import declarations, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.process import PluginProcess
from folkmoot_kit.hosting.round_trip import thousandths_together
from folkmoot_sdk.declarations import factor_faults
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import FactorArray, InputArrays, RiskFactor, ScoringContext
from folkmoot_sdk.loading import Origin
from folkmoot_sdk.parameters import build


class ConfinedFactor(RiskFactor):
    """Base of the classes that `confined_factor` makes, one for each factor of a process.

    Attributes:
        process: The process in which it is made, and scores.
        origin: Distribution, version and entry point.
        handle: The number by which the process knows this object.
        values: The parameters, as the settings file has them.
    """

    process: ClassVar[PluginProcess]
    origin: ClassVar[Origin]

    def __init__(self, parameters: Any, *, where: str = "parameters") -> None:
        """Makes the factor in its process, which builds the plugin's own parameters.

        Raises:
            PluginError: If the plugin refuses the parameters.
            PluginFailure: If it fails.
        """
        super().__init__(parameters)
        self._make(declarations.given(parameters), where, type(self).process)

    @classmethod
    def made(cls, given: Mapping[str, Any], where: str) -> Self:
        """Makes a factor of the values of a settings file.

        Raises:
            PluginError: As `folkmoot_sdk.parameters.build` does.
            PluginFailure: If the plugin fails.
        """
        factor = cls.__new__(cls)
        RiskFactor.__init__(factor, build(cls.Parameters, given, where))
        factor._make(given, where, cls.process)
        return factor

    def remade_in(self, process: PluginProcess) -> Self:
        """The same factor, made in another process that serves its distribution."""
        factor = type(self).__new__(type(self))
        RiskFactor.__init__(factor, self.parameters)
        factor._make(self.values, "parameters", process)
        return factor

    def _make(self, given: Mapping[str, Any], where: str, process: PluginProcess) -> None:
        self.values = dict(given)
        self.handle = process.new_handle()
        self.process = process  # type: ignore[misc]
        try:
            crossing = values.encode(self.values)
        except values.ValueFault as fault:
            raise PluginError(where, str(fault), "Give values that TOML has") from None
        request = {
            "hook": "factor",
            "name": self.name,
            "handle": self.handle,
            "values": crossing,
        }
        process.ask(Call.MAKE, request, self.asked("make", where))
        weakref.finalize(self, process.drop, self.handle).atexit = False

    def asked(self, hook: str, where: str = "") -> Asked:
        """Whom to name if a call fails."""
        return Asked(self.origin, hook, self.name, where)

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households in the process; see `RiskFactor.score`.

        Returns:
            float64 of shape (households,), whole thousandths from 0 to 1, NaN where unknown.

        Raises:
            PluginFailure: If the plugin fails or breaks its contract.
        """
        thousandths = thousandths_together([self], [inputs], context)[0]
        return np.divide(thousandths, THOUSANDTHS, out=thousandths)

    def explain(self, values_: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Asks the process why a household has its score; see `RiskFactor.explain`.

        Raises:
            PluginFailure: If the plugin fails or gives no text.
        """
        asked = self.asked("explain")
        request = {
            "handle": self.handle,
            "values": values.encode({entry.name: values_.get(entry.name) for entry in self.inputs}),
            "score": values.encode(float(score)),
            "date": context.reference_date.isoformat(),
        }
        answer = self.process.ask(Call.EXPLAIN, request, asked)
        try:
            return texts.line(answer.body.get("text"), LONGEST_VALUE)
        except Garbage as fault:
            raise self.process.distrust(asked, fault) from None


def confined_factor(
    declared: Mapping[str, Any], process: PluginProcess, origins: Sequence[Origin]
) -> type[ConfinedFactor]:
    """Makes the class of a factor of what its process declares.

    Raises:
        Garbage: If that is no declaration of a factor.
    """
    attributes: dict[str, Any] = {
        key: texts.line(declared.get(key), LONGEST_LINE)
        for key in ("name", "title", "domain", "savvi_term")
    }
    attributes["description"] = texts.line(
        declared.get("description"), declarations.LONGEST_SENTENCES
    )
    attributes["evidence"] = declarations.evidence(declared.get("evidence"))
    attributes["inputs"] = declarations.inputs(declared.get("inputs"))
    attributes["Parameters"] = declarations.parameters(declared.get("parameters"))
    attributes["process"] = process
    attributes["origin"] = declarations.origin(declared.get("origin"), origins)
    attributes["__doc__"] = attributes["description"]
    made = type("ConfinedFactor", (ConfinedFactor,), attributes)
    if factor_faults(made):
        raise Garbage("a declaration of a factor is not as the SDK says")
    return made
