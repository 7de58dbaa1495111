"""Every room that holds something about households.

A room adds its `Records` here. A test compares this list with the tables of the database.
"""

from __future__ import annotations

from folkmoot_node.casework.cases.held import CaseRecords
from folkmoot_node.casework.cohorts.held import CohortRecords
from folkmoot_node.casework.holdings import Records
from folkmoot_node.casework.opening.held import OpeningRecords
from folkmoot_node.casework.referrals.held import ReferralRecords
from folkmoot_node.casework.rights.held import RightsRecords

RECORDS: tuple[Records, ...] = (
    OpeningRecords(),
    ReferralRecords(),
    RightsRecords(),
    CohortRecords(),
    CaseRecords(),  # last: others find their entries by the cases
)
"""In the order in which they are erased."""
COVERED = {
    "casework_authority": "households",
    "casework_cases": "cases",
    "casework_cohorts": "cohorts",
    "casework_openings": "openings",
    "casework_origin": "",
    "casework_referrals": "referrals",
    "casework_rights": "rights",
}
"""By name of the tables of a room (`desk.TABLES`), the `Records` that speak for them; `households`
is what connects ids with UPRNs, which an erasure deletes itself. Empty: nothing about
households."""
