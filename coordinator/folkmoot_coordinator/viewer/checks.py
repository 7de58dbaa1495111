"""Whether the region's site can start, draw its maps, and have somebody approve questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.home import Home
from folkmoot_operator.checks import Check, Finding, State, failed
from folkmoot_operator.problems import Problem

if TYPE_CHECKING:
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_web.settings import WebSettings

_SITE, _CERTIFICATE = "site", "site certificate"
_BOUNDARIES, _DATABASE, _APPROVERS = "boundaries", "site database", "approvers"


def site(home: Home, settings: CoordinatorSettings, now: int) -> Check:
    """Whether the region's site has what it needs, if there is to be one.

    Args:
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.
    """

    def look() -> Iterator[Finding]:
        if not settings.viewer.enabled:
            yield Finding(_SITE, State.OK, "the settings leave it out")
            return
        from folkmoot_coordinator.viewer.settings import site_settings
        from folkmoot_web.checks import certificate

        # Raises if packages are missing: the rest could not be looked at.
        web = site_settings(home, settings)
        yield Finding(_SITE, State.OK, f"browsers reach it at {web.origin}")
        yield from certificate(_CERTIFICATE, home.path, web, now, "folkmoot-coordinator serve")
        yield from _boundaries(home, settings)
        yield from _kept(home, settings, web)

    return Check(_SITE, look)


def _boundaries(home: Home, settings: CoordinatorSettings) -> Iterator[Finding]:
    from folkmoot_coordinator.geography.boundary_file import read_boundaries

    if not settings.viewer.boundaries:
        yield Finding(_BOUNDARIES, State.OK, "none are set: maps show districts as tiles")
    for one in settings.viewer.boundaries:
        path = home.path / one.file
        try:
            found = read_boundaries(path, one.codes, one.names, layer=one.layer)
        except Problem as problem:
            yield failed(_BOUNDARIES, problem)
        else:
            yield Finding(_BOUNDARIES, State.OK, f"{len(found.codes):,} areas in {path}")


def _kept(home: Home, settings: CoordinatorSettings, web: WebSettings) -> Iterator[Finding]:
    """What the site's database says: whether it can be used, and who may approve."""
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.drafts.models import DRAFTS

    file = home.drafts_file(settings)
    if file is not None and not file.exists():
        yield Finding(_DATABASE, State.OK, "there is none yet; the site makes it when it starts")
        yield from _approvers(settings, web, {})
        return
    database = Database(home.drafts_url(settings), DRAFTS, read_only=True)
    try:
        finding, has_accounts = _versions(database)
        yield finding
        if finding.ok:
            yield from _approvers(settings, web, _accounts(database) if has_accounts else {})
    except Problem as problem:
        yield failed(_DATABASE, problem)
    finally:
        database.close()


def _versions(database: Database) -> tuple[Finding, bool]:
    """Whether this program can use the tables, and whether there are accounts among them."""
    from folkmoot_coordinator.viewer.keys.models import API_KEYS
    from folkmoot_operator.sql_database import LATER
    from folkmoot_web.database.models import KIT

    with database.connection(writes=False) as connection:
        found = {tables: tables.version(connection) for tables in (KIT, API_KEYS)}
    later = [
        f"{tables.name} {version}; this program knows up to {tables.newest}"
        for tables, version in found.items()
        if version is not None and version > tables.newest
    ]
    has_accounts = found[KIT] is not None
    if later:
        what = f"its tables have later versions: {', '.join(later)}"
        return Finding(_DATABASE, State.FAIL, what, LATER), has_accounts
    what = database.address
    if any(version != tables.newest for tables, version in found.items()):
        what += "; the site makes or upgrades its tables when it starts"
    return Finding(_DATABASE, State.OK, what), has_accounts


def _accounts(database: Database) -> dict[str, tuple[str, ...]]:
    """Roles of those who may sign in, by name."""
    from sqlalchemy import select

    from folkmoot_web.database.models import AccountRow

    able = select(AccountRow.name, AccountRow.roles).where(AccountRow.is_disabled.is_(False))
    with database.reading() as session:
        return {row.name: tuple(row.roles.splitlines()) for row in session.execute(able)}


def _approvers(
    settings: CoordinatorSettings, web: WebSettings, accounts: dict[str, tuple[str, ...]]
) -> Iterator[Finding]:
    from folkmoot_coordinator.viewer.permissions import PERMISSIONS, Right

    if settings.rounds.second_person is False:
        what = "none are needed: second_person = false, so one person alone asks the councils"
        yield Finding(_APPROVERS, State.OK, what)
        return
    able = {name for name, roles in accounts.items() if Right.APPROVE in PERMISSIONS.of(roles)}
    named = {name.casefold() for name in settings.rounds.approvers}
    if len(named) == 1:
        yield Finding(
            _APPROVERS,
            State.WARN,
            f"rounds.approvers names {settings.rounds.approvers[0]} alone, whose own questions "
            "nobody can approve",
            "Name a second account",
        )
    if named:
        able &= named
    if able:
        yield Finding(_APPROVERS, State.OK, f"{len(able)} may approve questions on the site")
    elif web.sign_in.openid is not None:
        yield Finding(_APPROVERS, State.OK, "the organisation's accounts say who may approve")
    else:
        whom = " that rounds.approvers names" if named else ""
        yield Finding(
            _APPROVERS,
            State.WARN,
            f"no account of the site{whom} may approve questions: those asked there wait for "
            "`folkmoot-coordinator round approve`",
            "Run `folkmoot-coordinator accounts add NAME --role approver`, or `accounts roles` "
            "for an account that is there",
        )
