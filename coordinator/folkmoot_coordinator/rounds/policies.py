"""The policies behind rounds. Councils send a digest alone; the region adds the documents."""

from __future__ import annotations

import codecs
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from folkmoot.catalogue import PluginVersion
from folkmoot.geography import GssCode
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import PolicyRow, RoundRow
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.rounds.policy_structure import PolicyShown, read_policy
from folkmoot_coordinator.rounds.round_store import stored_round
from folkmoot_operator.accounts import Operator
from folkmoot_operator.problems import ExitCode, Problem

ADDED = "policy added"
"""Action of the audit log."""
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """A policy that rounds name, or that the region added.

    Attributes:
        digest: SHA-256 of the document, 32 bytes.
        file_name: Of the document; None while it is not here.
        added_at: Seconds since 1970-01-01T00:00:00Z; None while it is not here.
        rounds: Ids of the rounds that name it, oldest first.
    """

    digest: bytes
    file_name: str | None
    added_at: int | None
    rounds: tuple[str, ...]


def add_policy(
    database: Database,
    content: bytes,
    file_name: str,
    now: int,
    who: Operator | str | None = None,
) -> PolicyShown:
    """Adds the document of a policy that a round names; once added, it stays as it is.

    Args:
        database: Where rounds and documents are.
        content: The bytes of the file: exactly those that the councils have.
        file_name: Of the file.
        now: Seconds since 1970-01-01T00:00:00Z.
        who: An account; None for whoever runs this process.

    Raises:
        Problem: SETTINGS if it is no policy; REFUSED if no round names it.
    """
    shown = read_policy(content, file_name)
    named = _digests_of_rounds(database)
    if shown.digest not in named and _row(database, shown.digest) is None:
        raise Problem(
            f"no round names this document (its SHA-256 is {shown.digest.hex()})",
            where=file_name,
            remedy=_what_differs(content, named),
            exit_code=ExitCode.REFUSED,
        )
    keep_policy(database, content, file_name, now, who)
    return shown


def keep_policy(
    database: Database,
    content: bytes,
    file_name: str,
    now: int,
    who: Operator | str | None = None,
) -> None:
    """Keeps a document that a round is opened with. What is no policy is passed over."""
    try:
        shown = read_policy(content, file_name)
    except Problem:
        return
    with database.writing() as session:
        if session.get(PolicyRow, shown.digest) is not None:
            return
        name = "".join(sign for sign in file_name if sign.isprintable())[:_MAX_NAME]
        session.add(PolicyRow(digest=shown.digest, content=content, file_name=name, added_at=now))
        session.flush()
        audit_log.note(session, now, ADDED, {"digest": shown.digest.hex(), "file": name}, who)


def policy_of(database: Database, digest: bytes) -> PolicyShown | None:
    """The policy with a digest, in parts; None if the region has not added it.

    Raises:
        Problem: VERIFICATION if the stored document does not have its digest.
    """
    row = _row(database, digest)
    if row is None:
        return None
    if hashlib.sha256(row.content).digest() != row.digest:
        raise Problem(
            "the stored document does not have its digest",
            where=f"policy {digest.hex()}",
            remedy="Restore the database from its backup",
            exit_code=ExitCode.VERIFICATION,
        )
    return read_policy(row.content, row.file_name)


def policies(database: Database) -> list[PolicySummary]:
    """All policies that rounds name, those of the newest rounds first, then what else was added."""
    named = _digests_of_rounds(database)
    query = select(PolicyRow.digest, PolicyRow.file_name, PolicyRow.added_at)
    with database.reading() as session:
        added = {row.digest: row for row in session.execute(query.order_by(PolicyRow.added_at))}
    order = [*reversed(named), *(digest for digest in added if digest not in named)]
    return [
        PolicySummary(
            digest,
            added[digest].file_name if digest in added else None,
            added[digest].added_at if digest in added else None,
            tuple(named.get(digest, ())),
        )
        for digest in order
    ]


def find_policy(database: Database, reference: str) -> PolicySummary:
    """The policy whose digest begins so, in hexadecimal digits, or that a round names.

    Args:
        database: Where rounds and documents are.
        reference: Beginning of a digest, or a round's whole id.

    Raises:
        Problem: USAGE, if there is none, or more than one.
    """
    wanted = reference.strip().lower()
    found = [
        one
        for one in policies(database)
        if wanted and (one.digest.hex().startswith(wanted) or wanted in one.rounds)
    ]
    if len(found) == 1:
        return found[0]
    raise Problem(
        "more than one policy begins so" if found else "there is no such policy",
        where=f"policy {reference[:64]!r}",
        remedy="`folkmoot-coordinator policy list` shows the digests",
        exit_code=ExitCode.USAGE,
    )


def plugins_of(
    database: Database, councils: Iterable[GssCode]
) -> Mapping[PluginVersion, tuple[GssCode, ...]]:
    """Plugins that councils score with, by their catalogues, and which councils do.

    Councils that have published no catalogue are in none.
    """
    found: dict[PluginVersion, list[GssCode]] = defaultdict(list)
    for council, catalogue in sorted(catalogues_of(database, councils).items()):
        for plugin in catalogue.plugins:
            found[plugin].append(council)
    return {plugin: tuple(found[plugin]) for plugin in sorted(found)}


def _row(database: Database, digest: bytes) -> PolicyRow | None:
    with database.reading() as session:
        return session.get(PolicyRow, digest)


def _digests_of_rounds(database: Database) -> dict[bytes, list[str]]:
    """Rounds by the policy that they name, oldest first."""
    query = select(RoundRow)
    found: dict[bytes, list[str]] = defaultdict(list)
    with database.reading() as session:
        for row in session.scalars(query.order_by(RoundRow.opened_at, RoundRow.round_id)):
            found[stored_round(row).round_.policy_digest].append(row.round_id)
    return dict(found)


def _what_differs(content: bytes, named: Mapping[bytes, object]) -> str:
    for changed, how in _as_it_may_have_been(content):
        if hashlib.sha256(changed).digest() in named:
            return f"Add the file as the councils have it: {how}"
    return (
        "Add the file that the councils have, byte for byte; "
        "`folkmoot-coordinator policy list` shows the digests that rounds name"
    )


def _as_it_may_have_been(content: bytes) -> Iterator[tuple[bytes, str]]:
    plain = content.replace(b"\r\n", b"\n")
    yield plain, "somebody has changed its line ends"
    yield plain.replace(b"\n", b"\r\n"), "somebody has changed its line ends"
    yield content.removeprefix(codecs.BOM_UTF8), "an editor has put a mark at its beginning"
    yield content.rstrip() + b"\n", "somebody has added empty lines at its end"
    yield content.rstrip(b"\n"), "an editor has added a line end"
