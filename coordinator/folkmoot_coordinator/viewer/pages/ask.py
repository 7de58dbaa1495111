"""Ask: composes a question, says what to expect of it, and saves it as a draft."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot.rounds import Mechanism
from folkmoot_coordinator.drafts.composing import QuestionForecast, forecast
from folkmoot_coordinator.drafts.drafts import Draft, question_of, save_draft
from folkmoot_coordinator.drafts.offer import Offer, OfferedAttribute, offered_attributes
from folkmoot_coordinator.drafts.ready_made import (
    Template,
    equality_question,
    outcomes_question,
    possible_outcomes,
    protected_groups,
)
from folkmoot_coordinator.membership.known_councils import known_councils
from folkmoot_coordinator.publication.outcome_round import BAND
from folkmoot_coordinator.rounds.policies import policies
from folkmoot_coordinator.rounds.question import Question
from folkmoot_coordinator.viewer.asking import (
    CODES,
    FIRST_TABLES,
    MAX_TABLES,
    TABLE,
    TOTAL,
    WEIGHT,
    WEIGHTS,
    AskForm,
    as_it_was,
    asked_again,
    attribute_label,
    beginning,
    read_question,
    ready_made,
    sent_tables,
    shown_tables,
)
from folkmoot_coordinator.viewer.expected import expected
from folkmoot_coordinator.viewer.filters import round_choices
from folkmoot_coordinator.viewer.permissions import Right
from folkmoot_coordinator.viewer.region import Region, region_of
from folkmoot_coordinator.viewer.round_facts import RoundFacts, round_facts
from folkmoot_coordinator.viewer.seen_drafts import actor, is_own, note, seen_draft
from folkmoot_coordinator.viewer.words import capital, listed, phrase
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.forms import Form, sent_form
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.visitors import Visitor, visitor_of

_ACTION = "action"
SAVE, SHOW, MORE = "save", "show", "more"
"""What the buttons send."""
_MAX_BYTES = 2_000_000
_OFFERED = 12


def routes() -> Routes:
    """The page."""
    routes = Routes()

    @routes.get("/ask", permission=Right.ASK)
    def ask(
        request: Request, draft: str = "", again: str = "", template: str = "", outcome: str = ""
    ) -> Response:
        region = region_of(request)
        offer = offered_attributes(region.database, region.clock())
        if draft:
            question = question_of(region.drafts, _own_draft(request, draft))
            form = as_it_was(question.file, offer)
        elif again:
            form = asked_again(region.stored(request, again).round_, offer)
        elif template:
            form = _ready_made(region, offer, template, outcome)
        else:
            form = beginning(offer)
        return _page(request, offer, form, shown_tables(form))

    @routes.post("/ask", permission=Right.ASK, max_bytes=_MAX_BYTES)
    def composed(request: Request, draft: str = "") -> Response:
        region = region_of(request)
        now = region.clock()
        if draft:
            _own_draft(request, draft)
        offer = offered_attributes(region.database, now)
        tables = sent_tables(request)
        action = sent_form(request).get(_ACTION, SHOW)
        if action == MORE:
            more = min(tables + 1, MAX_TABLES)
            form, _ = read_question(request, offer, more, now)
            form.errors.clear()
            return _page(request, offer, form, more)
        form, question = read_question(request, offer, tables, now)
        found = _forecast(region, visitor_of(request), form, question, now) if question else None
        if question is None or found is None:
            return _page(request, offer, form, tables, status=422)
        if action != SAVE:
            return _page(request, offer, form, tables, found)
        try:
            saved = save_draft(region.drafts, question, actor(request), now, draft_id=draft or None)
        except Problem as problem:
            if problem.exit_code not in (ExitCode.REFUSED, ExitCode.SETTINGS):
                raise
            form.add_error("title", f"The draft {problem.problem}. {problem.remedy}")
            return _page(request, offer, form, tables, found, status=409)
        note(request, "question saved", saved)
        return RedirectResponse(f"/drafts/{saved.draft_id}?saved=1", 303)

    return routes


def _ready_made(region: Region, offer: Offer, template: str, outcome: str) -> Form[AskForm]:
    """The form with a ready-made question.

    Raises:
        WebProblem: Status 404, if there is no such template, or nobody offers what it needs.
    """
    try:
        found = (
            outcomes_question(offer, outcome)
            if Template(template) is Template.OUTCOMES
            else equality_question(offer)
        )
    except ValueError:
        raise problem_of_status(404) from None
    except Problem as problem:
        text = f"{capital(problem.problem)}."
        raise WebProblem(
            404, "This question cannot be asked yet", text, "Compose one yourself."
        ) from None
    known = policies(region.database)
    return ready_made(found, offer, known[0].digest.hex() if known else "")


def _templates(offer: Offer) -> list[tuple[str, str]]:
    """Ready-made questions that councils can be asked: address and name."""
    found = []
    if not offer.attributes.get(BAND):
        return []
    groups = protected_groups(offer)
    if groups:
        names = listed([phrase(one) for one in groups])
        found.append((f"/ask?template={Template.EQUALITY}", f"Who is selected, by {names}"))
    return found + [
        (
            f"/ask?template={Template.OUTCOMES}&outcome={one}",
            f"How well bands found need: {phrase(one)}",
        )
        for one in possible_outcomes(offer)[:_OFFERED]
    ]


def _own_draft(request: Request, draft_id: str) -> Draft:
    draft = seen_draft(request, draft_id)
    if not is_own(draft, actor(request)):
        raise WebProblem(
            403,
            "This draft is somebody else's",
            f"{draft.author.name} wrote it.",
            "Ask a question of your own.",
        )
    return draft


def _forecast(
    region: Region, visitor: Visitor, form: Form[AskForm], question: Question, now: int
) -> QuestionForecast | None:
    """What to expect; None if it cannot be said, which then stands beside the field."""
    sent = form.value
    assert sent is not None
    if sent.like and sent.like not in {one.round_id for one in examples(region, visitor)}:
        form.add_error("like", "Select a round that is in the list")
        return None
    try:
        return forecast(
            question,
            region.database,
            known_councils(region.home),
            now,
            households=sent.households,
            like=sent.like or None,
        )
    except Problem as problem:
        if problem.exit_code is ExitCode.REFUSED and sent.like:
            form.add_error("like", f"That round {problem.problem}. {problem.remedy}")
        elif problem.exit_code is ExitCode.SETTINGS:
            form.add_error("councils", f"{problem.problem}. {problem.remedy}")
        else:
            raise
        return None


def _page(
    request: Request,
    offer: Offer,
    form: Form[AskForm],
    tables: int,
    found: QuestionForecast | None = None,
    status: int = 200,
) -> Response:
    region, visitor = region_of(request), visitor_of(request)
    draft = request.query_params.get("draft", "")
    return render(
        request,
        "viewer/ask.html",
        status,
        form=form,
        offer=offer,
        draft=draft,
        expected=expected(region, found, title_of(region, form.typed("like"))) if found else None,
        councils=[_council(region, offer, code) for code in offer.councils]
        + [
            {
                "value": str(code),
                "text": region.council(code),
                "hint": {"text": "It has not said yet what it offers."},
            }
            for code in offer.without_catalogue
        ],
        purposes=[
            {"value": one, "text": capital(phrase(one)), "hint": {"text": _allowed(offer, having)}}
            for one, having in offer.purposes.items()
        ],
        policies=_policies(region, visitor),
        tables=[_table(offer, form, number) for number in range(1, tables + 1)],
        can_add=tables < MAX_TABLES,
        codes=[_codes(one, offer) for one in offer.attributes.values() if not one.is_area],
        unknown_areas=[
            phrase(one.name) for one in offer.attributes.values() if one.is_area and not one.areas
        ],
        highest=min((one.per_round for one in offer.councils.values()), default=None),
        examples=round_choices(examples(region, visitor)),
        templates=[] if draft or found else _templates(offer),
        breadcrumbs=[("Questions", "/drafts"), ("Change a draft" if draft else "Ask", None)],
    )


def examples(region: Region, visitor: Visitor) -> list[RoundFacts]:
    """Rounds whose cells may stand for those of a new one, newest first."""
    return [
        one
        for one in round_facts(region.database)
        if one.has_result
        and one.series_id is None
        and one.withdrawal is None
        and region.sees(visitor, one.question.purpose)
    ][:_OFFERED]


def title_of(region: Region, round_id: str) -> str:
    """Title of a round; empty if there is no such round."""
    titles = {one.round_id: one.question.title for one in round_facts(region.database)}
    return titles.get(round_id, "")


def _council(region: Region, offer: Offer, code: Any) -> dict[str, Any]:
    one = offer.councils[code]
    text = (
        f"At most rho {one.per_round} for a round and rho {one.per_period} for all rounds of an "
        f"accounting period, until {one.sunset:%-d %B %Y}."
    )
    if one.released_here.nano:
        text += f" Of its rho {one.lifetime} for all rounds ever, at most "
        text += f"{one.left_at_most.nano / 1e9:.3g} is left."
    if Mechanism.DISCRETE_GAUSSIAN not in one.mechanisms:
        text += " It does not allow the noise that this page asks for."
    return {"value": str(code), "text": region.council(code), "hint": {"text": text}}


def _allowed(offer: Offer, having: tuple[Any, ...]) -> str:
    if len(having) == len(offer.councils):
        return "All councils allow it."
    return f"{len(having)} of {len(offer.councils)} councils allow it."


def _policies(region: Region, visitor: Visitor) -> list[dict[str, str]]:
    """Policies to choose from, each with the newest of its rounds that somebody may see."""
    found = [{"value": "", "text": "Choose a policy"}]
    titles = {
        one.round_id: one.question.title
        for one in round_facts(region.database)
        if region.sees(visitor, one.question.purpose)
    }
    for one in policies(region.database):
        digest = one.digest.hex()
        text = one.file_name or "Policy without its document"
        newest = next((titles[id_] for id_ in reversed(one.rounds) if id_ in titles), None)
        if newest is not None:
            text += f", of {newest}"
        found.append({"value": digest, "text": f"{text} ({digest[:12]})"})
    return found


def _table(offer: Offer, form: Form[AskForm], number: int) -> dict[str, Any]:
    chosen = form.chosen(f"{TABLE}{number}")
    names = [*offer.attributes, *(one for one in chosen if one not in offer.attributes)]
    items = [
        {
            "value": name,
            "text": attribute_label(name, offer) if name in offer.attributes else phrase(name),
        }
        for name in names
        if name != TOTAL
    ]
    items.append({"value": TOTAL, "text": "Nothing else: all households together"})
    return {
        "number": number,
        "name": f"{TABLE}{number}",
        "items": items,
        "chosen": chosen,
        "weight_name": f"{WEIGHT}{number}",
        "weights": _weights(form.typed(f"{WEIGHT}{number}")),
        "weight": form.typed(f"{WEIGHT}{number}") or "1",
        "error": form.error(f"{TABLE}{number}"),
        "open": number <= FIRST_TABLES,
    }


def _weights(typed: str) -> list[dict[str, str]]:
    known = {str(weight): text for weight, text in WEIGHTS}
    if typed and typed not in known:
        known[typed] = f"Weight {typed}"
    return [{"value": weight, "text": text} for weight, text in known.items()]


def _codes(one: OfferedAttribute, offer: Offer) -> dict[str, Any]:
    items = []
    for code, having in one.codes.items():
        item: dict[str, Any] = {"value": code, "text": phrase(code)}
        if len(having) < len(one.councils):
            item["hint"] = {"text": f"{len(having)} of {len(one.councils)} councils have it."}
        items.append(item)
    lacking = len(offer.councils) - len(one.councils)
    return {
        "name": f"{CODES}{one.name}",
        "label": phrase(one.name),
        "items": items,
        "hint": f"{lacking} of the councils do not offer it." if lacking else "",
    }
