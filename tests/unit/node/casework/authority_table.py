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
    """A page about a household: not for those from whom it is hidden. Some show what is known of
    it only while it is open for whoever asks."""
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
    "GET /start": Door("signed in"),
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
    "POST /": Door("assign"),
    "GET /cases/{case_id}": Door("lists", CASE),
    "POST /cases/{case_id}/claim": Door("work", CASE),
    "POST /cases/{case_id}/release": Door("work", CASE),
    "POST /cases/{case_id}/reopen": Door("work", CASE),
    "POST /cases/{case_id}/assign": Door("assign", CASE),
    "POST /cases/{case_id}/review": Door("work", CASE),
    "POST /cases/{case_id}/close": Door("work", CASE),
    "GET /cases/{case_id}/record": Door("open", HOUSEHOLD),
    "POST /cases/{case_id}/contacts": Door("work", HOUSEHOLD),
    "POST /cases/{case_id}/notes": Door("work", HOUSEHOLD),
    "GET /cases/{case_id}/needs": Door("open", HOUSEHOLD),
    "POST /cases/{case_id}/needs": Door("work", HOUSEHOLD),
    "GET /cases/{case_id}/plan": Door("open", HOUSEHOLD),
    "POST /cases/{case_id}/plan": Door("work", HOUSEHOLD),
    "POST /cases/{case_id}/actions": Door("work", HOUSEHOLD),
    "POST /cases/{case_id}/actions/{entry_id}/{mark}": Door("work", HOUSEHOLD),
    "POST /cases/{case_id}/entries/{kind}/{entry_id}/remove": Door("work", HOUSEHOLD),
    "GET /cases/{case_id}/first-look": Door("work", HOUSEHOLD),
    "POST /cases/{case_id}/first-look": Door("work", CASE),
    "GET /cases/{case_id}/then-and-now": Door("open", HOUSEHOLD),
    "POST /cases/{case_id}/connect": Door("decide", HOUSEHOLD),
}
COHORTS = {
    "GET /cohorts/new": Door("cohorts"),
    "POST /cohorts/new": Door("cohorts"),
    "GET /cohorts/{cohort_id}/change": Door("cohorts"),
    "POST /cohorts/{cohort_id}/change": Door("cohorts"),
    "GET /cohorts": Door("lists"),
    "GET /cohorts/{cohort_id}": Door("lists"),
    "POST /cohorts/{cohort_id}/run": Door("cohorts"),
    "GET /cohorts/{cohort_id}/file": Door("cohorts"),
    "GET /cohorts/{cohort_id}/runs/{run_id}": Door("lists"),
    "POST /cohorts/{cohort_id}/runs/{run_id}": Door("decide"),
    "GET /cohorts/{cohort_id}/runs/{run_id}/{household}": Door("decide", CASE),
    "POST /cohorts/{cohort_id}/runs/{run_id}/{household}": Door("decide", CASE),
}
RIGHTS = {
    "GET /cases/{case_id}/notice": Door("open", HOUSEHOLD),
    "GET /cases/{case_id}/objections": Door("lists", CASE),
    "GET /cases/{case_id}/objections/new": Door("open", CASE),
    "POST /cases/{case_id}/objections/new": Door("open", CASE),
    "GET /rights/cases/{case_id}/objections/new": Door("rights", CASE),
    "POST /rights/cases/{case_id}/objections/new": Door("rights", CASE),
    "GET /rights/objections/{objection_id}": Door("rights", CASE),
    "POST /rights/objections/{objection_id}/open": Door("rights", CASE),
    "POST /rights/objections/{objection_id}/assign": Door("rights", CASE),
    "POST /rights/objections/{objection_id}/answer": Door("rights", CASE),
    "POST /rights/objections/{objection_id}/withdraw": Door("rights", CASE),
    "POST /rights/objections/{objection_id}/end": Door("rights", CASE),
    "POST /rights/objections/{objection_id}/reopen": Door("rights", CASE),
    "GET /rights": Door("rights"),
    "GET /rights/new": Door("rights"),
    "GET /rights/access": Door("rights"),
    "GET /rights/rectification": Door("rights"),
    "GET /rights/erasure": Door("rights"),
    "POST /rights/new": Door("rights"),
    "GET /rights/requests/{request_id}": Door("rights", CASE),
    "POST /rights/requests/{request_id}/open": Door("rights", CASE),
    "POST /rights/requests/{request_id}/answer": Door("rights", CASE),
    "POST /rights/requests/{request_id}/refuse": Door("rights", CASE),
    "GET /rights/requests/{request_id}/review": Door("rights", CASE),
    "POST /rights/requests/{request_id}/review": Door("rights", CASE),
    "POST /rights/requests/{request_id}/folder": Door("rights", CASE),
    "GET /rights/requests/{request_id}/texts": Door("rights", CASE),
    "GET /rights/requests/{request_id}/texts/{ref}": Door("rights", CASE),
    "POST /rights/requests/{request_id}/texts/{ref}": Door("rights", CASE),
    "GET /rights/requests/{request_id}/erase": Door("rights", CASE),
    "POST /rights/requests/{request_id}/erase": Door("rights", CASE),
    "POST /rights/requests/{request_id}/holds": Door("rights", CASE),
    "POST /rights/requests/{request_id}/holds/{hold_id}/lift": Door("rights", CASE),
}
OUTCOMES = {
    "GET /outcomes": Door("measure"),
    "POST /outcomes/write": Door("measure"),
}
REFERRING = {
    "GET /services": Door("lists"),
    "GET /services/{service_id}": Door("lists"),
    "POST /services/{service_id}": Door("services"),
    "POST /services/{service_id}/retire": Door("services"),
    "POST /services/{service_id}/restore": Door("services"),
    "GET /cases/{case_id}/consents/new": Door("refer", CASE),
    "POST /cases/{case_id}/consents/new": Door("refer", CASE),
    "GET /cases/{case_id}/consents/{consent_id}/withdraw": Door("refer", CASE),
    "POST /cases/{case_id}/consents/{consent_id}/withdraw": Door("refer", CASE),
    "GET /cases/{case_id}/referrals": Door("lists", CASE),
    "GET /cases/{case_id}/referrals/new": Door("refer", CASE),
    "POST /cases/{case_id}/referrals/new": Door("refer", CASE),
    "GET /cases/{case_id}/referrals/{referral_id}": Door("lists", CASE),
    "POST /cases/{case_id}/referrals/{referral_id}/send": Door("refer", CASE),
    "POST /cases/{case_id}/referrals/{referral_id}/ground": Door("refer", CASE),
    "POST /cases/{case_id}/referrals/{referral_id}/decide": Door("override", CASE),
    "POST /cases/{case_id}/referrals/{referral_id}/link": Door("refer", CASE),
    "POST /cases/{case_id}/referrals/{referral_id}/file": Door("refer", HOUSEHOLD),
    "POST /cases/{case_id}/referrals/{referral_id}/report": Door("refer", CASE),
    "POST /cases/{case_id}/referrals/{referral_id}/revoke": Door("refer", CASE),
    "GET /referrals": Door("lists"),
    "GET /services/{service_id}/order": Door("lists"),
    "GET /hand-over/{token}": Door("public"),
    "POST /hand-over/{token}": Door("public"),
    "POST /hand-over/{token}/answer": Door("public"),
}
TABLE: dict[str, Door] = {
    **KIT,
    **OPENING,
    **CASES,
    **COHORTS,
    **RIGHTS,
    **OUTCOMES,
    **REFERRING,
}
"""Each room has a table of its own here."""

HARMLESS = frozenset(
    {
        *("bar_id", "cohort_id", "consent_id", "digest", "entry_id", "hold_id", "kind", "mark"),
        *("name", "ref", "referral_id", "restriction_id", "run_id", "search_id", "service_id"),
        "token",
    }
)
"""Parameters of addresses that are about no household, or stand behind one that the door knows."""
