"""The hostile plugin: it makes an attempt while it scores or explains.

It imports what a plugin's process may: NumPy, pyarrow and the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from folkmoot_kit.attacks.attempts import Attempt, Runs, Targets, run
from folkmoot_kit.attacks.catalogue import ATTEMPTS
from folkmoot_kit.attacks.frames import done, say_nothing_more, stream, thousandths, write
from folkmoot_kit.attacks.records import CODES, item, sound
from folkmoot_sdk import FieldType, Input, RiskFactor, hookimpl, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays, ScoringContext
from folkmoot_sdk.schema import Category, Combine, Field, RecordLevel, Schema
from folkmoot_sdk.source import DataSource, ReadContext, Records, SourceOptions

NOTHING = "nothing"
"""Names no attempt: the plugin then scores as a sound one does."""
SOUND_FRAME = "sound-frame"
"""Names no attempt: the plugin then writes a sound answer to the channel itself."""
SCORE = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """What it is to try.

    Attributes:
        attempt: Id of an attempt.
        targets: What there is to attack, in JSON.
    """

    attempt: str = parameter(default=NOTHING, description="id of the attempt")
    targets: str = parameter(default="", description="what there is to attack")


class Attacker(RiskFactor):
    """A factor that attacks."""

    name = "folkmoot_attack"
    title = "An attempt of the attack suite"
    description = "Tries to break out of confinement, and scores every household alike."
    domain = "safety"
    inputs = (Input("amount", FieldType.NUMBER, required=False),)
    Parameters = Parameters

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Makes an attempt that stands here; see `RiskFactor`: float64 (households,), never NaN."""
        count = len(inputs["amount"])
        if self.parameters.attempt == SOUND_FRAME:
            write(done(stream(thousandths(count, 250))))
            say_nothing_more()
        attempt = self._attempt()
        if attempt is not None and attempt.manner.runs is not Runs.EXPLANATION:
            given = run(attempt, Targets.from_json(self.parameters.targets))
            if attempt.manner.runs is Runs.SCORES:
                return given  # type: ignore[no-any-return]
        return np.full(count, SCORE)

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Makes an attempt that stands here; see `RiskFactor`."""
        attempt = self._attempt()
        if attempt is not None and attempt.manner.runs is Runs.EXPLANATION:
            return run(attempt, Targets.from_json(self.parameters.targets))  # type: ignore[no-any-return]
        return "Every household scores alike."

    def _attempt(self) -> Attempt | None:
        return ATTEMPTS.get(self.parameters.attempt)


@dataclass(frozen=True, slots=True)
class Options(SourceOptions):
    """What the source is to try; see `Parameters`."""

    attempt: str = parameter(default=NOTHING, description="id of the attempt")
    targets: str = parameter(default="", description="what there is to attack")


class AttackerSource(DataSource):
    """A source that attacks."""

    kind = "folkmoot_attack"
    Options = Options

    @property
    def schema(self) -> Schema:
        """Two fields of made-up records."""
        fields = (
            Field("kind", FieldType.CATEGORY, Combine.FIRST, Category.HOUSING, codes=CODES),
            Field("amount", FieldType.NUMBER, Combine.SUM, Category.HOUSING),
        )
        return Schema("folkmoot_attack", RecordLevel.HOUSEHOLD, fields)

    def read(self, context: ReadContext) -> Iterator[Records]:
        """Makes an attempt that stands here, and yields nothing of its own."""
        assert isinstance(self.options, Options)
        if self.options.attempt == SOUND_FRAME:
            write(item(sound()))
            say_nothing_more()
        attempt = ATTEMPTS.get(self.options.attempt)
        if attempt is not None and attempt.manner.runs is Runs.RECORDS:
            yield from run(attempt, Targets.from_json(self.options.targets)) or ()


@hookimpl
def folkmoot_data_sources() -> Sequence[type[DataSource]]:
    """The source that attacks."""
    return [AttackerSource]


@hookimpl
def folkmoot_risk_factors() -> Sequence[type[RiskFactor]]:
    """The factor that attacks."""
    return [Attacker]
