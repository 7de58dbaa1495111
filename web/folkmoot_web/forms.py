"""Forms: proof that our own page sent them, errors beside the field, what was typed is kept.

    class NewRound(FormModel):
        title: Annotated[str, Field(max_length=100)]
        councils: tuple[str, ...] = Field(title="at least one council")

    @routes.post("/rounds", permission=Right.ASK)
    def create(request: Request) -> Response:
        form = read_form(request, NewRound)
        if form.value is None:
            return render(request, "new_round.html", form=form)

A template gives a field `form.typed("title")` and `form.error("title")`, and begins with
`form.summary()`. Each form holds `{{ csrf_field() }}`.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import FormData
from starlette.requests import Request

from folkmoot_web.cookies import BROWSER, SESSION, Cookies
from folkmoot_web.errors import WebProblem
from folkmoot_web.tokens import form_token, is_form_token, new_token
from folkmoot_web.visitors import visitor_of

TOKEN_FIELD = "form_token"  # noqa: S105
"""Name of the hidden field."""
TOKEN_HEADER = "X-Form-Token"  # noqa: S105
"""The same for a script's request that sends no form."""
_MESSAGES = {
    "missing": "Enter {title}",
    "string_too_short": "{Title} must have at least {min_length} characters",
    "string_too_long": "{Title} must have {max_length} characters or fewer",
    "string_pattern_mismatch": "{Title} is not in the right form",
    "int_parsing": "{Title} must be a whole number",
    "int_from_float": "{Title} must be a whole number",
    "float_parsing": "{Title} must be a number",
    "decimal_parsing": "{Title} must be a number",
    "finite_number": "{Title} must be a number",
    "bool_parsing": "Select yes or no for {title}",
    "greater_than": "{Title} must be more than {gt}",
    "greater_than_equal": "{Title} must be {ge} or more",
    "less_than": "{Title} must be less than {lt}",
    "less_than_equal": "{Title} must be {le} or less",
    "date_from_datetime_parsing": "{Title} must be a real date",
    "date_parsing": "{Title} must be a real date",
    "literal_error": "Select {title}",
    "enum": "Select {title}",
    "too_short": "Select {title}",
}
_MANY = (list, tuple, set, frozenset)


class FormModel(BaseModel):
    """What a form sends.

    A field's `title` is what messages call it, with its article where it has one: "a deadline".
    An empty field counts as not sent.

    Attributes:
        messages: Other messages, by field or by `field.error`, pydantic's type of the error.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)
    messages: ClassVar[Mapping[str, str]] = {}


M = TypeVar("M", bound=FormModel)


class Form(Generic[M]):
    """A form: as somebody sent it, or before that.

    Attributes:
        value: What was sent, if nothing is wrong with it; else None.
        errors: Messages by field.
    """

    def __init__(
        self,
        typed: Mapping[str, str | list[str]] | None = None,
        value: M | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> None:
        """A form before anybody filled it in, unless more is given.

        Args:
            typed: Texts by field; for a new form, those it begins with.
            value: See the class.
            errors: See the class.
        """
        self._typed = dict(typed or {})
        self.value = value
        self.errors = dict(errors or {})

    def typed(self, field: str) -> str:
        """What was typed into a field; empty if nothing."""
        value = self._typed.get(field, "")
        return value if isinstance(value, str) else (value[0] if value else "")

    def chosen(self, field: str) -> list[str]:
        """What was chosen of a field that takes several."""
        value = self._typed.get(field, [])
        return [value] if isinstance(value, str) else list(value)

    def error(self, field: str) -> dict[str, str] | None:
        """The `errorMessage` of a field for GOV.UK Frontend's macros."""
        return {"text": self.errors[field]} if field in self.errors else None

    def add_error(self, field: str, message: str) -> None:
        """Refuses the form for a reason that only the endpoint knows."""
        self.errors.setdefault(field, message)
        self.value = None

    def summary(self) -> list[dict[str, str]]:
        """The `errorList` for GOV.UK Frontend's error summary: a field's id is its name."""
        return [{"text": text, "href": f"#{field}"} for field, text in self.errors.items()]


def read_form(request: Request, model: type[M]) -> Form[M]:
    """What a form sent, checked.

    Args:
        request: Of a route that changes something; the guard has read its body.
        model: What it should be.
    """
    sent = sent_form(request)
    typed: dict[str, str | list[str]] = {}
    for name, field in model.model_fields.items():
        texts = [text for text in sent.getlist(name) if isinstance(text, str)]
        if _takes_many(field):
            typed[name] = [text for text in texts if text]
        elif texts:
            typed[name] = texts[0]
    values = {name: value for name, value in typed.items() if value not in ("", [])}
    values = {name: v for name, v in values.items() if not isinstance(v, str) or v.strip()}
    try:
        return Form(typed, model.model_validate(values))
    except ValidationError as error:
        errors: dict[str, str] = {}
        for one in error.errors():
            name = str(one["loc"][0]) if one["loc"] else next(iter(model.model_fields))
            errors.setdefault(name, _message(model, name, dict(one)))
        order = list(model.model_fields)
        return Form(typed, None, {name: errors[name] for name in order if name in errors})


def sent_form(request: Request) -> FormData:
    """What a form sent, as it came; files are in it too."""
    form = getattr(request.state, "form", None)
    return form if isinstance(form, FormData) else FormData()


def token_for(request: Request, cookies: Cookies) -> str:
    """The token that a form on this page has to hold.

    Somebody who is not signed in gets a cookie for it, which `browser_cookie` then names.
    """
    return form_token(_cookie(request, cookies) or _new_browser(request))


def browser_of(request: Request, cookies: Cookies) -> str:
    """What is kept in the browser of somebody who is not signed in; made if there is nothing."""
    return cookies.read(request, BROWSER) or _new_browser(request)


def browser_cookie(request: Request) -> str | None:
    """The value of a cookie that the response has to set; None if there is one already."""
    value = getattr(request.state, "new_browser", None)
    return value if isinstance(value, str) else None


async def require_own_form(request: Request, cookies: Cookies) -> None:
    """Reads the form that was sent, and checks that it is from a page of this site.

    Raises:
        WebProblem: Status 403, if it may be from another.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise _foreign()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    token: Any = request.headers.get(TOKEN_HEADER, "")
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        request.state.form = await request.form()
        token = token or request.state.form.get(TOKEN_FIELD, "")
    cookie = _cookie(request, cookies)
    if cookie is None or not isinstance(token, str) or not is_form_token(cookie, token):
        raise _foreign()


def _cookie(request: Request, cookies: Cookies) -> str | None:
    which = SESSION if visitor_of(request).session else BROWSER
    return cookies.read(request, which)


def _new_browser(request: Request) -> str:
    made = browser_cookie(request)
    if made is None:
        made = request.state.new_browser = new_token()
    return made


def _foreign() -> WebProblem:
    return WebProblem(
        403,
        "This form is out of date",
        "It was opened before you signed in or out, your browser keeps no cookies, or it is from "
        "another site. Nothing was changed.",
        "Go back, reload the page, and send the form again.",
    )


def _takes_many(field: FieldInfo) -> bool:
    hint = field.annotation
    return (typing.get_origin(hint) or hint) in _MANY


def _message(model: type[FormModel], name: str, fault: Mapping[str, Any]) -> str:
    kind = str(fault["type"])
    for key in (f"{name}.{kind}", name):
        if key in model.messages:
            return model.messages[key]
    field = model.model_fields.get(name)
    title = (field.title if field else None) or name.replace("_", " ")
    if kind == "value_error":
        text = str(fault["msg"]).removeprefix("Value error, ")
        return text[:1].upper() + text[1:]
    pattern = _MESSAGES.get(kind, "Check {title}")
    context = {key: str(value) for key, value in fault.get("ctx", {}).items()}
    words = {**context, "title": title, "Title": title[:1].upper() + title[1:]}
    return pattern.format_map(words)
