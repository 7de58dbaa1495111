"""Folkmoot risk factors for households.

How the unknown is treated is the same in all six factors. A required input that is not
known makes the score unknown, unless what is known settles it. Inputs that are not
required can raise a score; while they are not known they do not lower it, and the
explanation says that they are not known.
"""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_plugin_household_factors.clinical_vulnerability import ClinicalVulnerability
from folkmoot_plugin_household_factors.domestic_abuse import DomesticAbuse
from folkmoot_plugin_household_factors.financial_hardship import FinancialHardship
from folkmoot_plugin_household_factors.isolation import Isolation
from folkmoot_plugin_household_factors.relationship_breakdown import RelationshipBreakdown
from folkmoot_plugin_household_factors.social_care_need import SocialCareNeed
from folkmoot_sdk import RiskFactor, hookimpl

__all__ = [
    "ClinicalVulnerability",
    "DomesticAbuse",
    "FinancialHardship",
    "Isolation",
    "RelationshipBreakdown",
    "SocialCareNeed",
]


@hookimpl
def folkmoot_risk_factors() -> Sequence[type[RiskFactor]]:
    """Registers the six factors."""
    return [
        ClinicalVulnerability,
        DomesticAbuse,
        FinancialHardship,
        Isolation,
        RelationshipBreakdown,
        SocialCareNeed,
    ]
