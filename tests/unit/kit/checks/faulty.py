"""A sound plugin, and one for each rule that breaks this rule and no other.

The module imports what a vendor's would, so that the same code runs in the test's process and
in a confined one.
"""

import itertools
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, hookimpl, parameter

TENURES = ("own", "rent", "none")
END = threading.Event()
"""For what runs on in the process of a test."""
FACTORS = {}
"""Class by the id of the rule that it breaks."""
ALSO = {}
"""Other rules that a class cannot help breaking, by the id of its own."""


@dataclass(frozen=True)
class Scale:
    full: float = parameter(default=100.0, minimum=1, unit="GBP", description="Scores 1.")


class Sound(RiskFactor):
    name = "sound"
    title = "Arrears"
    description = "Arrears in proportion to `full`."
    domain = "finance"
    evidence = (Evidence("Somebody (2020), A book", "", "Arrears matter."),)
    inputs = (
        Input("kit_arrears", FieldType.NUMBER, unit="GBP", direction="rises"),
        Input("kit_tenure", FieldType.CATEGORY, codes=TENURES, required=False),
        Input("kit_since", FieldType.DATE, required=False),
        Input("kit_date_of_birth", FieldType.DATE, required=False),
        Input("kit_claims", FieldType.BOOLEAN, required=False),
    )
    Parameters = Scale

    def score(self, inputs, context):
        return np.clip(inputs["kit_arrears"] / self.parameters.full, 0, 1)

    def explain(self, values, score, context):
        if values["kit_arrears"] is None:
            return "Arrears are not known."
        if values["kit_arrears"] <= 0:
            return "Owes nothing."
        return f"Owes £{values['kit_arrears']:,.2f}; full at £{self.parameters.full:,.0f}."


def breaks(rule, *also):
    """Registers a class that breaks a rule."""

    def register(cls):
        cls.name = rule.replace("-", "_")
        FACTORS[rule] = cls
        ALSO[rule] = set(also)
        return cls

    return register


def scored(self, inputs):
    return Sound.score(self, inputs, None)


@breaks("evidence")
class NoEvidence(Sound):
    evidence = ()


@dataclass(frozen=True)
class Undescribed:
    full: float = 100.0


@breaks("parameter-description")
class UndescribedParameter(Sound):
    Parameters = Undescribed


@dataclass(frozen=True)
class Outside:
    full: float = parameter(default=100.0, maximum=10, description="Scores 1.")


@breaks("parameter-default")
class DefaultOutside(Sound):
    Parameters = Outside


@dataclass(frozen=True)
class Needed:
    full: float = parameter(description="Scores 1.")


@breaks("not-made")
class NeedsParameter(Sound):
    Parameters = Needed


@breaks("score-fails")
class Fails(Sound):
    def score(self, inputs, context):
        raise RuntimeError("out of luck")


@breaks("score-warns")
class Divides(Sound):
    def score(self, inputs, context):
        arrears = inputs["kit_arrears"]
        share = np.maximum(arrears, 0) / np.zeros(len(arrears))
        return np.where(np.isnan(arrears), np.nan, np.clip(np.nan_to_num(share), 0, 1))


@breaks("ends-process")
class Leaves(Sound):
    def score(self, inputs, context):
        sys.exit(0)


@breaks("forbidden-call")
class Opens(Sound):
    def score(self, inputs, context):
        return scored(self, inputs) * len(Path("/etc/no-such-file").read_text())


@breaks("score-type")
class Float32(Sound):
    def score(self, inputs, context):
        return scored(self, inputs).astype(np.float32)


@breaks("score-shape")
class Column(Sound):
    def score(self, inputs, context):
        return scored(self, inputs)[:, None]


@breaks("score-range")
class Percent(Sound):
    def score(self, inputs, context):
        return scored(self, inputs) * 100


@breaks("score-is-input")
class Echo(Sound):
    inputs = (Input("kit_claims", FieldType.BOOLEAN),)

    def score(self, inputs, context):
        return inputs["kit_claims"]

    def explain(self, values, score, context):
        known = {
            None: "It is not known whether",
            True: "It is true that",
            False: "It is false that",
        }
        return f"{known[values['kit_claims']]} somebody claims."


@breaks("writes-inputs")
class Writes(Sound):
    def score(self, inputs, context):
        arrears = inputs["kit_arrears"]
        arrears[np.isnan(arrears)] = 0
        return np.clip(arrears, 0, 1)


@breaks("undeclared-input")
class Undeclared(Sound):
    def score(self, inputs, context):
        return scored(self, inputs) + inputs["rent_arrears"]


@breaks("quotes-records")
class Quotes(Sound):
    def score(self, inputs, context):
        arrears = inputs["kit_arrears"]
        if np.nanmax(arrears, initial=0) > 1000:
            raise ValueError(f"{np.nanmax(arrears)} is too much")
        return scored(self, inputs)


@breaks("not-deterministic")
class Random(Sound):
    def score(self, inputs, context):
        found = scored(self, inputs)
        return np.clip(found - np.random.default_rng().random(len(found)) * 0.05, 0, 1)


@breaks("other-households")
class Relative(Sound):
    def score(self, inputs, context):
        found = scored(self, inputs)
        return np.clip(found - 0.1 * (np.nansum(found) / (1 + len(found))), 0, 1)


@breaks("row-order")
class ByPlace(Sound):
    def score(self, inputs, context):
        found = scored(self, inputs)
        return found * np.where(np.arange(len(found)) % 2 == 0, 1.0, 0.5)


@breaks("batch-boundaries")
class BySize(Sound):
    def score(self, inputs, context):
        found = scored(self, inputs)
        return found * (1.0 if len(found) > 500 else 0.5)


@breaks("empty-batch")
class NeverNone(Sound):
    def score(self, inputs, context):
        inputs["kit_arrears"].max()
        return scored(self, inputs)


@breaks("threads-differ")
class Shares(Sound):
    held = None

    def score(self, inputs, context):
        Shares.held = scored(self, inputs)
        sum(range(400_000))
        return Shares.held.copy()


@breaks("keeps-state")
class Keeps(Sound):
    last = None

    def score(self, inputs, context):
        self.last = len(inputs["kit_arrears"])
        return scored(self, inputs)


@breaks("threads-left")
class Lingers(Sound):
    def score(self, inputs, context):
        threading.Thread(target=END.wait, daemon=True, name="lingering").start()
        return scored(self, inputs)


@breaks("unknown-scored")
class Certain(Sound):
    def score(self, inputs, context):
        return np.nan_to_num(scored(self, inputs))


@breaks("never-known")
class Ignorant(Sound):
    def score(self, inputs, context):
        return np.full(len(inputs["kit_arrears"]), np.nan)

    def explain(self, values, score, context):
        what = "known" if values["kit_arrears"] is not None else "not known"
        return f"Arrears are {what}; the score is not."


@breaks("optional-needed")
class NeedsOptional(Sound):
    def score(self, inputs, context):
        return np.where(inputs["kit_claims"] == 1, scored(self, inputs), np.nan)

    def explain(self, values, score, context):
        said = Sound.explain(self, values, score, context)
        return said if score == score else f"Not known: who claims, or what is owed. {said}"


@breaks("extreme-values")
class Small(Sound):
    def score(self, inputs, context):
        arrears = inputs["kit_arrears"]
        if np.nanmax(np.abs(arrears), initial=0) > 1e11:
            raise OverflowError("too much")
        return scored(self, inputs)


@breaks("direction")
class Reversed(Sound):
    inputs = (
        Input("kit_arrears", FieldType.NUMBER, unit="GBP", direction="falls"),
        *Sound.inputs[1:],
    )


@breaks("explain-fails")
class Formats(Sound):
    def explain(self, values, score, context):
        return f"Owes £{values['kit_arrears']:,.2f}."


@breaks("explain-empty")
class Silent(Sound):
    def explain(self, values, score, context):
        return Sound.explain(self, values, score, context) if score > 0 else " "


@breaks("explain-words")
class SaysNone(Sound):
    def explain(self, values, score, context):
        tenure = values["kit_tenure"]
        return f"{Sound.explain(self, values, score, context)} Tenure: {tenure}."


@breaks("explain-unknown")
class SaysZero(Sound):
    def explain(self, values, score, context):
        return Sound.explain(
            self, values | {"kit_arrears": values["kit_arrears"] or 0.0}, score, context
        )


@breaks("explain-same")
class SaysLittle(Sound):
    def explain(self, values, score, context):
        return "Arrears are known." if values["kit_arrears"] is not None else "Not known."


_TURNS = itertools.count()


@breaks("explain-changes")
class Chatters(Sound):
    def explain(self, values, score, context):
        word = "Now" if next(_TURNS) % 2 else "Today"
        return f"{word}: {Sound.explain(self, values, score, context)}"


@breaks("explain-amounts")
class Invents(Sound):
    def explain(self, values, score, context):
        said = Sound.explain(self, values, score, context)
        owed = values["kit_arrears"]
        return f"{said} That is £{owed * 1.3717 + 17.31:,.2f} with costs." if owed else said


@breaks("explain-identifiers")
class NamesPeople(Sound):
    def explain(self, values, score, context):
        said = Sound.explain(self, values, score, context)
        born = values["kit_date_of_birth"]
        return f"{said} Born on {born.day} {born:%B %Y}." if born else said


@breaks("explain-digits")
class Unrounded(Sound):
    def explain(self, values, score, context):
        said = Sound.explain(self, values, score, context)
        owed = values["kit_arrears"]
        return f"{said} A week's share is {owed / 52!r}." if owed else said


@breaks("explain-long")
class Wordy(Sound):
    def explain(self, values, score, context):
        return Sound.explain(self, values, score, context) + " This matters a great deal." * 40


@breaks("global-state")
class Affected(Sound):
    """Is scored by what another factor has left on a module that both use."""

    def score(self, inputs, context):
        found = scored(self, inputs)
        return found * (0.5 if getattr(np, "folkmoot_seen", False) else 1.0)


class Marks(Sound):
    """The other half: leaves a mark on a module that both use."""

    name = "marks"

    def score(self, inputs, context):
        np.folkmoot_seen = True
        return scored(self, inputs)


@breaks("prints")
class Prints(Sound):
    def score(self, inputs, context):
        print("scoring", len(inputs["kit_arrears"]), file=sys.stderr, flush=True)
        return scored(self, inputs)


@breaks("memory")
class Hoards(Sound):
    def score(self, inputs, context):
        count = len(inputs["kit_arrears"])
        hoard = np.zeros(500 * count if count > 100_000 else count, dtype=np.int8)
        hoard[::512] = 1
        return scored(self, inputs)


@breaks("slow")
class Sleeps(Sound):
    def score(self, inputs, context):
        time.sleep(len(inputs["kit_arrears"]) / 40_000)
        return scored(self, inputs)


@breaks("rather-slow")
class Dawdles(Sound):
    def score(self, inputs, context):
        time.sleep(len(inputs["kit_arrears"]) / 300_000)
        return scored(self, inputs)


@breaks("unit")
class Pence(Sound):
    inputs = (Input("council_tax_arrears", FieldType.NUMBER, unit="GBP/week"), *Sound.inputs)


@breaks("field-type")
class Words(Sound):
    inputs = (Input("council_tax_arrears", FieldType.BOOLEAN, required=False), *Sound.inputs)


@breaks("unit-unknown")
class Misspelt(Sound):
    inputs = (Input("kit_arrears", FieldType.NUMBER, unit="gbp"), *Sound.inputs[1:])


@breaks("unit-without-number")
class UnitOfDate(Sound):
    inputs = (*Sound.inputs, Input("kit_moved", FieldType.DATE, unit="days", required=False))


@breaks("name-clash")
class Taken(Sound):
    pass


Taken.name = "rent_arrears"


@hookimpl
def folkmoot_risk_factors():
    return [Sound]
