"""What a product's settings file says about its site."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from folkmoot_operator.network_addresses import (
    ListenedAddress,
    check_dialled_host,
    is_loopback,
    join_address,
    split_address,
)
from folkmoot_operator.settings import Settings

_EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+")


def _check_printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has a character that cannot be printed")
    return value


def _check_origin(value: str) -> str:
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        raise ValueError("is not an address: a port is from 1 to 65535") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write https://host, such as https://region.example.gov.uk")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ValueError("write https://host alone, with nothing after it: a site has its own host")
    host = check_dialled_host(parts.hostname)
    default = {"http": 80, "https": 443}[parts.scheme]
    if port in (None, default):
        return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}"
    return f"{parts.scheme}://{join_address(host, port)}"


def _check_network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            f"{value[:80]!r} is neither an IP address nor a network, such as 10.0.0.5 or "
            "10.0.0.0/28"
        ) from None
    if network.prefixlen == 0:
        raise ValueError(f"{value} is every address; name those of the reverse proxies alone")
    return str(network)


def _check_issuer(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    ):
        raise ValueError("write the issuer's address as its documents give it: https://...")
    return value


def _check_email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError("is not an email address")
    return value


ShortText = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_check_printable)]
Origin = Annotated[str, AfterValidator(_check_origin)]
"""`https://host` or `https://host:port`."""
Network = Annotated[str, AfterValidator(_check_network)]
"""An IP address, or a network in CIDR notation."""
Issuer = Annotated[str, AfterValidator(_check_issuer)]
Email = Annotated[str, AfterValidator(_check_email)]


class TlsSettings(Settings):
    """Certificate files of the site itself; paths relative to the product's folder.

    Attributes:
        certificate: The certificate and those between it and a root, PEM.
        key: Its private key, PEM without a password.
    """

    certificate: Path
    key: Path


class SessionSettings(Settings):
    """How long somebody stays signed in."""

    idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    """Minutes without a request after which a session ends."""
    absolute_hours: int = Field(default=12, ge=1, le=7 * 24)
    """Hours after sign-in at which a session ends, whatever happens."""


class OpenIdSettings(Settings):
    """An OpenID Connect provider, such as Entra ID or Keycloak.

    Attributes:
        label: What the button says after "Sign in with".
        issuer: As the provider's discovery document gives it.
        client_id: The site's identifier at the provider.
        client_secret_file: File that holds the client's secret; relative to the product's folder.
        claim: Where the names of groups or app roles are in the ID token or the answer of the
            userinfo endpoint; a dot leads into a table. `roles` for app roles of Entra ID,
            `realm_access.roles` for Keycloak.
        scopes: What is asked for.
        roles: The product's roles by the name (Entra ID: object id) of a group or app role.
    """

    label: ShortText = "your organisation's account"
    issuer: Issuer
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret_file: Path | None = None
    claim: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_:/-]*(\.[A-Za-z0-9_:/-]+)*$")] = (
        "roles"
    )
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    roles: dict[str, tuple[str, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _asks_for_openid(self) -> OpenIdSettings:
        if "openid" not in self.scopes:
            raise ValueError("scopes leaves out 'openid'")
        return self


class SignInSettings(Settings):
    """How people prove who they are.

    Attributes:
        local: Whether accounts with passwords of this site may sign in.
        openid: The provider, where there is one.
    """

    local: bool = True
    openid: OpenIdSettings | None = None

    @model_validator(mode="after")
    def _somebody_can_sign_in(self) -> SignInSettings:
        if not self.local and self.openid is None:
            raise ValueError("nobody could sign in: set local = true, or name an openid provider")
        return self


class AttemptSettings(Settings):
    """How often sign-in may fail, in the last `minutes`."""

    minutes: int = Field(default=15, ge=1, le=24 * 60)
    """Minutes for which failures count."""
    per_account: int = Field(default=10, ge=1, le=1000)
    """Failures for one account, whether it exists or not."""
    per_address: int = Field(default=50, ge=1, le=100_000)
    """Failures from one address; people behind one gateway share it."""


class DatabaseSettings(Settings):
    """Where accounts, sessions and the audit log are kept."""

    url: str | None = None
    """SQLAlchemy URL; by default SQLite in the product's folder."""


class ContactSettings(Settings):
    """Whom to ask; named on error pages and in the statements."""

    email: Email | None = None
    """An address that somebody reads."""
    telephone: ShortText | None = None
    """A number that somebody answers."""


class WebSettings(Settings):
    """A site.

    Attributes:
        listen: Where it listens, `host:port`. Loopback alone, unless there is TLS.
        address: How browsers reach it, `https://host`; by default the address it listens on.
        name: The organisation whose site it is, for people.
        logo: Its logo, an SVG or PNG file relative to the product's folder; shown 40 pixels high.
        tls: Certificate files, where the site itself speaks TLS.
        proxies: Addresses of reverse proxies that speak TLS for it. Nobody else may then connect,
            and what they say of the visitor's address is believed.
        session: Time-outs.
        sign_in: How people prove who they are.
        attempts: Limits on failing at that.
        database: Where state is kept.
        contact: Whom to ask.
    """

    listen: ListenedAddress = "127.0.0.1:8080"
    address: Origin | None = None
    name: ShortText
    logo: Path | None = None
    tls: TlsSettings | None = None
    proxies: tuple[Network, ...] = ()
    session: SessionSettings = SessionSettings()
    sign_in: SignInSettings = SignInSettings()
    attempts: AttemptSettings = AttemptSettings()
    database: DatabaseSettings = DatabaseSettings()
    contact: ContactSettings = ContactSettings()

    @property
    def origin(self) -> str:
        """Scheme, host and port of every address on the site, without a slash at the end."""
        if self.address is not None:
            return self.address
        return f"{'https' if self.tls else 'http'}://{self.listen}"

    @property
    def scheme(self) -> Literal["http", "https"]:
        """How browsers reach the site."""
        return "https" if self.origin.startswith("https://") else "http"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the site over TLS."""
        return self.scheme == "https"

    @model_validator(mode="after")
    def _speaks_tls(self) -> WebSettings:
        host, _ = split_address(self.listen)
        if self.tls is None and not self.proxies and not is_loopback(host):
            raise ValueError(
                f"listen: {self.listen} can be reached from other machines, so it needs TLS; name "
                "tls.certificate and tls.key, or the reverse proxies that speak TLS for the site "
                "(proxies), or listen on 127.0.0.1"
            )
        if self.address is None:
            if self.proxies:
                raise ValueError("address is missing: how browsers reach the reverse proxy")
            if not (is_loopback(host) or _is_dialled(host)):
                raise ValueError("address is missing: listen names no host that browsers reach")
            return self
        outside = not is_loopback(urlsplit(self.address).hostname or "")
        if (outside or self.tls is not None) and not self.is_secure:
            raise ValueError(f"address: begin with https://, not {self.address}")
        if self.is_secure and self.tls is None and not self.proxies:
            raise ValueError(
                f"address: nothing speaks TLS for {self.address}; name tls.certificate and "
                "tls.key, or the reverse proxies (proxies)"
            )
        return self


def _is_dialled(host: str) -> bool:
    try:
        check_dialled_host(host)
    except ValueError:
        return False
    return True
