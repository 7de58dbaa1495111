"""The evidence of a node as files that anybody can read and check without this program.

Logs are one JSON object on each line, with what their digests cover, so that the chain can be
recomputed by whoever reads docs/looking-after.md. Nothing in them is about any household.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.home import NodeHome
from folkmoot_node.policies.signed_document import signature_path
from folkmoot_node.settings.node_toml import FILE_NAME
from folkmoot_operator.hash_chain import GENESIS, entry_digest
from folkmoot_operator.private_files import (
    delete_private,
    make_private_folder,
    put_in_place,
    write_private,
)
from folkmoot_operator.problems import ExitCode, Problem

SUMS = "SHA256SUMS"
"""File of all others' digests, as `sha256sum --check` reads it."""
_LOGS = ("ledger", "egress", "audit")
_CHUNK = 1 << 20


def export_evidence(home: NodeHome, folder: Path) -> None:
    """Writes the evidence into a folder, which is there only once it is whole.

    Args:
        home: The node.
        folder: Where to; what is there already stays as it is.
    """
    if folder.is_dir():
        return
    unfinished = folder.with_name(folder.name + ".unfinished")
    delete_private(unfinished)
    make_private_folder(unfinished)
    for name, content in _texts(home):
        write_private(unfinished / name, content, replace=False)
    _copy_state(home.state, unfinished / "state.sqlite")
    sums = "".join(f"{digest}  {name}\n" for name, digest in digests_of(unfinished).items())
    write_private(unfinished / SUMS, sums.encode(), replace=False)
    put_in_place(unfinished, folder)


def digests_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a folder, hexadecimal, by name."""
    return {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.is_file()}


def heads_of(folder: Path) -> dict[str, Any]:
    """Entries and head of each exported log, by name."""
    found = {}
    for log in _LOGS:
        last = (folder / f"{log}.jsonl").read_text("utf-8").splitlines()[-1:]
        rows = [json.loads(line) for line in last]
        found[log] = {
            "entries": rows[0]["sequence"] if rows else 0,
            "head": rows[0]["digest"] if rows else GENESIS.hex(),
        }
    return found


def check_exported(folder: Path, digests: dict[str, str], heads: dict[str, Any]) -> None:
    """Checks exported files against their digests, and the ledger against its head.

    Args:
        folder: Where they are.
        digests: SHA-256 of each, hexadecimal, by name.
        heads: Entries and head of each log, by name, as a certificate of leaving has them.

    Raises:
        Problem: Exit code VERIFICATION, naming what is missing or was changed.
    """
    found = digests_of(folder)
    wrong = sorted(name for name, digest in digests.items() if found.get(name) != digest)
    if wrong:
        raise _changed(folder, f"missing or not as they were: {', '.join(wrong)}")
    length, head = _recomputed(folder / "ledger.jsonl")
    if {"entries": length, "head": head.hex()} != heads.get("ledger"):
        raise _changed(folder, "the exported ledger does not lead to the head that was signed")


def _texts(home: NodeHome) -> Iterator[tuple[str, bytes]]:
    config = home.config
    for log in _LOGS:
        yield f"{log}.jsonl", _lines(_rows_of_log(home.state, log))
    yield "answers.jsonl", _lines(_answers(home))
    yield "rounds.jsonl", _lines(_rounds(home))
    release = config.release_policy
    for path in (
        config.home / FILE_NAME,
        config.risk_policy,
        release,
        signature_path(release),
        home.keys.certificate,
        home.keys.authority,
        home.keys.coordinator_key,
        home.keys.policy_public_key,
    ):
        if path.is_file():
            yield path.name, path.read_bytes()


def _lines(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode()


def _rows_of_log(state: StateDatabase, log: str) -> Iterator[dict[str, Any]]:
    query = f"SELECT sequence, at, body, previous, digest FROM {log} ORDER BY sequence"  # noqa: S608
    for sequence, at, body, previous, digest in state.reader.execute(query):
        yield {
            "sequence": sequence,
            "at": at,
            "body": body,
            "previous": previous.hex(),
            "digest": digest.hex(),
        }


def _answers(home: NodeHome) -> Iterator[dict[str, Any]]:
    for answer in home.outbox.answers():
        receipt, signature = answer.receipt, answer.receipt_signature
        yield {
            "round_id": answer.round_id,
            "kind": answer.kind.value,
            "answer_digest": answer.digest.hex(),
            "stored_at": answer.stored_at,
            "receipt": receipt.hex() if receipt else None,
            "receipt_signature": signature.hex() if signature else None,
        }


def _rounds(home: NodeHome) -> Iterator[dict[str, Any]]:
    query = (
        "SELECT round_id, round_digest, signature, serialised, decision, decided_by, decided_at "
        "FROM rounds ORDER BY first_seen, round_id"
    )
    for row in home.state.reader.execute(query):
        yield {
            "round_id": row[0],
            "round_digest": row[1].hex(),
            "signature": row[2].hex(),
            "serialised": row[3].hex(),
            "decision": row[4],
            "decided_by": row[5],
            "decided_at": row[6],
        }


def _copy_state(state: StateDatabase, path: Path) -> None:
    """The state file as it is now, in one file without journals."""
    write_private(path, b"", replace=False)
    with closing(sqlite3.connect(path)) as copy:
        state.reader.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def _recomputed(path: Path) -> tuple[int, bytes]:
    previous, length = GENESIS, 0
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        previous = entry_digest(row["sequence"], row["at"], row["body"], previous)
        length += 1
        if row["sequence"] != length or row["digest"] != previous.hex():
            raise _changed(path, f"entry {length} does not fit the chain")
    return length, previous


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        read: Callable[[], bytes] = lambda: file.read(_CHUNK)  # noqa: E731
        for chunk in iter(read, b""):
            digest.update(chunk)
    return digest.hexdigest()


def _changed(where: Path, what: str) -> Problem:
    return Problem(
        f"the exported evidence is not what was signed: {what}",
        where=str(where),
        remedy="Take the copy that was made when the council left",
        exit_code=ExitCode.VERIFICATION,
    )
