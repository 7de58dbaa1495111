"""The table of authority: which right each page of casework needs, and what it shows.

A page that is not here fails `test_authority.py`, which says what line to add. Nothing here is
derived from the code: it is what a data protection officer has agreed to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Shows(Enum):
    """What a page has to do with households."""

    NO_HOUSEHOLD = "no household"
    """Lists, forms, the log: nothing by which a household could be known."""
    CASE = "case"
    """A page of a case: not for those from whom its household is hidden."""
    HOUSEHOLD = "household"
    """A page that shows something of the household: it must be open besides."""


@dataclass(frozen=True)
class Door:
    """Who passes.

    Attributes:
        right: What it needs.
        shows: What it has to do with households.
    """

    right: str
    shows: Shows = Shows.NO_HOUSEHOLD


NONE, CASE, HOUSEHOLD = Shows.NO_HOUSEHOLD, Shows.CASE, Shows.HOUSEHOLD

ROLES = {
    "caseworker": {"lists", "open", "work", "refer"},
    "manager": {
        "cohorts", "lists", "decide", "open", "work", "assign", "refer", "override", "services",
        "measure",
    },
    "protection_officer": {"lists", "open", "rights", "restrict", "export", "measure"},
    "auditor": {"audit", "measure"},
}  # fmt: skip
"""Roles of the sample policy, and their rights."""

KIT = {
    "GET /static/{digest}/{name:path}": Door("public"),
    "GET /health": Door("public"),
    "GET /sign-in": Door("public"),
    "POST /sign-in": Door("public"),
    "GET /set-up/{token}": Door("public"),
    "POST /set-up/{token}": Door("public"),
    "GET /sign-out": Door("public"),
    "POST /sign-out": Door("signed in"),
    "GET /accessibility": Door("public"),
    "GET /cookies": Door("public"),
}
OPENING = {
    "GET /cases/{case_id}/open": Door("open", CASE),
    "POST /cases/{case_id}/open": Door("open", CASE),
    "POST /cases/{case_id}/close-household": Door("open", CASE),
    "GET /cases/{case_id}/score": Door("open", HOUSEHOLD),
    "GET /search": Door("lists"),
    "POST /search": Door("lists"),
    "GET /search/{search_id}": Door("lists"),
    "POST /search/{search_id}/case": Door("decide"),
    "GET /exports": Door("export"),
    "POST /exports": Door("export"),
    "GET /restrictions": Door("restrict"),
    "GET /restrictions/new": Door("restrict"),
    "POST /restrictions/new": Door("restrict"),
    "GET /restrictions/people/new": Door("restrict"),
    "POST /restrictions/people/new": Door("restrict"),
    "GET /restrictions/{restriction_id}/lift": Door("restrict"),
    "POST /restrictions/{restriction_id}/lift": Door("restrict"),
    "GET /restrictions/people/{bar_id}/lift": Door("restrict"),
    "POST /restrictions/people/{bar_id}/lift": Door("restrict"),
    "GET /audit": Door("audit"),
    "POST /audit/export": Door("audit"),
    "GET /audit/unusual": Door("audit"),
    "GET /audit/chain": Door("audit"),
    "POST /audit/chain": Door("audit"),
    "GET /audit/household": Door("audit"),
    "POST /audit/household": Door("audit"),
}
CASES = {
    "GET /": Door("lists"),
    "GET /cases/{case_id}": Door("lists", CASE),
}
_REFERRAL = "/cases/{case_id}/referrals/{referral_id}"
REFERRALS = {
    "GET /services": Door("lists"),
    "GET /services/{service_id}": Door("lists"),
    "POST /services/{service_id}": Door("services"),
    "POST /services/{service_id}/retire": Door("services"),
    "POST /services/{service_id}/restore": Door("services"),
    "GET /services/{service_id}/order": Door("lists"),
    "GET /referrals": Door("lists"),
    "GET /cases/{case_id}/consents/new": Door("refer", CASE),
    "POST /cases/{case_id}/consents/new": Door("refer", CASE),
    "GET /cases/{case_id}/consents/{consent_id}/withdraw": Door("refer", CASE),
    "POST /cases/{case_id}/consents/{consent_id}/withdraw": Door("refer", CASE),
    "GET /cases/{case_id}/referrals": Door("lists", CASE),
    "GET /cases/{case_id}/referrals/new": Door("refer", CASE),
    "POST /cases/{case_id}/referrals/new": Door("refer", CASE),
    f"GET {_REFERRAL}": Door("lists", CASE),
    f"POST {_REFERRAL}/send": Door("refer", CASE),
    f"POST {_REFERRAL}/ground": Door("refer", CASE),
    f"POST {_REFERRAL}/decide": Door("override", CASE),
    f"POST {_REFERRAL}/link": Door("refer", CASE),
    f"POST {_REFERRAL}/file": Door("refer", HOUSEHOLD),
    f"POST {_REFERRAL}/report": Door("refer", CASE),
    f"POST {_REFERRAL}/revoke": Door("refer", CASE),
    # For services, which have no account: the link and its PIN are what they need instead.
    "GET /hand-over/{token}": Door("public"),
    "POST /hand-over/{token}": Door("public"),
    "POST /hand-over/{token}/answer": Door("public"),
}
TABLE: dict[str, Door] = {**KIT, **OPENING, **CASES, **REFERRALS}
"""Each room adds a table of its own here."""
