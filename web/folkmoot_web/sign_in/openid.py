"""Sign-in at an OpenID Connect provider: Entra ID, Keycloak and others that follow the standard.

Authorisation code flow with PKCE, state and nonce. All three are derived from a random cookie of
the browser that began, so nothing is stored before somebody is identified, and a code that
was asked for in another browser is refused.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError

from folkmoot_operator.events import emit
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web import events
from folkmoot_web.clock import MINUTE, Clock
from folkmoot_web.errors import WebProblem
from folkmoot_web.settings import OpenIdSettings

CALLBACK = "/sign-in/openid/callback"
"""Where the provider sends people back; its registration there is `<address>` and this."""
_CODE = re.compile(r"[a-z_]{1,60}")
"""Codes of errors that the standards name; what else a provider says may be about a person."""
_STATE_LIVES = 10 * MINUTE
_SECONDS = 10
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
                         "ES512", "EdDSA", "Ed25519"})  # fmt: skip
"""Signatures with the provider's private key alone: never `none`, never a shared secret."""


@dataclass(frozen=True, slots=True)
class Identified:
    """Whom a provider has identified.

    Attributes:
        issuer: The provider.
        subject: Who it is there: `sub`.
        display_name: Their name for people.
        roles: Roles of the product by the mapping in the settings, in order.
    """

    issuer: str
    subject: str
    display_name: str
    roles: tuple[str, ...]


class OpenId:
    """One provider."""

    def __init__(self, settings: OpenIdSettings, origin: str, home: Path, clock: Clock) -> None:
        """Prepares the client; the provider is asked at the first sign-in.

        Args:
            settings: Of the provider.
            origin: Of the site.
            home: The product's folder, from which the secret's file is relative.
            clock: For how long a sign-in may take.

        Raises:
            Problem: Exit code SETTINGS, if the file of the secret cannot be read.
        """
        self._settings = settings
        self._redirect = f"{origin}{CALLBACK}"
        self._clock = clock
        secret = _read_secret(home / settings.client_secret_file) if (
            settings.client_secret_file
        ) else None  # fmt: skip
        self._client = OAuth().register(
            "provider",
            client_id=settings.client_id,
            client_secret=secret,
            server_metadata_url=(f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration"),
            client_kwargs={
                "scope": " ".join(settings.scopes),
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
                "timeout": _SECONDS,
            },
        )

    async def begin(self, browser: str, leads_to: str) -> str:
        """Where to send the browser.

        Args:
            browser: Its cookie.
            leads_to: The page to show afterwards.

        Raises:
            WebProblem: Status 503, if the provider does not answer as its standard says.
        """
        state = self._state(browser, leads_to)
        await self._learn()
        try:
            made = await self._client.create_authorization_url(
                self._redirect,
                state=state,
                nonce=_derived(browser, "nonce", state),
                code_verifier=_derived(browser, "verifier", state),
            )
        except (AuthlibBaseError, RuntimeError):
            raise _unreachable() from None
        return str(made["url"])

    async def finish(self, browser: str, query: Mapping[str, str]) -> tuple[Identified, str]:
        """Whom the provider has identified, and the page to show.

        Args:
            browser: The cookie of who comes back.
            query: What the provider added to the address.

        Raises:
            WebProblem: If the provider refused, does not answer, or says what does not fit.
        """
        if "error" in query or not query.get("code"):
            raise WebProblem(
                403,
                "You were not signed in",
                "Your organisation's sign-in refused, or you cancelled.",
                "Try again, or ask whoever manages your organisation's accounts.",
            )
        state = query.get("state", "")
        leads_to = self._leads_to(browser, state)
        await self._learn()
        claims = await self._claims(browser, state, query["code"])
        groups = self._groups(claims)
        known = self._settings.roles
        roles = sorted({role for group in groups for role in known.get(group, ())})
        if not roles:
            raise WebProblem(
                403,
                "You have no role here",
                "Your organisation's sign-in knows you, but none of your groups or app roles "
                "has a role on this site.",
                "Ask whoever manages your organisation's accounts to add you to a group that has.",
            )
        name = claims.get("name") or claims.get("preferred_username") or claims.get("email")
        who = Identified(
            issuer=self._settings.issuer,
            subject=str(claims["sub"]),
            display_name=str(name or claims["sub"]),
            roles=tuple(roles),
        )
        return who, leads_to

    async def _learn(self) -> None:
        """Reads the provider's discovery document, once."""
        try:
            known = await self._client.load_server_metadata()
        except (httpx2.HTTPError, ValueError):
            raise _unreachable() from None
        if known.get("issuer") != self._settings.issuer:
            self._client.server_metadata.clear()
            raise WebProblem(
                503,
                "Sign-in is set up wrongly",
                "The provider calls itself by another address than openid.issuer in the settings.",
                "Ask whoever runs this site to copy the issuer from the provider's discovery "
                "document.",
            )
        offered = known.get("id_token_signing_alg_values_supported") or ["RS256"]
        known["id_token_signing_alg_values_supported"] = [
            name for name in offered if name in _ALGORITHMS
        ]

    async def _claims(self, browser: str, state: str, code: str) -> dict[str, Any]:
        expected = {
            "iss": {"essential": True, "value": self._settings.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "nonce": {"essential": True},
        }
        try:
            token = await self._client.fetch_access_token(
                self._redirect,
                code=code,
                code_verifier=_derived(browser, "verifier", state),
            )
            found = await self._client.parse_id_token(
                token,
                nonce=_derived(browser, "nonce", state),
                claims_options=expected,
            )
            if found is None:
                raise _not_fitting()
            claims = dict(found)
            lacks = self._value(claims) is None and not _has_overage(claims)
            if lacks and self._client.server_metadata.get("userinfo_endpoint"):
                more = dict(await self._client.userinfo(token=token))
                if more.get("sub") == claims["sub"]:
                    claims = more | claims
        except (httpx2.HTTPError, OSError):
            raise _unreachable() from None
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            code = str(getattr(error, "error", ""))
            emit(
                events.SIGN_IN_REFUSED,
                error=type(error).__name__,
                code=code if _CODE.fullmatch(code) else "",
            )
            raise _not_fitting() from None
        return claims

    def _value(self, claims: Mapping[str, Any]) -> Any:
        """What the claim of the settings holds; None if it is missing."""
        if self._settings.claim in claims:  # names of claims may be URLs, which have dots
            return claims[self._settings.claim]
        here: Any = claims
        for part in self._settings.claim.split("."):
            here = here.get(part) if isinstance(here, Mapping) else None
        return here

    def _groups(self, claims: Mapping[str, Any]) -> set[str]:
        value = self._value(claims)
        if value is None and _has_overage(claims):
            raise WebProblem(
                403,
                "You are in too many groups",
                "Entra ID left your groups out, as it does above 200.",
                'Ask whoever runs this site to use app roles (claim = "roles"), or to let Entra '
                "ID send only groups assigned to the application.",
            )
        if isinstance(value, str):
            return {value}
        return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()

    def _state(self, browser: str, leads_to: str) -> str:
        content = json.dumps([self._clock(), secrets.token_hex(8), leads_to]).encode()
        text = base64.urlsafe_b64encode(content).decode().rstrip("=")
        return f"{text}.{_derived(browser, 'state', text)}"

    def _leads_to(self, browser: str, state: str) -> str:
        text, _, code = state.partition(".")
        if not hmac.compare_digest(code.encode(), _derived(browser, "state", text).encode()):
            raise _too_late()
        at, _, leads_to = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if self._clock() - at > _STATE_LIVES:
            raise _too_late()
        return str(leads_to)


def _derived(browser: str, what: str, state: str) -> str:
    code = hmac.digest(browser.encode(), f"openid {what} {state}".encode(), "sha256")
    return base64.urlsafe_b64encode(code).decode().rstrip("=")


def _has_overage(claims: Mapping[str, Any]) -> bool:
    names = claims.get("_claim_names")
    return bool(claims.get("hasgroups")) or (isinstance(names, Mapping) and "groups" in names)


def _read_secret(path: Path) -> str:
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(
            f"the secret of the OpenID client cannot be read ({type(error).__name__})",
            where=str(path),
            remedy="Write the secret that the provider gave you into this file, for the account "
            "that runs the site alone",
            exit_code=ExitCode.SETTINGS,
        ) from None
    if not secret:
        raise Problem(
            "the file of the OpenID client's secret is empty",
            where=str(path),
            remedy="Write the secret that the provider gave you into it",
            exit_code=ExitCode.SETTINGS,
        )
    return secret


def _unreachable() -> WebProblem:
    return WebProblem(
        503,
        "Your organisation's sign-in does not answer",
        "",
        "Try again in a few minutes. If it lasts, tell whoever runs this site.",
    )


def _not_fitting() -> WebProblem:
    return WebProblem(
        403,
        "You were not signed in",
        "What your organisation's sign-in says of you does not fit what was asked.",
        "Start again from the sign-in page. If it happens again, tell whoever runs this site.",
    )


def _too_late() -> WebProblem:
    return WebProblem(
        403,
        "You were not signed in",
        "It took more than 10 minutes, or you began in another browser.",
        "Start again from the sign-in page.",
    )
