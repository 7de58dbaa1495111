"""Housing insecurity: homelessness duties, temporary accommodation, notice and possession."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_plugin_household_factors.code_scores import by_code, check_ascending
from folkmoot_plugin_household_factors.reasons import strongest
from folkmoot_plugin_household_factors.recency import ago, check_window, recency
from folkmoot_plugin_household_factors.wording import not_known, sentences
from folkmoot_sdk import Evidence, FieldType, Input, RiskFactor, ScoringContext, parameter
from folkmoot_sdk.factor import FactorArray, InputArrays

HOMELESSNESS_DUTIES = ("none", "application", "prevention", "relief", "main")
"""Codes of `homelessness_duty`, ascending."""
_IN_WORDS = {
    "none": "No homelessness application is open.",
    "application": "A homelessness application is open and not decided.",
    "prevention": "The council owes the prevention duty: homelessness is threatened.",
    "relief": "The council owes the relief duty: the household is homeless.",
    "main": "The council owes the main housing duty: the household is homeless.",
}


@dataclass(frozen=True, slots=True)
class HousingInsecurityParameters:
    """Parameters of the factor."""

    application: float = parameter(
        default=0.4, minimum=0.0, maximum=1.0, description="Score of an application not decided."
    )
    prevention: float = parameter(
        default=0.6, minimum=0.0, maximum=1.0, description="Score of the prevention duty."
    )
    relief: float = parameter(
        default=0.9, minimum=0.0, maximum=1.0, description="Score of the relief duty."
    )
    main: float = parameter(
        default=0.9, minimum=0.0, maximum=1.0, description="Score of the main housing duty."
    )
    temporary: float = parameter(
        default=1.0, minimum=0.0, maximum=1.0, description="Score of temporary accommodation."
    )
    notice: float = parameter(
        default=0.6, minimum=0.0, maximum=1.0, description="Score of a recent notice to leave."
    )
    possession: float = parameter(
        default=0.8, minimum=0.0, maximum=1.0, description="Score of a recent possession claim."
    )
    full_days: float = parameter(
        default=56.0,
        unit="days",
        minimum=0.0,
        maximum=36_500.0,
        description="A notice or claim no longer ago than this counts in full.",
    )
    none_days: float = parameter(
        default=365.0,
        unit="days",
        minimum=1.0,
        maximum=36_500.0,
        description="A notice or claim this long ago or longer does not count.",
    )

    def __post_init__(self) -> None:
        check_window(self.full_days, self.none_days)
        check_ascending("homelessness duties", *self.duties())

    def duties(self) -> tuple[float, ...]:
        """The scores of the duties after none, in their order."""
        return self.application, self.prevention, self.relief, self.main


class HousingInsecurity(RiskFactor):
    """Scores the strongest of duty, temporary accommodation, notice and possession claim.

    The duty is required: if it is not known, the score is what the others give, or
    unknown if they give nothing.
    """

    name = "housing_insecurity"
    title = "Housing insecurity"
    description = (
        "The largest of: the homelessness duty that the council owes, or an application not yet "
        "decided; temporary accommodation; a notice to leave; a possession claim. The last two "
        "count in full up to `full_days` ago, falling in a straight line to nothing at "
        "`none_days`."
    )
    domain = "housing"
    savvi_term = "At risk of homelessness"
    evidence = (
        Evidence(
            "Homelessness Reduction Act 2017, sections 1 to 4",
            "https://www.legislation.gov.uk/ukpga/2017/13/contents",
            "Somebody likely to become homeless within 56 days is threatened with homelessness; "
            "councils are to advise and help before it comes to that.",
        ),
        Evidence(
            "Ministry of Housing, Communities and Local Government, Statutory homelessness in "
            "England (official statistics, quarterly)",
            "https://www.gov.uk/government/collections/homelessness-statistics",
            "Counts the households owed each duty, those in temporary accommodation, and why "
            "they lost their last settled home.",
        ),
        Evidence(
            "Ministry of Justice, Mortgage and landlord possession statistics (quarterly)",
            "https://www.gov.uk/government/collections/mortgage-and-landlord-possession-statistics",
            "Follows claims to orders, warrants and repossessions; not every claim ends in one.",
        ),
    )
    inputs = (
        Input(
            "homelessness_duty", FieldType.CATEGORY, codes=HOMELESSNESS_DUTIES, direction="rises"
        ),
        Input("temporary_accommodation", FieldType.BOOLEAN, required=False, direction="rises"),
        Input("eviction_notice_date", FieldType.DATE, required=False, direction="rises"),
        Input("possession_claim_date", FieldType.DATE, required=False, direction="rises"),
    )
    Parameters = HousingInsecurityParameters

    def __init__(self, parameters: HousingInsecurityParameters) -> None:
        super().__init__(parameters)
        self._duties = by_code(0.0, *parameters.duties())
        self._temporary = parameters.temporary
        self._notice = parameters.notice
        self._possession = parameters.possession
        self._full_days = parameters.full_days
        self._none_days = parameters.none_days

    def score(self, inputs: InputArrays, context: ScoringContext) -> FactorArray:
        """Scores households; see the class."""
        return strongest(
            self._duties[inputs["homelessness_duty"]],
            inputs["temporary_accommodation"] * self._temporary,
            self._recency(inputs["eviction_notice_date"], context) * self._notice,
            self._recency(inputs["possession_claim_date"], context) * self._possession,
        )

    def _recency(self, dates: Any, context: ScoringContext) -> FactorArray:
        return recency(dates, context.today, self._full_days, self._none_days)

    def explain(self, values: Mapping[str, Any], score: float, context: ScoringContext) -> str:
        """Says which duty is owed, where the household lives, and what was served when."""
        today = context.reference_date
        duty, temporary = values.get("homelessness_duty"), values.get("temporary_accommodation")
        notice, claim = values.get("eviction_notice_date"), values.get("possession_claim_date")
        parts = [] if duty is None else [_IN_WORDS[duty]]
        if temporary is not None:
            lives = "Lives" if temporary else "Does not live"
            parts.append(f"{lives} in temporary accommodation.")
        if notice is not None:
            parts.append(f"Notice to leave was served on {ago(notice, today)}.")
        if claim is not None:
            parts.append(f"A possession claim was made on {ago(claim, today)}.")
        if score == 0 and (notice is not None or claim is not None):
            parts.append(f"The factor counts those of the last {self._none_days:g} days.")
        unknown = {
            "homelessness_duty": "whether a homelessness duty is owed",
            "temporary_accommodation": "whether the home is temporary accommodation",
            "eviction_notice_date": "a notice to leave",
            "possession_claim_date": "a possession claim",
        }
        return sentences(*parts, not_known(values, unknown))
