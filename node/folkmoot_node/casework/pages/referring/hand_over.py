"""What a service sees by its link: nothing before the PIN, then the referral, once."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from folkmoot_node.casework.referrals.kinds import ReferralState
from folkmoot_node.casework.referrals.links import PATH, HandedOver
from folkmoot_node.casework.referring.room import Room, room_of
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_web.cookies import Cookies
from folkmoot_web.errors import problem_of_status
from folkmoot_web.forms import Form, FormModel, browser_of, read_form
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.rendering import render
from folkmoot_web.routes import Routes
from folkmoot_web.settings import AttemptSettings
from folkmoot_web.sign_in.attempts import Attempts

LIMITS = AttemptSettings(minutes=15, per_account=10, per_address=60)
"""How often a PIN may be sent for one link, and from one address."""
_NOT_RIGHT = (
    "The PIN is not right, or the link has ended. After five wrong PINs a link ends: ask the "
    "council for a new one"
)
_DONE = {
    "accepted": "The council sees that you accept the referral.",
    "rejected": "The council sees that you reject the referral.",
    "completed": "The council sees that you have finished.",
}


class PinForm(FormModel):
    """The PIN."""

    messages: ClassVar[dict[str, str]] = {"pin": "Enter the PIN: six digits"}

    pin: Annotated[str, Field(title="the PIN", pattern=r"^[0-9]{6}$")]


class AnswerForm(FormModel):
    """What a service reports."""

    messages: ClassVar[dict[str, str]] = {"answer": "Select what you do"}

    answer: ReferralState
    note: Annotated[str, Field(title="the reason", max_length=1_000)] = ""


def routes() -> Routes:
    """The pages."""
    routes = Routes()

    @routes.get(PATH + "/{token}", permission=PUBLIC)
    def show(request: Request, token: str, done: str = "") -> Response:
        # To look changes nothing: programs that check the links in mail do that too.
        room = room_of(request)
        seen = room.links.show(token, _browser(request, room))
        if seen is None:
            return _ask(request, token, Form[PinForm]())
        return _page(request, token, seen, Form[AnswerForm](), done=done)

    @routes.post(PATH + "/{token}", permission=PUBLIC)
    def enter(request: Request, token: str) -> Response:
        room = room_of(request)
        form = read_form(request, PinForm)
        if form.value is None:
            return _ask(request, token, form, 422)
        address = request.client.host if request.client else ""
        state = room.desk.state
        attempts = Attempts(state.database, state.audit, LIMITS, state.clock)
        if not attempts.reserve(f"hand-over {token}", f"hand-over {address}"):
            raise problem_of_status(429)
        if not room.links.enter(token, form.value.pin, _browser(request, room)):
            form.add_error("pin", _NOT_RIGHT)
            return _ask(request, token, Form(errors=form.errors), 422)
        return RedirectResponse(f"{PATH}/{token}", 303)

    @routes.post(PATH + "/{token}/answer", permission=PUBLIC)
    def answer(request: Request, token: str) -> Response:
        room = room_of(request)
        browser = _browser(request, room)
        form = read_form(request, AnswerForm)
        if form.value is not None:
            is_rejected = form.value.answer == ReferralState.REJECTED
            if is_rejected and not form.value.note:
                form.add_error("note", "Enter why you reject the referral")
        if form.value is None:
            seen = room.links.show(token, browser)
            if seen is None:
                return RedirectResponse(f"{PATH}/{token}", 303)
            return _page(request, token, seen, form, 422)
        state = room.links.report(token, browser, form.value.answer, form.value.note)
        done = f"?done={state}" if state is not None else ""
        return RedirectResponse(f"{PATH}/{token}{done}", 303)

    return routes


def _browser(request: Request, room: Room) -> str:
    return browser_of(request, Cookies(site_settings(room.desk.config)))


def _ask(request: Request, token: str, form: Form[PinForm], status: int = 200) -> Response:
    return render(request, "casework/hand_over_pin.html", status, token=token, form=form)


def _page(
    request: Request,
    token: str,
    seen: HandedOver,
    form: Form[AnswerForm],
    status: int = 200,
    *,
    done: str = "",
) -> Response:
    room = room_of(request)
    return render(
        request,
        "casework/hand_over.html",
        status,
        token=token,
        seen=seen,
        council=room.desk.config.name,
        form=form,
        notification=_DONE.get(done) if done == seen.state else None,
    )
