"""How councils score, as each publishes it: for everybody, with a feed of what has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.public_facts import PARTS, causes_first, for_people, thing_title, version_id
from folkmoot_coordinator.database.models import AnswerRow
from folkmoot_coordinator.membership.councils import enrolled
from folkmoot_coordinator.scrutiny.council_pages import ShownPage, given_pages, shown_page
from folkmoot_coordinator.scrutiny.public_facts import BY_PERSON, MISSING, PublicFact, PublicFacts
from folkmoot_coordinator.viewer.caching import file_tag, is_known
from folkmoot_coordinator.viewer.pages.record import record_of
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_operator.atom_feeds import Feed, FeedEntry, as_atom
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.shown_values import laid_out
from folkmoot_web.errors import problem_of_status
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import visitor_of

PATH = "/scoring"
FEED = f"{PATH}/feed.atom"
_ENTRIES = 200
_FOUND = {"X-Robots-Tag": "all"}
"""These pages are for the public, so search engines may list them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A council in the list.

    Attributes:
        code: GSS code.
        name: For people.
        page: What is shown of it; None if nothing is.
        is_damaged: Whether what is stored of it cannot be shown.
        loss: What its households have borne at most; see `loss_facts`.
    """

    code: GssCode
    name: str
    page: ShownPage | None
    is_damaged: bool
    loss: dict[str, Any] | None


def routes() -> Routes:
    """The pages, the file for programs and the feed."""
    routes = Routes()

    @routes.get(PATH, permission=PUBLIC)
    def councils(request: Request) -> Response:
        return render(
            request,
            "viewer/scoring.html",
            headers=_FOUND,
            councils=listed(request),
            feed=FEED,
        )

    @routes.get(FEED, permission=PUBLIC)
    def feed(request: Request) -> Response:
        return _file(request, _feed(request), "application/atom+xml")

    @routes.get(f"{PATH}/{{code}}", permission=PUBLIC)
    def council(request: Request, code: str) -> Response:
        region = region_of(request)
        shown = _shown(region, code)
        facts = shown.facts
        held = _held(region, shown.page.council)
        name = name_of(region, shown.page.council, facts)
        return render(
            request,
            "viewer/council_scoring.html",
            headers=_FOUND,
            code=shown.page.council,
            name=name,
            shown=shown,
            facts=facts,
            changes=causes_first(facts.changes_since_approval),
            parts=_parts(facts),
            loss=record_of(request).loss_of(shown.page.council),
            releases=[
                (one, held.get(one.round_id) == one.sha256) for one in reversed(facts.releases)
            ],
            feed=FEED,
            is_member=_is_member(region, shown.page.council),
            breadcrumbs=[("How councils score", PATH), (name, None)],
        )

    @routes.get(f"{PATH}/{{code}}/facts.json", permission=PUBLIC)
    def file(request: Request, code: str) -> Response:
        return _file(request, _shown(region_of(request), code).content, "application/json")

    return routes


def name_of(region: Region, council: GssCode, facts: PublicFacts) -> str:
    """The name that the region gives a council, or else its own."""
    return region.names.get(council, facts.name)


def has_page(region: Region, council: GssCode) -> bool:
    """Whether the region shows how a council scores."""
    return any(one.withdrawn_at is None for one in given_pages(region.database, council))


def listed(request: Request) -> list[Listed]:
    """Councils of which something is shown, and for readers of the record all members, by name."""
    region = region_of(request)
    given = {one.council for one in given_pages(region.database) if one.withdrawn_at is None}
    members = (
        {one.code for one in enrolled(region.database, region.clock()) if one.valid_certificates}
        if region.settings.viewer.public_record or visitor_of(request).may(Right.READ)
        else set()
    )
    record = record_of(request)
    found = []
    for code in members | given:
        page, is_damaged = None, False
        try:
            page = shown_page(region.database, code)
        except Problem as problem:
            if problem.exit_code not in (ExitCode.VERIFICATION, ExitCode.DATA):
                raise  # the database cannot be read
            is_damaged = True
        name = region.council(code) if page is None else name_of(region, code, page.facts)
        found.append(Listed(code, name, page, is_damaged, record.loss_of(code)))
    return sorted(found, key=lambda one: (one.name.casefold(), one.code))


def _shown(region: Region, code: str) -> ShownPage:
    try:
        found = shown_page(region.database, GssCode(code))
    except ContractError:
        raise problem_of_status(404) from None
    if found is None:
        raise problem_of_status(
            404, "The region has been given nothing that says how this council scores."
        )
    return found


def _is_member(region: Region, council: GssCode) -> bool:
    members = enrolled(region.database, region.clock())
    return any(one.code == council and one.valid_certificates for one in members)


def _held(region: Region, council: GssCode) -> dict[str, str]:
    """Digests of the council's releases that the region holds, by round."""
    query = select(AnswerRow.round_id, AnswerRow.digest)
    query = query.where(AnswerRow.council == council, AnswerRow.reason.is_(None))
    with region.database.reading() as session:
        return {row.round_id: row.digest.hex() for row in session.execute(query)}


def _parts(facts: PublicFacts) -> list[dict[str, Any]]:
    found = []
    for at, part in enumerate(PARTS, 1):
        things = part.things(facts.by_key).items()
        found.append(
            {
                "id": f"part-{at}",
                "title": part.title,
                "about": part.about,
                **_rows([facts.by_key[key] for key in part.rows(facts.by_key)]),
                "things": [
                    {
                        "id": f"part-{at}-{number}",
                        "title": thing_title(thing),
                        **_rows([facts.by_key[key] for key in keys]),
                    }
                    for number, (thing, keys) in enumerate(things, 1)
                ],
            }
        )
    return found


def _rows(facts: Sequence[PublicFact]) -> dict[str, Any]:
    """What the council says, and the labels of what it has not answered, which stand together."""
    return {
        "rows": [
            {
                "label": one.label,
                "by_person": one.mark == BY_PERSON,
                "shown": laid_out(for_people(one.key, one.value)),
            }
            for one in facts
            if one.mark != MISSING
        ],
        "missing": [one.label for one in facts if one.mark == MISSING],
    }


def _feed(request: Request) -> bytes:
    region = region_of(request)
    site = str(request.base_url).rstrip("/")
    entries = [
        entry
        for one in listed(request)
        if one.page is not None
        for entry in _entries(one.page, one.name, f"{site}{PATH}/{one.code}")
    ]
    entries.sort(key=lambda one: (-one.at, one.id))
    return as_atom(
        Feed(
            title=f"How councils of {region.settings.region} score households: changes",
            id=version_id(region.settings.region),
            author=region.settings.region,
            link=f"{site}{PATH}",
            own_link=f"{site}{FEED}",
            at=max((one.at for one in entries), default=0),
            entries=entries[:_ENTRIES],
        )
    )


def _entries(shown: ShownPage, name: str, page: str) -> list[FeedEntry]:
    facts, code = shown.facts, shown.page.council
    found = [
        FeedEntry(
            title=f"{name}: version {one.number}",
            id=version_id(code, str(one.number), one.facts_sha256),
            at=one.at,
            link=f"{page}#version-{one.number}",
            summary=f"Reason: {one.reason}",
            points=one.words,
            author=name,
        )
        for one in facts.versions
    ]
    if not facts.is_as_approved:
        found.append(
            FeedEntry(
                title=f"{name}: not as approved",
                id=version_id(code, "not as approved", shown.page.sha256),
                at=facts.made,
                link=page,
                summary=f"The system has changed since version {facts.latest.number} was approved.",
                points=tuple(one.words for one in facts.changes_since_approval),
                author=name,
            )
        )
    return found


def _file(request: Request, content: bytes, media_type: str) -> Response:
    tag = file_tag(request, hashlib.sha256(content).hexdigest())
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        **_FOUND,
    }
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
