"""Drafts as somebody on the site may see them, and who acts on them."""

from __future__ import annotations

from starlette.requests import Request

from folkmoot_coordinator.drafts.drafts import Draft, find_draft, list_drafts, question_of
from folkmoot_coordinator.drafts.people import AccountKind, Person
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import problem_of_status
from folkmoot_web.site import site_of
from folkmoot_web.visitors import Visitor, visitor_of

_WHOLE = 32
_KEPT = 5000
_PURPOSES: dict[bytes, str] = {}
"""By digest of a question its purpose: a question may be long, and what it says never changes."""


def actor(request: Request) -> Person:
    """Who acts on a draft: the account that is signed in."""
    return Person(visitor_of(request).name, AccountKind.WEB)


def seen_draft(request: Request, draft_id: str) -> Draft:
    """A draft that whoever asks may see.

    Raises:
        WebProblem: Status 404, if there is none: whether it exists is not said.
    """
    region = region_of(request)
    if len(draft_id) != _WHOLE or not draft_id.isalnum():
        raise _no_draft()
    try:
        draft = find_draft(region.drafts, draft_id)
    except Problem:
        raise _no_draft() from None
    if not _sees(region, visitor_of(request), draft):
        raise _no_draft()
    return draft


def seen_drafts(region: Region, visitor: Visitor) -> list[Draft]:
    """The drafts that somebody may see, changed last first."""
    return [one for one in list_drafts(region.drafts) if _sees(region, visitor, one)]


def is_own(draft: Draft, person: Person) -> bool:
    """Whether somebody wrote a draft, from the same kind of account."""
    return draft.author.is_same(person) and draft.author.kind is person.kind


def note(request: Request, action: str, draft: Draft, **more: str) -> None:
    """Adds what was done to the site's audit log.

    Args:
        request: That asked for it.
        action: What was done.
        draft: The draft, as it is now.
        more: Further texts.
    """
    site = site_of(request)
    detail = {"draft": draft.draft_id, "question": draft.digest.hex(), **more}
    with site.database.writing() as session:
        site.audit.record(session, action, visitor_of(request).name, detail)


def _sees(region: Region, visitor: Visitor, draft: Draft) -> bool:
    if not region.settings.viewer.visibility:
        return True
    purpose = _PURPOSES.get(draft.digest)
    if purpose is None:
        try:
            purpose = question_of(region.drafts, draft).file.purpose
        except Problem:
            return False
        if len(_PURPOSES) >= _KEPT:
            _PURPOSES.clear()
        _PURPOSES[draft.digest] = purpose
    return region.sees(visitor, purpose)


def _no_draft() -> Exception:
    return problem_of_status(404, "There is no such draft, or you may not see it.")
