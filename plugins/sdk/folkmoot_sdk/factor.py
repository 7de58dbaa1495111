"""Risk factors: what is scored, and why."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from folkmoot_sdk.schema import FieldType


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a factor is believed to matter.

    Attributes:
        citation: Author, year, title.
        url: Where it can be read, or empty.
        finding: What it found, in one sentence.
    """

    citation: str
    url: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """A field that a factor needs.

    Attributes:
        name: Name of the field in some source's schema.
        type: Type the household's value must have.
        unit: Unit the field must have.
        codes: For a category: the codes the factor knows, in its own order. The array
            holds indexes into this tuple. A code the source has and the factor does not
            know refuses to load.
        required: False if the factor can score without any source that has the field;
            it then receives an array of unknowns.
        direction: How the score moves with this input while all others stay alike:
            `rises` (never falls when the value goes up), `falls` (never rises), or None
            where neither holds for every household. Categories go up in the order of
            `codes`, booleans from false to true, dates from early to late; households whose
            score is unknown are left aside. The conformance checks try it.
    """

    name: str
    type: FieldType
    unit: str = ""
    codes: tuple[str, ...] = ()
    required: bool = True
    direction: Literal["rises", "falls"] | None = None


@dataclass(frozen=True, slots=True)
class ScoringContext:
    """What a factor may know beside its inputs.

    Attributes:
        reference_date: The date of the run, on which durations are computed.
    """

    reference_date: datetime.date

    @property
    def today(self) -> np.datetime64:
        """The reference date as a NumPy day."""
        return np.datetime64(self.reference_date, "D")


@dataclass(frozen=True, slots=True)
class NoParameters:
    """Parameters of a factor that has none."""


FactorArray = npt.NDArray[np.float64]
InputArrays = Mapping[str, npt.NDArray[Any]]


class RiskFactor(ABC):
    """A single reason why a household may need help, scored from 0 to 1.

    A subclass sets the class attributes and is made by the node with the parameters of
    one `[[factors]]` entry of the risk stratification policy. It has no state beyond
    its parameters and may be called from several threads. A household's score depends on its own
    inputs alone, and never on the others that are scored with it, on their order or on how many
    there are: the node compares.
    """

    name: ClassVar[str]
    """Identifier by which a policy names the factor."""
    title: ClassVar[str]
    """A few words for people."""
    description: ClassVar[str]
    """What the factor measures and how, for the published policy."""
    domain: ClassVar[str]
    """Domain of need: `finance`, `housing`, `health`, `care`, `safety`, `family`, `area`, ..."""
    savvi_term: ClassVar[str] = ""
    """Term of the Vulnerabilities Data Standard, or empty."""
    evidence: ClassVar[tuple[Evidence, ...]] = ()
    inputs: ClassVar[tuple[Input, ...]]
    Parameters: ClassVar[type[Any]] = NoParameters
    """Frozen dataclass of parameters; see `folkmoot_sdk.parameters`."""

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters

    @abstractmethod
    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households.

        Args:
            inputs: For each declared input an array of shape (households,), of the type
                that `FieldType` says. The arrays are not to be written to.
            context: The reference date.

        Returns:
            float64 of shape (households,), values in [0, 1], NaN where unknown. The node counts
            whole thousandths of it: 0.6174 counts as 0.617.
        """

    @abstractmethod
    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says in one or two sentences why one household has this score.

        Args:
            values: For each declared input the household's value (bool, int, float,
                str or datetime.date), or None if unknown.
            score: What `score` gave, as it was counted, in thousandths; NaN if unknown.
            context: The reference date.
        """
