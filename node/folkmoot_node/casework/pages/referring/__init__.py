"""Pages of referrals: services, consent, drafts, what comes back, and what services see."""

from __future__ import annotations

from folkmoot_node.casework.pages.referring import (
    consents,
    drafts,
    hand_over,
    lists,
    referral,
    services,
)

REFERRING = (services, consents, drafts, referral, lists, hand_over)
"""Modules of pages; each has `routes()`."""
