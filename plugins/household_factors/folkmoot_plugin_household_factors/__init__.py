"""Folkmoot risk factors for households.

How the unknown is treated is the same in all factors. A required input that is not known
makes the score unknown, unless what is known settles it. Inputs that are not required
raise a score, stand in for the required one, or measure it more closely; while they are
not known the score rests on the others, and the explanation says that they are not known.
"""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_plugin_household_factors.area_deprivation import AreaDeprivation
from folkmoot_plugin_household_factors.benefit_cap import BenefitCap
from folkmoot_plugin_household_factors.benefit_dependency import BenefitDependency
from folkmoot_plugin_household_factors.child_need import ChildNeed
from folkmoot_plugin_household_factors.clinical_vulnerability import ClinicalVulnerability
from folkmoot_plugin_household_factors.council_tax_arrears import CouncilTaxArrears
from folkmoot_plugin_household_factors.domestic_abuse import DomesticAbuse
from folkmoot_plugin_household_factors.financial_hardship import FinancialHardship
from folkmoot_plugin_household_factors.frailty import Frailty
from folkmoot_plugin_household_factors.fuel_poverty import FuelPoverty
from folkmoot_plugin_household_factors.housing_insecurity import HousingInsecurity
from folkmoot_plugin_household_factors.isolation import Isolation
from folkmoot_plugin_household_factors.overcrowding import Overcrowding
from folkmoot_plugin_household_factors.relationship_breakdown import RelationshipBreakdown
from folkmoot_plugin_household_factors.rent_arrears import RentArrears
from folkmoot_plugin_household_factors.social_care_need import SocialCareNeed
from folkmoot_plugin_household_factors.unpaid_care import UnpaidCare
from folkmoot_sdk import RiskFactor, hookimpl

__all__ = [
    "AreaDeprivation",
    "BenefitCap",
    "BenefitDependency",
    "ChildNeed",
    "ClinicalVulnerability",
    "CouncilTaxArrears",
    "DomesticAbuse",
    "FinancialHardship",
    "Frailty",
    "FuelPoverty",
    "HousingInsecurity",
    "Isolation",
    "Overcrowding",
    "RelationshipBreakdown",
    "RentArrears",
    "SocialCareNeed",
    "UnpaidCare",
]


@hookimpl
def folkmoot_risk_factors() -> Sequence[type[RiskFactor]]:
    """Registers the factors, domain by domain."""
    return [
        FinancialHardship,
        CouncilTaxArrears,
        RentArrears,
        BenefitDependency,
        BenefitCap,
        FuelPoverty,
        Overcrowding,
        HousingInsecurity,
        Isolation,
        ClinicalVulnerability,
        Frailty,
        SocialCareNeed,
        UnpaidCare,
        DomesticAbuse,
        RelationshipBreakdown,
        ChildNeed,
        AreaDeprivation,
    ]
