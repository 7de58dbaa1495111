"""The form that composes a question: what it sends, and what stands in it to begin with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, create_model
from starlette.requests import Request

from folkmoot.rounds import Round
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.drafts.composing import FormProblem, QuestionForm, compose
from folkmoot_coordinator.drafts.offer import Offer
from folkmoot_coordinator.drafts.ready_made import DAYS, DELTA, ReadyMade
from folkmoot_coordinator.rounds.question import Question
from folkmoot_coordinator.rounds.round_file import RoundFile
from folkmoot_coordinator.viewer.words import phrase
from folkmoot_web.forms import Form, FormModel, read_form, sent_form

MAX_TABLES = 12
FIRST_TABLES = 3
TABLE, CODES, WEIGHT = "table_", "codes_", "weight_"
"""How the names of fields begin that there are several of."""
WEIGHTS = ((1, "As precise as the others"), (4, "More precise"), (16, "Most precise"))
_WEIGHT_FIELD = re.compile(f"{WEIGHT}([0-9]{{1,2}})")
_HOURS = 24
_FIELDS = {
    "policy_digest": "policy",
    "deadline_hours": "days",
    "marginals": f"{TABLE}1",
    "attributes": f"{TABLE}1",
}
"""Fields of `QuestionForm` that the page calls otherwise."""


class AskForm(FormModel):
    """What the page sends, besides a field for each table and for the codes of each attribute."""

    messages: ClassVar[Mapping[str, str]] = {
        "title.missing": "Enter a title",
        "purpose": "Select a purpose",
        "councils": "Select at least one council",
        "policy": "Select the policy that households are scored by",
        "other_policy": "A digest has 64 hexadecimal digits",
        "households.int_parsing": "Number of households must be a whole number, such as 1200000",
    }

    title: Annotated[str, Field(title="the title", max_length=200)]
    purpose: Annotated[str, Field(title="a purpose")]
    policy: Annotated[str, Field(title="a policy")] = ""
    other_policy: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] = ""
    councils: Annotated[tuple[str, ...], Field(min_length=1)]
    minimum_councils: Annotated[int, Field(title="the smallest number of councils", ge=1)]
    rho: Annotated[Decimal, Field(title="the privacy loss", gt=0, le=100)]
    delta: Annotated[Decimal, Field(title="delta", gt=0, lt=1)]
    objective: Annotated[Literal["sum", "maximum"], Field(title="what matters")] = "sum"
    days: Annotated[float, Field(title="the number of days", gt=0, le=366)]
    households: Annotated[int | None, Field(title="number of households", ge=1, le=10**9)] = None
    like: str = ""


def ask_model(offer: Offer, tables: int) -> type[AskForm]:
    """The form for what councils offer.

    Args:
        offer: What they offer.
        tables: How many tables can be chosen on it.
    """
    many: Any = (tuple[str, ...], ())
    fields: dict[str, Any] = {}
    for number in range(1, tables + 1):
        fields[f"{TABLE}{number}"] = many
        fields[f"{WEIGHT}{number}"] = (Annotated[int, Field(title="a weight", ge=1)], 1)
    fields |= {f"{CODES}{name}": many for name, one in offer.attributes.items() if not one.is_area}
    return create_model("AskForm", __base__=AskForm, **fields)


def sent_tables(request: Request) -> int:
    """How many tables the form that was sent has room for."""
    sent = sent_form(request)
    found = (_WEIGHT_FIELD.fullmatch(name) for name in sent)
    return min(max([FIRST_TABLES, *(int(one[1]) for one in found if one)]), MAX_TABLES)


def read_question(
    request: Request, offer: Offer, tables: int, now: int
) -> tuple[Form[AskForm], Question | None]:
    """The question that a form has composed.

    Args:
        request: That sent the form.
        offer: What councils offer.
        tables: How many tables the form has room for.
        now: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        The form with what was typed and what is wrong, and the question; None if anything is wrong.
    """
    model = ask_model(offer, tables)
    form = read_form(request, model)
    if not (form.typed("policy") or form.typed("other_policy")):
        form.add_error("policy", AskForm.messages["policy"])
    if not any(form.chosen(f"{TABLE}{number}") for number in range(1, tables + 1)):
        form.add_error(f"{TABLE}1", "Choose what to count")
    sent = form.value
    if sent is None:
        # The summary lists them as they stand on the page.
        order = [*AskForm.model_fields, *model.model_fields]
        form.errors = {name: form.errors[name] for name in order if name in form.errors}
        return form, None
    try:
        return form, compose(_composed(sent, offer, tables), offer, now)
    except FormProblem as problem:
        for name, text in problem.fields.items():
            form.add_error(_field(name, text, offer), _sentence(text))
        return form, None


def beginning(offer: Offer) -> Form[AskForm]:
    """The form before anybody filled it in: all councils, all codes that they share."""
    councils = list(map(str, offer.councils))
    typed: dict[str, str | list[str]] = {
        "councils": councils,
        "purpose": next(iter(offer.purposes), "") if len(offer.purposes) == 1 else "",
        "minimum_councils": str(max(1, len(councils) - len(councils) // 4)),
        "rho": "0.1",
        "delta": "1e-6",
        "days": "14",
        "objective": "sum",
    }
    return Form(typed | _shared_codes(offer))


def ready_made(found: ReadyMade, offer: Offer, policy: str) -> Form[AskForm]:
    """The form with a ready-made question in it, to be changed and asked.

    Args:
        found: The question.
        offer: What councils offer.
        policy: Digest of the policy to begin with; empty for none.
    """
    typed: dict[str, str | list[str]] = {
        "title": found.title,
        "purpose": found.purpose,
        "policy": policy,
        "councils": list(map(str, found.councils)),
        "minimum_councils": str(found.minimum_councils),
        "rho": f"{found.rho:f}",
        "delta": DELTA,
        "objective": "sum",
        "days": str(DAYS),
    }
    codes: dict[str, str | list[str]] = {
        f"{CODES}{name}": list(codes) for name, codes in found.attributes.items()
    }
    tables = [(names, 1) for names in found.marginals]
    return Form(typed | _shared_codes(offer) | codes | _tables(tables))


def as_it_was(file: RoundFile, offer: Offer) -> Form[AskForm]:
    """The form with the question of a draft in it."""
    typed: dict[str, str | list[str]] = {
        "title": file.title,
        "purpose": file.purpose,
        "policy": file.policy_digest or "",
        "councils": list(file.councils) if file.councils != "all" else [],
        "minimum_councils": str(file.minimum_councils),
        "rho": str(file.rho or ""),
        "delta": str(file.delta),
        "objective": file.objective.value,
        "days": f"{(file.deadline_hours or 0) / _HOURS:g}",
    }
    codes: dict[str, str | list[str]] = {
        f"{CODES}{one.name}": list(one.codes) for one in file.attributes if one.codes
    }
    tables = [(one.attributes, one.weight) for one in file.marginals]
    return Form(typed | _shared_codes(offer) | codes | _tables(tables))


def asked_again(round_: Round, offer: Offer) -> Form[AskForm]:
    """The form with the question of a round in it, to be asked again."""
    typed: dict[str, str | list[str]] = {
        "title": round_.title,
        "purpose": round_.purpose,
        "policy": round_.policy_digest.hex(),
        "councils": list(map(str, round_.councils)),
        "minimum_councils": str(round_.minimum_councils),
        "rho": str(round_.loss),
        "delta": str(round_.delta),
        "objective": "sum",
        "days": f"{max(1, round((round_.deadline - round_.opened_at) / DAY))}",
        "like": round_.round_id,
    }
    codes: dict[str, str | list[str]] = {
        f"{CODES}{one.name}": list(one.codes)
        for one in round_.workload.attributes
        if not one.is_area
    }
    tables = [(one.attributes, one.weight) for one in round_.workload.marginals]
    return Form(typed | _shared_codes(offer) | codes | _tables(tables))


def shown_tables(form: Form[AskForm]) -> int:
    """How many tables a form that begins with something has room for."""
    full = [n for n in range(1, MAX_TABLES + 1) if form.typed(f"{WEIGHT}{n}")]
    return max([FIRST_TABLES, *full])


def _composed(sent: AskForm, offer: Offer, tables: int) -> QuestionForm:
    values = sent.model_dump()
    marginals = []
    for number in range(1, tables + 1):
        # In the order of the catalogue, so that a table has one name however it was ticked.
        chosen = values[f"{TABLE}{number}"]
        names = tuple(
            name for name in dict.fromkeys([*offer.attributes, *chosen]) if name in chosen
        )
        if names:
            weight = int(values[f"{WEIGHT}{number}"])
            marginals.append((() if TOTAL in names else names, weight))
    used = dict.fromkeys(name for names, _ in marginals for name in names)
    return QuestionForm(
        title=sent.title,
        purpose=sent.purpose,
        policy_digest=sent.other_policy or sent.policy,
        councils=sent.councils,
        minimum_councils=str(sent.minimum_councils),
        rho=str(sent.rho),
        delta=str(sent.delta),
        deadline_hours=str(sent.days * _HOURS),
        attributes={name: tuple(values.get(f"{CODES}{name}", ())) for name in used},
        marginals=tuple(marginals),
        objective=sent.objective,
    )


TOTAL = "(all)"
"""Stands among the attributes of a table for all households together."""


def _tables(tables: Sequence[tuple[tuple[str, ...], int]]) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for number, (names, weight) in enumerate(tables[:MAX_TABLES], 1):
        found[f"{TABLE}{number}"] = list(names) or [TOTAL]
        found[f"{WEIGHT}{number}"] = str(weight)
    return found


def _shared_codes(offer: Offer) -> dict[str, str | list[str]]:
    return {
        f"{CODES}{name}": list(one.shared_codes)
        for name, one in offer.attributes.items()
        if not one.is_area
    }


def _field(name: str, text: str, offer: Offer) -> str:
    """The field of the page that a problem of `compose` is about."""
    if name == "attributes":
        about = [one for one in offer.attributes if f" {one}" in text and f"of {one}" in text]
        for one in about:
            if not offer.attributes[one].is_area:
                return f"{CODES}{one}"
    return _FIELDS.get(name, name)


def _sentence(text: str) -> str:
    text = text.replace(" (`folkmoot-coordinator round open`)", "")
    return text[:1].upper() + text[1:]


def attribute_label(name: str, offer: Offer) -> str:
    """An attribute for people, with what kind of areas it has."""
    one = offer.attributes[name]
    label = phrase(name)
    return f"{label[:1].upper()}{label[1:]}" + (" (areas)" if one.is_area else "")
