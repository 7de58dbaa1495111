"""Accounts: what a product's commands do with them, and what sign-in needs of them.

There is no default account and no default password. A command adds an account and prints a link,
which works once and for some hours; whoever opens it chooses the password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.audit import (
    ACCOUNT_ADDED,
    ACCOUNT_DISABLED,
    ACCOUNT_ENABLED,
    LINK_MADE,
    PASSWORD_CHOSEN,
    ROLES_CHANGED,
    Audit,
)
from folkmoot_web.clock import HOUR, Clock
from folkmoot_web.database.connection import Database
from folkmoot_web.database.models import AccountRow, SessionRow, SetUpLinkRow
from folkmoot_web.permissions import Permissions
from folkmoot_web.settings import WebSettings
from folkmoot_web.sign_in import passwords
from folkmoot_web.tokens import digest, new_token

LINK_HOURS = 72
"""How long a set-up link works, unless said otherwise."""
SET_UP = "/set-up"
_NAME = re.compile(r"[a-z0-9][a-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}(@[a-z0-9.-]{1,189})?")
_SHOWN = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        id: Number in the database.
        name: What they sign in with.
        display_name: Their name for people.
        roles: Roles, in order.
        issuer: OpenID provider; None for a local account.
        has_password: Whether they have chosen one.
        is_disabled: Whether sign-in is refused.
        created_at: Seconds since 1970-01-01T00:00:00Z.
        signed_in_at: The same, of the last sign-in; None if there was none.
    """

    id: int
    name: str
    display_name: str
    roles: tuple[str, ...]
    issuer: str | None
    has_password: bool
    is_disabled: bool
    created_at: int
    signed_in_at: int | None


class Accounts:
    """The accounts of a site."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        permissions: Permissions,
        settings: WebSettings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._audit = audit
        self._permissions = permissions
        self._settings = settings
        self._clock = clock

    def add(self, name: str, display_name: str, roles: Iterable[str], *, by: str) -> str:
        """Adds a local account.

        Args:
            name: What they sign in with, such as an email address; case does not matter.
            display_name: Their name for people.
            roles: Roles of the product.
            by: Who adds it, for the audit log.

        Returns:
            The set-up link. It is not kept: who loses it needs `new_link`.

        Raises:
            Problem: Exit code USAGE, if a name or role is wrong, or the account exists.
        """
        known = normalise(name)
        if not _NAME.fullmatch(known):
            raise _usage(f"{name[:80]!r} is not a name for an account", "Use an email address")
        shown = display_name.strip()
        if not _SHOWN.fullmatch(shown):
            raise _usage("the name for people is empty, too long or not text", "Write their name")
        chosen = self._permissions.require_roles(roles)
        with self._database.writing() as session:
            if self._row(session, known) is not None:
                raise _usage(
                    f"there is an account {known!r} already", "Choose another name, or make a new "
                    "link for it"
                )  # fmt: skip
            row = AccountRow(
                name=known,
                display_name=shown,
                roles="\n".join(chosen),
                created_at=self._clock(),
                is_disabled=False,
            )
            session.add(row)
            session.flush()
            detail = {"account": known, "roles": list(chosen)}
            self._audit.record(session, ACCOUNT_ADDED, by, detail)
            return self._link(session, row, LINK_HOURS, by)

    def list(self) -> list[Account]:
        """Every account, by name."""
        with self._database.reading() as session:
            rows = session.scalars(select(AccountRow).order_by(AccountRow.name)).all()
        return [_account(row) for row in rows]

    def set_roles(self, name: str, roles: Iterable[str], *, by: str) -> None:
        """Gives an account other roles; they count from its next request.

        Raises:
            Problem: Exit code USAGE, if there is no such account or role, or a provider decides.
        """
        chosen = self._permissions.require_roles(roles)
        with self._database.writing() as session:
            row = self._require(session, name)
            if row.issuer is not None:
                raise _usage(
                    f"the roles of {row.name!r} come from {row.issuer}",
                    "Change the group or app role there, or the mapping in the settings",
                )
            self._change_roles(session, row, chosen, by)

    def disable(self, name: str, *, by: str) -> None:
        """Refuses sign-in to an account, ends its sessions and its unused links.

        Raises:
            Problem: Exit code USAGE, if there is no such account.
        """
        with self._database.writing() as session:
            row = self._require(session, name)
            row.is_disabled = True
            session.execute(delete(SessionRow).where(SessionRow.account == row.id))
            self._end_links(session, row.id)
            self._audit.record(session, ACCOUNT_DISABLED, by, {"account": row.name})

    def enable(self, name: str, *, by: str) -> None:
        """Lets a disabled account sign in again.

        Raises:
            Problem: Exit code USAGE, if there is no such account.
        """
        with self._database.writing() as session:
            row = self._require(session, name)
            row.is_disabled = False
            self._audit.record(session, ACCOUNT_ENABLED, by, {"account": row.name})

    def new_link(self, name: str, *, by: str, hours: int = LINK_HOURS) -> str:
        """Makes a set-up link, with which a password is chosen in place of the one there is.

        Earlier links of the account end. Its password and sessions stay until the link is used.

        Args:
            name: The account's.
            by: Who makes it, for the audit log.
            hours: How long it works.

        Raises:
            Problem: Exit code USAGE, if there is no such account, it is disabled, or it belongs
                to a provider.
        """
        with self._database.writing() as session:
            row = self._require(session, name)
            if row.issuer is not None:
                raise _usage(f"{row.name!r} signs in at {row.issuer}", "Set the password there")
            if row.is_disabled:
                raise _usage(f"{row.name!r} is disabled", "Enable the account first")
            self._end_links(session, row.id)
            return self._link(session, row, hours, by)

    def of_link(self, token: str) -> Account | None:
        """Whose set-up link it is; None if it was used, has expired, or never was one."""
        with self._database.reading() as session:
            row = self._row_of_link(session, token)
            return None if row is None else _account(row)

    def choose_password(self, token: str, password: str) -> Account | None:
        """Uses a set-up link. Every session of the account ends.

        Args:
            token: Of the link.
            password: One that `passwords.fault` finds nothing wrong with.

        Returns:
            The account; None if the link does not work any more.
        """
        if self.of_link(token) is None:
            return None
        made = passwords.make_hash(password)
        with self._database.writing() as session:
            row = self._row_of_link(session, token)
            if row is None:
                return None
            row.password_hash = made
            self._end_links(session, row.id)
            session.execute(delete(SessionRow).where(SessionRow.account == row.id))
            self._audit.record(session, PASSWORD_CHOSEN, row.name)
            return _account(row)

    def with_password(self, name: str, password: str) -> Account | None:
        """The account that this name and password belong to; None if there is none.

        It takes as long in either case.
        """
        known = normalise(name)
        with self._database.reading() as session:
            row = self._row(session, known)
            kept = None if row is None or row.is_disabled else row.password_hash
        right, newer = passwords.check(password, kept)
        if not right or row is None:
            return None
        if newer is not None:
            with self._database.writing() as session:
                session.execute(
                    update(AccountRow)
                    .where(AccountRow.id == row.id, AccountRow.password_hash == kept)
                    .values(password_hash=newer)
                )
        return _account(row)

    def of_provider(
        self, session: Session, issuer: str, subject: str, display_name: str, roles: Iterable[str]
    ) -> Account | None:
        """The account of somebody whom a provider has identified; made at the first sign-in.

        Args:
            session: Of a writing transaction.
            issuer: The provider.
            subject: Whom it identified: `sub`.
            display_name: As the provider gives it.
            roles: Roles of the product, from the claims.

        Returns:
            The account; None if it was disabled here.
        """
        chosen = self._permissions.require_roles(roles)
        printable = "".join(one for one in display_name if one.isprintable()).strip()
        shown = printable[:100] or subject[:100]
        row = session.scalars(
            select(AccountRow).where(AccountRow.issuer == issuer, AccountRow.subject == subject)
        ).one_or_none()
        if row is None:
            row = AccountRow(
                name=f"openid:{digest(f'{issuer} {subject}')[:24]}",
                display_name=shown,
                roles="\n".join(chosen),
                issuer=issuer,
                subject=subject,
                created_at=self._clock(),
                is_disabled=False,
            )
            session.add(row)
            session.flush()
            detail = {"account": row.name, "display_name": shown, "roles": [*chosen]}
            self._audit.record(session, ACCOUNT_ADDED, issuer, detail)
        if row.is_disabled:
            return None
        row.display_name = shown
        self._change_roles(session, row, chosen, issuer)
        return _account(row)

    def _change_roles(
        self, session: Session, row: AccountRow, chosen: tuple[str, ...], by: str
    ) -> None:
        before = _roles(row)
        if before != chosen:
            row.roles = "\n".join(chosen)
            detail = {"account": row.name, "before": [*before], "roles": [*chosen]}
            self._audit.record(session, ROLES_CHANGED, by, detail)

    def _link(self, session: Session, row: AccountRow, hours: int, by: str) -> str:
        token = new_token()
        expires_at = self._clock() + hours * HOUR
        session.add(SetUpLinkRow(token_digest=digest(token), account=row.id, expires_at=expires_at))
        self._audit.record(session, LINK_MADE, by, {"account": row.name, "expires": expires_at})
        return f"{self._settings.origin}{SET_UP}/{token}"

    def _end_links(self, session: Session, account: int) -> None:
        session.execute(
            update(SetUpLinkRow)
            .where(SetUpLinkRow.account == account, SetUpLinkRow.used_at.is_(None))
            .values(used_at=self._clock())
        )

    def _row_of_link(self, session: Session, token: str) -> AccountRow | None:
        return session.scalars(
            select(AccountRow)
            .join(SetUpLinkRow, SetUpLinkRow.account == AccountRow.id)
            .where(
                SetUpLinkRow.token_digest == digest(token),
                SetUpLinkRow.used_at.is_(None),
                SetUpLinkRow.expires_at > self._clock(),
                AccountRow.is_disabled.is_(False),
            )
        ).one_or_none()

    def _row(self, session: Session, name: str) -> AccountRow | None:
        return session.scalars(select(AccountRow).where(AccountRow.name == name)).one_or_none()

    def _require(self, session: Session, name: str) -> AccountRow:
        row = self._row(session, normalise(name))
        if row is None:
            raise _usage(f"there is no account {name[:80]!r}", "List the accounts there are")
        return row


def normalise(name: str) -> str:
    """An account's name as it is kept."""
    return name.strip().lower()


def _roles(row: AccountRow) -> tuple[str, ...]:
    return tuple(row.roles.split("\n")) if row.roles else ()


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        roles=_roles(row),
        issuer=row.issuer,
        has_password=row.password_hash is not None,
        is_disabled=row.is_disabled,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
    )


def _usage(problem: str, remedy: str) -> Problem:
    return Problem(problem, remedy=remedy, exit_code=ExitCode.USAGE)
