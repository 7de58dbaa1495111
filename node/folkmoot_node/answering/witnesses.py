"""Witnesses of the ledger's head: folders that the node fills, and heads of other councils.

After each visit at which something was paid for, the signed head is left in every folder of
`[ledger] witnesses`. At each visit, before anything else, the newest there is compared with the
ledger: a node whose files are older stops, also if the coordinator hides what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from folkmoot_node.evidence.restored import last_restore
from folkmoot_node.evidence.witnessed_head import WitnessedHead
from folkmoot_node.home import NodeHome
from folkmoot_operator.accounts import Operator
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import unusable

SUFFIX = ".head"
_OTHERS = "witnessed"


def signed_head(home: NodeHome) -> WitnessedHead:
    """The head of this node's ledger, signed now."""
    return WitnessedHead.sign(home.state, str(home.config.council), home.clock(), home.keys.folder)


def leave_head(home: NodeHome) -> Iterator[str]:
    """Leaves the signed head in each folder of witnesses, unless the newest there is the same.

    Yields:
        What is in the way, as sentences: a witness that cannot be reached stops no visit.
    """
    if not home.config.witnesses or not home.ledger.debits():
        return
    made = signed_head(home)
    name = _file_name(made)
    for folder in home.config.witnesses:
        try:
            newest = newest_head(folder, made.council)
            if newest is None or newest.ledger != made.ledger:
                write_private(folder / name, str(made).encode(), replace=True)
        except (OSError, Problem) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            yield f"the ledger's head could not be left with the witness {folder}: {said}"


def newest_head(folder: Path, council: str) -> WitnessedHead | None:
    """The newest head of a council in a folder; None if there is none.

    Raises:
        Problem: Exit code VERIFICATION, if it was changed, or has the name of another moment: who
            may add to the share, though not delete there, could put an old head above the newest;
            UNREACHABLE, if it cannot be read.
    """
    try:
        names = [path for path in folder.iterdir() if path.name.startswith(f"{council}-")]
        found = sorted((path for path in names if path.name.endswith(SUFFIX)), key=_order)
        text = read_short_file(found[-1]) if found else None
    except OSError as error:
        raise unusable(error, folder, "the folder of a witness") from None
    if text is None:
        return None
    head = WitnessedHead.parse(text.decode("utf-8", errors="replace"), str(found[-1]))
    if head.council != council:
        raise Problem(
            f"is a head of {head.council} under the name of {council}",
            where=str(found[-1]),
            remedy="Find out who put it there",
            exit_code=ExitCode.VERIFICATION,
        )
    if found[-1].name != _file_name(head):
        raise Problem(
            f"is the head of {head.at} under another name",
            where=str(found[-1]),
            remedy="Find out who put it there, and delete it",
            exit_code=ExitCode.VERIFICATION,
        )
    return head


def require_witnessed(home: NodeHome) -> None:
    """Checks the ledger against the newest head that each witness has.

    Raises:
        Problem: Exit code VERIFICATION, if something is missing here; as `unusable`, if these
            files were restored, have not been compared, and a witness cannot be read.
    """
    last = last_restore(home.state)
    for folder in home.config.witnesses:
        try:
            head = newest_head(folder, str(home.config.council))
        except Problem as problem:
            waits = last is not None and not last.is_compared
            if waits or problem.exit_code is ExitCode.VERIFICATION:
                raise
            continue
        if head is not None:
            head.require(home.state, home.keys.folder)


def store_head(home: NodeHome, head: WitnessedHead, by: Operator) -> None:
    """Keeps the head of another council, in place of an older one, and records it.

    Args:
        home: The node.
        head: The head.
        by: Who brought it.

    Raises:
        Problem: Exit code VERIFICATION, if the council's ledger went back or the key is another.
    """
    before = stored_head(home, head.council)
    if before is not None:
        shorter = head.ledger.length < before.ledger.length
        other = head.ledger.length == before.ledger.length and head.ledger != before.ledger
        what = ""
        if head.key != before.key:
            what = "is signed with another key than the one before"
        elif shorter or other or head.spent.nano < before.spent.nano:
            what = f"is not what {head.council} said on {before.at}: its ledger went back"
        if what:
            raise Problem(
                what,
                where=f"head of {head.council}",
                remedy=f"Ask that council, by telephone, whether it restored a backup. If all is "
                f"well, delete {_stored(home, head.council)} and store the new one",
                exit_code=ExitCode.VERIFICATION,
            )
    path = _stored(home, head.council)
    make_private_folder(path.parent)
    write_private(path, str(head).encode(), replace=True)
    with home.state.transaction() as connection:
        body = {"action": "head witnessed", **by.as_body(), "council": head.council,
                "head": str(head.ledger)}  # fmt: skip
        home.audit.append(connection, home.clock(), body)


def stored_head(home: NodeHome, council: str) -> WitnessedHead | None:
    """The head of another council that was stored here; None if none was."""
    path = _stored(home, council)
    try:
        text = read_short_file(path).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    return WitnessedHead.parse(text, str(path))


def _file_name(head: WitnessedHead) -> str:
    return f"{head.council}-{head.at.replace(':', '')}-{head.ledger.length}{SUFFIX}"


def _order(path: Path) -> tuple[str, int, str]:
    """Sorts by moment, then by the ledger's length as a number."""
    moment, _, length = path.name.removesuffix(SUFFIX).rpartition("-")
    return moment, int(length) if length.isascii() and length.isdecimal() else 0, path.name


def _stored(home: NodeHome, council: str) -> Path:
    return home.config.home / _OTHERS / f"{council}{SUFFIX}"
