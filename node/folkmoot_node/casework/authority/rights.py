"""What people can be permitted to do in casework; which role holds what is in the policy."""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """What a page or a command may need."""

    COHORTS = "cohorts"
    """Write cohorts and count them."""
    LISTS = "lists"
    """See lists of cases and of the households of a cohort, without identifiers."""
    DECIDE = "decide"
    """Decide about a household of a cohort: open a case, or not."""
    OPEN = "open"
    """Open a household, with a reason, for a case."""
    WORK = "work"
    """Record contacts, needs, notes and actions in a case."""
    ASSIGN = "assign"
    """Give cases to other people and teams."""
    REFER = "refer"
    """Refer a household to a service, with consent."""
    OVERRIDE = "override"
    """Refer without consent on a legal ground."""
    SERVICES = "services"
    """Keep the directory of services, and their capacity."""
    EXPORT = "export"
    """Write lists to files."""
    RESTRICT = "restrict"
    """Restrict households, and open restricted ones."""
    RIGHTS = "rights"
    """Record and answer what residents ask: objections, access, rectification, erasure."""
    MEASURE = "measure"
    """See outcomes and other metrics."""
    AUDIT = "audit"
    """See who looked at what, when and why."""
