"""Table `[casework]` of `node.toml`: the pages on which people at the council work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, model_validator

from folkmoot_operator.network_addresses import is_loopback
from folkmoot_operator.settings import Settings

_ORIGIN = r"^https?://[^/\s?#@]+$"


class SmtpSettings(Settings):
    """Table `[casework.mail.smtp]`: the council's mail server.

    Attributes:
        host: Its name or address.
        port: Its port.
        security: `starttls`, `tls` from the beginning, or `none` on this machine alone.
        sender: The address from which mail comes.
        user: With which to sign in; without, nobody signs in.
        password_file: File that holds the password; relative to the home.
        ca_file: Certificates to trust instead of those of the system; relative to the home.
    """

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _is_encrypted(self) -> SmtpSettings:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("security: only a mail server on this machine goes without TLS")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user: name user and password_file, or neither")
        return self


class NotifySettings(Settings):
    """Table `[casework.mail.notify]`: GOV.UK Notify.

    Attributes:
        key_file: File that holds the API key; relative to the home.
        template: Id of an email template with the fields ((subject)) and ((text)).
        address: Of the service.
    """

    key_file: Path
    template: Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{36}$")]
    address: Annotated[str, Field(pattern=_ORIGIN)] = "https://api.notifications.service.gov.uk"

    @model_validator(mode="after")
    def _is_encrypted(self) -> NotifySettings:
        _require_https(self.address)
        return self


class MailSettings(Settings):
    """Table `[casework.mail]`: how services are told that a referral waits. Off without it.

    Attributes:
        smtp: The council's mail server.
        notify: GOV.UK Notify.
    """

    smtp: SmtpSettings | None = None
    notify: NotifySettings | None = None

    @model_validator(mode="after")
    def _is_one(self) -> MailSettings:
        if (self.smtp is None) == (self.notify is None):
            raise ValueError("name either smtp or notify")
        return self


class HandOverSettings(Settings):
    """Table `[casework.hand_over]`: links by which services see a referral.

    Attributes:
        address: How services reach the pages under `/hand-over`; by default as people here do.
        days: After how many a link that nobody opened expires.
    """

    address: Annotated[str | None, Field(pattern=_ORIGIN)] = None
    days: Annotated[int, Field(ge=1, le=60)] = 14

    @model_validator(mode="after")
    def _is_encrypted(self) -> HandOverSettings:
        if self.address is not None:
            _require_https(self.address)
        return self


def _require_https(address: str) -> None:
    if address.startswith("http://") and not is_loopback(urlsplit(address).hostname or ""):
        raise ValueError("address: begin with https://")


class CaseworkSettings(Settings):
    """Table `[casework]`: casework at this council.

    Its other keys are those of any site of ours (`folkmoot_web.settings.WebSettings`): listen,
    address, name, logo, tls, proxies, session, sign_in, attempts, contact. They are checked by
    `casework.settings`, because a node without casework does not need what reads them.
    """

    model_config = ConfigDict(extra="allow")

    policy: str = "casework-policy.toml"
    """The casework policy, relative to the home: who may do what."""
    database: str | None = None
    """SQLAlchemy URL of PostgreSQL; by default an encrypted file in the folder `casework`."""
    group: str | None = None
    """The group of accounts that may read `store/` and its key, where casework runs under an
    account of its own."""
    mail: MailSettings | None = None
    hand_over: HandOverSettings = HandOverSettings()

    @property
    def site(self) -> dict[str, Any]:
        """The keys of any site, not checked yet."""
        return dict(self.model_extra or {})
