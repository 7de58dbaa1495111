"""Who asks, and which rounds they may read."""

from __future__ import annotations

from starlette.requests import Request

from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.rounds.round_store import StoredRound
from folkmoot_coordinator.viewer.api.request_limits import RequestLimits
from folkmoot_coordinator.viewer.keys.api_keys import ApiKey, ApiKeys
from folkmoot_coordinator.viewer.region import region_of
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import site_of
from folkmoot_web.visitors import Visitor, visitor_of


def read_key(request: Request) -> Visitor | None:
    """Who sent a request with `Authorization: Bearer KEY`; None if the key does not work.

    Raises:
        WebProblem: Status 429, if the address has sent many wrong keys.
    """
    scheme, _, token = request.headers["authorization"].partition(" ")
    found = None
    if scheme.lower() == "bearer":
        found = ApiKeys(site_of(request)).find(token.strip())
    if found is None:
        limits_of(request).count_wrong_key(request.client.host if request.client else "")
        return None
    request.state.api_key, visitor = found
    return visitor


def count_request(request: Request) -> None:
    """A dependency of routes: counts a request of a key or a person.

    Raises:
        WebProblem: Status 429, if they have sent too many.
    """
    limits_of(request).count(visitor_of(request).name)


def require_parameters(request: Request, *known: str) -> None:
    """Checks that an address has no parameters but these, each once: none is ignored.

    Raises:
        WebProblem: Status 422, naming the first that is not known, or is there twice.
    """
    seen = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            remedy = f"The parameters are: {', '.join(known)}." if known else "It takes none."
            raise _wrong_parameter(name, "There is no such parameter.", remedy)
        if name in seen:
            raise _wrong_parameter(name, "It is there twice.", "Give it once.")
        seen.add(name)


def _wrong_parameter(name: str, problem: str, remedy: str) -> WebProblem:
    return WebProblem(422, "The request is wrong", problem, remedy, where=name[:100])


def limits_of(request: Request) -> RequestLimits:
    """The limits of the site that serves a request."""
    found = request.app.state.api_limits
    assert isinstance(found, RequestLimits)
    return found


def key_of(request: Request) -> ApiKey | None:
    """The key with which a request came; None for a person."""
    found = getattr(request.state, "api_key", None)
    assert found is None or isinstance(found, ApiKey)
    return found


def may_read(request: Request, round_id: str, purpose: str) -> bool:
    """Whether whoever asks may read a round."""
    key = key_of(request)
    return region_of(request).sees(visitor_of(request), purpose) and (
        key is None or key.reads(round_id, purpose)
    )


def stored_round(request: Request, round_id: str) -> StoredRound:
    """A round that whoever asks may read.

    Raises:
        WebProblem: Status 404, if there is none: whether it exists is not said.
    """
    stored = region_of(request).stored(request, round_id)
    if not may_read(request, stored.round_.round_id, stored.round_.purpose):
        raise problem_of_status(404, "There is no such round, or you may not see it.")
    return stored


def published_round(request: Request, round_id: str) -> Published:
    """The result of a round that whoever asks may read.

    Raises:
        WebProblem: Status 404, if there is none; 409, if it has no result.
    """
    stored_round(request, round_id)
    return region_of(request).published(request, round_id)
