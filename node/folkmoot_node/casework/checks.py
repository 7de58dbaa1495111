"""Whether casework can be served, and what whoever answers for it should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select

from folkmoot_node.casework.authority.conflicts import conflicts_of, conflicts_of_accounts
from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.authority.signed_policy import (
    RENEWAL,
    load_own_policy,
    load_signed_policy,
)
from folkmoot_node.casework.desk import TABLES
from folkmoot_node.casework.origin.belonging import require_origin
from folkmoot_node.casework.own_account import how_to_join, not_shared
from folkmoot_node.casework.settings import casework_of, database_path, read_key
from folkmoot_node.casework.site_settings import site_settings
from folkmoot_node.home import NodeHome
from folkmoot_node.policies.risk_policy import WARN_DAYS
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.checks import Check, Finding, State, failed
from folkmoot_operator.groups import is_member
from folkmoot_operator.moments import day
from folkmoot_operator.problems import Problem
from folkmoot_operator.sql_database import LATER
from folkmoot_web.audit import Audit
from folkmoot_web.checks import certificate
from folkmoot_web.database.connection import Database
from folkmoot_web.database.models import KIT, AccountRow
from folkmoot_web.settings import WebSettings

_POLICY, _ROLES, _OWN = "casework policy", "casework roles", "casework account"
_SITE, _CERTIFICATE = "casework site", "casework certificate"
_DATABASE, _LOG, _PEOPLE = "casework database", "casework log", "casework people"
_NEEDED = (
    (Right.AUDIT, "see who looked at what"),
    (Right.RIGHTS, "answer what residents ask"),
)


def casework_checks(home: NodeHome) -> Iterator[Check]:
    """The checks of casework, where it is set up."""
    config = home.config
    yield Check(_POLICY, lambda: _policy(home))
    yield Check(_ROLES, lambda: _roles(config))
    yield Check(_OWN, lambda: _own_account(config))
    yield Check(_SITE, lambda: _site(config, home.clock()))
    yield Check(_DATABASE, lambda: _database(config))


def _policy(home: NodeHome) -> Iterator[Finding]:
    signed = load_signed_policy(home.config)
    last, today = signed.known.policy.sunset, day(home.clock())
    left = (last - today).days
    who = f"signed by {signed.signature.signer}"
    if left < 0:
        what = f"it ended on {last}: residents are answered, and nothing else goes on"
        yield Finding(_POLICY, State.FAIL, what, RENEWAL)
    elif left <= WARN_DAYS:
        yield Finding(_POLICY, State.WARN, f"{who}; it ends in {left} days, on {last}", RENEWAL)
    else:
        yield Finding(_POLICY, State.OK, f"{who}; it goes on until {last}")


def _roles(config: NodeConfig) -> Iterator[Finding]:
    policy = load_own_policy(config).policy
    found = list(conflicts_of(policy))
    remedy = "Decide whether that is meant; rights of two roles keep people apart"
    for text in found:
        yield Finding(_ROLES, State.WARN, text, remedy)
    if not found:
        yield Finding(
            _ROLES, State.OK, f"{len(policy.roles)} roles, none with rights that conflict"
        )


def _own_account(config: NodeConfig) -> Iterator[Finding]:
    group = config.readers
    name = casework_of(config).group
    if group is None or name is None:
        what = "the site runs under the node's account, which reads everything here"
        remedy = (
            "To give it an account of its own: `folkmoot-node casework share GROUP`; see "
            "docs/casework-setup.md"
        )
        yield Finding(_OWN, State.OK, what, remedy)
        return
    if not is_member(group):
        what = f"the node's account is not in the group {name}: it cannot use the log of casework"
        yield Finding(_OWN, State.FAIL, what, how_to_join(name))
    wrong = not_shared(config)
    for one in wrong:
        what = f"{one.path} has not the permissions {one.mode:o} of the group {name}"
        yield Finding(_OWN, State.WARN, what, f"Run `folkmoot-node casework share {name}`")
    if not wrong and is_member(group):
        yield Finding(_OWN, State.OK, f"the group {name} may use what casework needs, and no more")


def _site(config: NodeConfig, now: int) -> Iterator[Finding]:
    web = site_settings(config)
    yield Finding(_SITE, State.OK, f"browsers reach it at {web.origin}")
    restart = "folkmoot-node casework serve"
    yield from certificate(_CERTIFICATE, config.casework_folder, web, now, restart)


def _database(config: NodeConfig) -> Iterator[Finding]:
    web, key = site_settings(config), read_key(config)
    if casework_of(config).database is None and not _has_content(config):
        yield Finding(_DATABASE, State.OK, "there is none yet; the first command makes it")
        return
    assert web.database.url is not None
    database = Database(web.database.url, TABLES, key, read_only=True)
    try:
        finding, is_whole = _versions(database, encrypted=key is not None)
        yield finding
        if is_whole:
            require_origin(config, database)
            head = Audit(database, lambda: 0).verify()
            yield Finding(_LOG, State.OK, f"{head.length} entries, unbroken; its head is {head}")
            yield from _people(load_own_policy(config).policy, web, database)
    except Problem as problem:
        yield failed(_DATABASE, problem)
    finally:
        database.close()


def _has_content(config: NodeConfig) -> bool:
    path = database_path(config)
    return path.exists() and path.stat().st_size > 0


def _versions(database: Database, *, encrypted: bool) -> tuple[Finding, bool]:
    """Whether this program can use the tables, and whether they are all there."""
    with database.connection(writes=False) as connection:
        found = {tables: tables.version(connection) for tables in (KIT, *TABLES)}
    later = [
        f"{tables.name} {version}; this program knows up to {tables.newest}"
        for tables, version in found.items()
        if version is not None and version > tables.newest
    ]
    if later:
        what = f"its tables have later versions: {', '.join(later)}"
        return Finding(_DATABASE, State.FAIL, what, LATER), False
    disk = (
        "encrypted by its key"
        if encrypted
        else "Folkmoot does not encrypt it: the disk of PostgreSQL and its backups have to be"
    )
    what = f"{database.address}; {disk}"
    is_whole = all(version == tables.newest for tables, version in found.items())
    if not is_whole:
        what += "; the next command makes or upgrades its tables"
    return Finding(_DATABASE, State.OK, what), is_whole


def _people(policy: CaseworkPolicy, web: WebSettings, database: Database) -> Iterator[Finding]:
    """Whether somebody may do what has to be done, and who has rights that conflict."""
    able = select(AccountRow.name, AccountRow.roles).where(AccountRow.is_disabled.is_(False))
    with database.reading() as session:
        accounts = {row.name: tuple(row.roles.splitlines()) for row in session.execute(able)}
    warnings = list(conflicts_of_accounts(policy, accounts))
    for text in warnings:
        yield Finding(_PEOPLE, State.WARN, text, "Give one of the roles to somebody else")
    unknown = Counter(
        role for roles in accounts.values() for role in roles if role not in policy.roles
    )
    for role, number in sorted(unknown.items()):
        what = f"{number} accounts have the role {role}, which the policy has not"
        yield Finding(_PEOPLE, State.WARN, what, "Give them others: `casework accounts roles`")
    permissions = policy.permissions()
    if web.sign_in.openid is None:
        for right, what in _NEEDED:
            if not any(right in permissions.of(roles) for roles in accounts.values()):
                warnings.append(what)
                roles = [name for name, role in policy.roles.items() if right in role.may]
                choice = f"--role {roles[0]}" if roles else f"with a role that has `{right}`"
                remedy = f"Run `folkmoot-node casework accounts add NAME {choice}`"
                yield Finding(_PEOPLE, State.WARN, f"nobody may {what}", remedy)
    if not warnings and not unknown:
        yield Finding(_PEOPLE, State.OK, f"{len(accounts)} accounts may sign in")
