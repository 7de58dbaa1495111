"""Rates of the circumstances that councils keep records of, with their sources.

Levels are approximate, of the order of the publications named: good enough for plausible
files, not figures to cite. How much a rate rises with deprivation is assumed everywhere, as
no table says it by household.
"""

from __future__ import annotations

DEPRIVATION_TILT = 0.55
"""Assumed: each dimension of deprivation multiplies the odds of a circumstance by
exp(0.55), about 1.7."""

COUNCIL_TAX_ARREARS = 0.12
"""Share of households. MHCLG, collection rates for council tax 2023-24: arrears of 6.0
billion GBP in England, 240 GBP a dwelling; an assumed 12 % who owe gives the mean below."""
COUNCIL_TAX_ARREARS_MEDIAN = 1_150.0
"""GBP. With the spread below the mean is about 2,000 GBP."""
COUNCIL_TAX_ARREARS_SPREAD = 1.05
"""Standard deviation of the logarithm; assumed."""

COUNCIL_TAX_SUPPORT = 0.17
"""Share of households. MHCLG, local council tax support: about 3.7 million claimants of 25
million dwellings in England; higher in the North West."""

SINGLE_PERSON_DISCOUNT_CLAIMED = 0.93
"""Share of one-adult households that claim the 25 % discount; assumed. MHCLG, council
taxbase 2023: about a third of dwellings in England have it."""

UNIVERSAL_CREDIT = 0.20
"""Share of households with a member under 66. DWP, households on Universal Credit 2024."""
HOUSING_BENEFIT_WORKING_AGE = 0.07
"""Share of renting households, all under 66. DWP, housing benefit caseload 2024."""
HOUSING_BENEFIT_OLDER = 0.55
"""Share of social renting households with everyone 66 or over; as above."""

RENT_ARREARS = 0.28
"""Share of council tenants. Regulator of Social Housing and landlords' reports: a quarter to
a third of accounts are in arrears."""
RENT_ARREARS_MEDIAN = 380.0
"""GBP; assumed."""
RENT_ARREARS_SPREAD = 1.0
"""Standard deviation of the logarithm; assumed."""
COUNCIL_LANDLORD = 0.47
"""Share of social rented homes let by the council. Census 2021 TS054, Greater Manchester."""

TENANCY_TO_SOLE = 0.012
"""Share of renting households whose joint tenancy became sole in the last three years;
assumed; three times as many among lone parents."""

CARE_BY_AGE = ((18, 0.006), (65, 0.03), (75, 0.06), (85, 0.16))
"""From an age on, the share of people with long-term support at home. NHS England, adult
social care activity 2022-23, rounded: 0.9 % of those 18-64, 5 % of those 65 or over."""
CARE_LEVELS = (0.50, 0.33, 0.17)
"""Shares of low, medium and high packages among them; assumed."""

SHIELDED_BY_AGE = (
    (0, 0.007), (18, 0.015), (40, 0.034), (50, 0.058), (60, 0.090), (70, 0.115), (80, 0.110),
)  # fmt: skip
"""From an age on, the share of people. NHS Digital, Shielded Patient List, 2020: 2.2
million, 4 % of England; shares by age rounded."""

DOMESTIC_ABUSE = 0.016
"""Share of households of which the council holds a report of the last two years; assumed.
ONS, domestic abuse in England and Wales 2023: 4.4 % of adults in a year, of which a part
comes to the notice of a council."""

CHILDREN_SERVICES = 0.034
"""Share of households with children. DfE, children in need 2023: 403,000, 3.4 % of
children."""

DEATHS_BY_AGE = ((0, 0.0003), (45, 0.003), (65, 0.015), (75, 0.042), (85, 0.13))
"""From an age on, the share of people who die in a year. ONS, National life tables, England,
2020 to 2022, rounded over the ages of each step and over both sexes."""
DEATHS_DAYS = 90
"""Deaths of so many last days are reported and not yet in other records; assumed."""
DEATHS_WITHDRAWN = 0.03
"""Share of notices of a death that were withdrawn, as made about somebody else; assumed."""
