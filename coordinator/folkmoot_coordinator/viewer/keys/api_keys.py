"""API keys: made, shown once, used, revoked.

A key reads what its owner may read, and no more than its own scope, purposes and rounds say. It
ends when it expires, is revoked, or its owner's account is disabled or loses the right to read.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update

from folkmoot.attributes import check_identifier
from folkmoot.errors import ContractError
from folkmoot_coordinator.viewer.keys.models import ApiKeyRow
from folkmoot_coordinator.viewer.permissions import PERMISSIONS, Right
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.clock import DAY, MINUTE
from folkmoot_web.database.models import AccountRow
from folkmoot_web.permissions import PUBLIC, SIGNED_IN
from folkmoot_web.sign_in.accounts import normalise
from folkmoot_web.site import State
from folkmoot_web.tokens import digest, new_token
from folkmoot_web.visitors import Visitor

PREFIX = "folkmoot_"
"""Begins every key, so that programs that look for secrets in files find one."""
DEFAULT_DAYS = 90
LONGEST_DAYS = 366
KEY_MADE, KEY_REVOKED = "API key made", "API key revoked"
"""Actions of the audit log."""
MAX_NAME = 100
_NOBODYS_ROLES = ("reader",)
_ID_BYTES = 4
_MOST_NAMED = 50


class Scope(StrEnum):
    """What a key may be used for."""

    READ_STATISTICS = "read:statistics"
    """Read rounds and their statistics."""


_RIGHTS = {Scope.READ_STATISTICS: {Right.READ}}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as lists show it; the key itself is not kept.

    Attributes:
        key_id: What people and logs call it.
        name: What it is for.
        account: Whose it is; None if it belongs to nobody.
        scopes: What it may be used for.
        purposes: Of the rounds it may read; empty for all.
        rounds: Ids of the rounds it may read; empty for all.
        made_by: Who made it.
        made_at: Seconds since 1970-01-01T00:00:00Z.
        expires_at: The same.
        used_at: When it was last used, the same, to the minute; None if never.
        revoked_at: The same; None if it was not.
    """

    key_id: str
    name: str
    account: str | None
    scopes: tuple[str, ...]
    purposes: tuple[str, ...]
    rounds: tuple[str, ...]
    made_by: str
    made_at: int
    expires_at: int
    used_at: int | None
    revoked_at: int | None

    def reads(self, round_id: str, purpose: str) -> bool:
        """Whether the key's own limits let it read a round."""
        return (not self.purposes or purpose in self.purposes) and (
            not self.rounds or round_id in self.rounds
        )

    def state(self, now: int) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= self.expires_at else "active"


class ApiKeys:
    """The API keys of a site."""

    def __init__(self, state: State) -> None:
        """Reads nothing yet.

        Args:
            state: Of the site, whose database has the table `API_KEYS`.
        """
        self._database = state.database
        self._audit = state.audit
        self._clock = state.clock

    def add(
        self,
        name: str,
        *,
        account: str | None,
        by: str,
        days: int = DEFAULT_DAYS,
        scopes: Iterable[str] = (Scope.READ_STATISTICS,),
        purposes: Iterable[str] = (),
        rounds: Iterable[str] = (),
    ) -> tuple[str, ApiKey]:
        """Makes a key.

        Args:
            name: What it is for.
            account: Whose it is; None if it belongs to nobody: it then sees what the role
                `reader` does.
            by: Who makes it, for the audit log.
            days: How long it works, 1 to `LONGEST_DAYS`.
            scopes: What it may be used for.
            purposes: Of the rounds it may read; none for all.
            rounds: Whole ids of the rounds it may read; none for all.

        Returns:
            The key, which is not kept and cannot be shown again, and what lists show of it.

        Raises:
            Problem: Exit code USAGE, if one of these is wrong or there is no such account.
        """
        label = name.strip()
        if not label or not label.isprintable() or len(label) > MAX_NAME:
            raise _usage("name", f"is not a line of text of 1 to {MAX_NAME} characters",
                         "Say which program uses the key")  # fmt: skip
        if not 1 <= days <= LONGEST_DAYS:
            raise _usage("days", f"is not a whole number from 1 to {LONGEST_DAYS}",
                         "Make a new key before this one expires")  # fmt: skip
        chosen = tuple(dict.fromkeys(str(one) for one in scopes))
        if not chosen or not set(chosen) <= set(Scope):
            raise _usage("scope", "is none that a key can have", f"Choose from: {', '.join(Scope)}")
        limits = _purposes(purposes), _round_ids(rounds)
        key, now = PREFIX + new_token(), self._clock()
        with self._database.writing() as session:
            owner = None if account is None else normalise(account)
            if owner is not None and not session.scalar(
                select(AccountRow.id).where(AccountRow.name == owner)
            ):
                raise _usage("account", f"there is no account {owner[:80]!r}",
                             "List the accounts there are")  # fmt: skip
            row = ApiKeyRow(
                key_id=secrets.token_hex(_ID_BYTES),
                digest=digest(key),
                name=label,
                account=owner,
                scopes="\n".join(chosen),
                purposes="\n".join(limits[0]),
                rounds="\n".join(limits[1]),
                made_by=by[:254],
                made_at=now,
                expires_at=now + days * DAY,
            )
            session.add(row)
            detail = {
                "key": row.key_id, "account": owner, "scopes": [*chosen],
                "purposes": [*limits[0]], "rounds": [*limits[1]], "expires": row.expires_at,
            }  # fmt: skip
            self._audit.record(session, KEY_MADE, by, detail)
            return key, _key(row)

    def list(self, account: str | None = None) -> list[ApiKey]:
        """Every key, newest first, or those of one account."""
        query = select(ApiKeyRow).order_by(ApiKeyRow.made_at.desc(), ApiKeyRow.key_id)
        if account is not None:
            query = query.where(ApiKeyRow.account == account)
        with self._database.reading() as session:
            return [_key(row) for row in session.scalars(query)]

    def revoke(self, key_id: str, *, by: str, account: str | None = None) -> ApiKey:
        """Ends a key now.

        Args:
            key_id: The key's id.
            by: Who ends it, for the audit log.
            account: Whose key it must be; None for anybody's.

        Raises:
            Problem: Exit code USAGE, if there is no such key.
        """
        with self._database.writing() as session:
            row = session.get(ApiKeyRow, key_id)
            if row is None or account not in (None, row.account):
                raise _usage("key", f"there is no key {key_id[:16]!r}", "List the keys there are")
            if row.revoked_at is None:
                row.revoked_at = self._clock()
                detail = {"key": key_id, "account": row.account}
                self._audit.record(session, KEY_REVOKED, by, detail)
            return _key(row)

    def find(self, token: str) -> tuple[ApiKey, Visitor] | None:
        """A key that works, and who uses it; None if there is none, or it has ended.

        Args:
            token: As the program sent it.
        """
        if not token.startswith(PREFIX):
            return None
        now = self._clock()
        with self._database.reading() as session:
            found = session.execute(
                select(ApiKeyRow, AccountRow)
                .outerjoin(AccountRow, AccountRow.name == ApiKeyRow.account)
                .where(ApiKeyRow.digest == digest(token))
            ).one_or_none()
        if found is None:
            return None
        row, owner = found
        if row.revoked_at is not None or now >= row.expires_at:
            return None
        if row.account is not None and (owner is None or owner.is_disabled):
            return None
        if row.used_at is None or now - row.used_at >= MINUTE:
            self._note_use(row.key_id, now)
        roles = _NOBODYS_ROLES if owner is None else tuple(filter(None, owner.roles.split("\n")))
        key = _key(row)
        return key, _visitor(key, roles)

    def _note_use(self, key_id: str, now: int) -> None:
        with self._database.writing() as session:
            session.execute(update(ApiKeyRow).where(ApiKeyRow.key_id == key_id).values(used_at=now))


def _visitor(key: ApiKey, roles: tuple[str, ...]) -> Visitor:
    held = {str(one) for scope in key.scopes for one in _RIGHTS.get(Scope(scope), ())}
    return Visitor(
        name=f"API key {key.key_id}" + (f" of {key.account}" if key.account else ""),
        display_name=key.name,
        roles=roles,
        permissions=frozenset({PUBLIC, SIGNED_IN}) | (PERMISSIONS.of(roles) & held),
        by_browser=False,
    )


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        name=row.name,
        account=row.account,
        scopes=_lines(row.scopes),
        purposes=_lines(row.purposes),
        rounds=_lines(row.rounds),
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()


def _purposes(asked: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(sorted(set(asked)))
    try:
        for one in chosen:
            check_identifier(one, "purpose")
    except ContractError:
        remedy = "Write it as the rounds have it, such as winter_support"
        raise _usage("purpose", "is not an identifier", remedy) from None
    return _not_too_many("purpose", chosen)


def _round_ids(asked: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(sorted(set(asked)))
    for one in chosen:
        if not (len(one) == 32 and one.isascii() and one.isalnum()):
            raise _usage("round", "is not the whole id of a round", "`round list --json` has it")
    return _not_too_many("round", chosen)


def _not_too_many(where: str, chosen: tuple[str, ...]) -> tuple[str, ...]:
    if len(chosen) > _MOST_NAMED:
        raise _usage(where, f"is named more than {_MOST_NAMED} times", "Leave it out for all")
    return chosen


def _usage(where: str, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=where, remedy=remedy, exit_code=ExitCode.USAGE)
