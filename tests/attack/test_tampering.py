"""Evidence that somebody has changed who can write to the node's state file.

The node has answered real rounds, over TLS, from a coordinator that signs. Each tampering is done
by somebody who knows the file: it takes the triggers away and puts them back, and recomputes the
hash chain where that helps. `ledger verify` ends with exit code 7 and names the place.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import shutil
import sqlite3
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, ask, ask_for_approval, set_up
from typer.testing import CliRunner

from folkmoot import answer_codec, round_codec
from folkmoot.release import NoisyCounts, release_digest
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN
from folkmoot.v1 import collection_pb2
from folkmoot_coordinator.signing import SigningKey
from folkmoot_node.answering.visit import poll
from folkmoot_node.cli import app
from folkmoot_node.home import open_home
from folkmoot_operator.hash_chain import PRUNED
from folkmoot_operator.problems import ExitCode, Problem

Tampering = Callable[[sqlite3.Connection], None]
FIRST, SECOND, REFUSED, PENDING, LOST = (f"{number:032x}" for number in range(1, 6))
ZEROS = bytes(64)


def command(home: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


@pytest.fixture(scope="module")
def answered(scored_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a node that has released, refused, recovered, and has an answer to deliver."""
    folder = tmp_path_factory.mktemp("answered")
    with set_up(scored_home, folder) as stage:
        backup = folder / "backup"
        shutil.copytree(stage.home, backup)
        _ask(stage, 5)
        _visit(stage)  # its answer will have left, and be in no file
        shutil.rmtree(stage.home)
        shutil.copytree(backup, stage.home)
        with pytest.raises(Problem):
            _visit(stage)
        command(stage.home, "ledger", "recover", "--yes")
        stage.coordinator.rounds.clear()
        ask_for_approval(stage)
        _ask(stage, 1, 2)
        command(stage.home, "rounds", "list")
        command(stage.home, "approve", FIRST)
        command(stage.home, "release", FIRST)
        command(stage.home, "approve", SECOND)
        _ask(stage, 3, purpose="something_else")
        _visit(stage)
        _ask(stage, 4)
        command(stage.home, "rounds", "list")
        command(stage.home, "approve", PENDING)
        stage.coordinator.fail_submissions = 5
        with open_home(stage.home) as home, home.connect() as client, pytest.raises(Problem):
            list(poll(home, client))
        with closing(sqlite3.connect(stage.home / "state.sqlite")) as state:
            state.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield stage.home


def _ask(stage: Stage, *numbers: int, **changes: object) -> None:
    stage.coordinator.rounds += [
        round_codec.encode_round(ask(number, **changes)) for number in numbers
    ]


def _visit(stage: Stage) -> None:
    with open_home(stage.home) as home, home.connect() as client:
        list(poll(home, client))


@pytest.fixture
def home(answered: Path, tmp_path: Path) -> Path:
    """A copy of that home, to be tampered with."""
    copy = tmp_path / "home"
    shutil.copytree(answered, copy)
    return copy


@contextmanager
def guards_off(home: Path) -> Iterator[sqlite3.Connection]:
    """The state file without its triggers, which are put back as they were."""
    with closing(sqlite3.connect(home / "state.sqlite")) as state, state:
        kept = state.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = kept.fetchall()
        for name, _ in triggers:
            state.execute(f"DROP TRIGGER {name}")
        yield state
        for _, sql in triggers:
            state.execute(sql)


def rewrite(
    state: sqlite3.Connection, log: str, change: Callable[[int, dict[str, Any]], bool]
) -> None:
    """Changes bodies, drops those for which `change` gives False, and chains the rest anew."""
    rows = state.execute(f"SELECT sequence, at, body FROM {log} ORDER BY sequence").fetchall()
    state.execute(f"DELETE FROM {log}")
    previous, number = bytes(32), 1
    for sequence, at, text in rows:
        body = json.loads(text)
        if not change(sequence, body):
            continue
        written = json.dumps(body, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(previous + f"{number}\n{at}\n{written}\n".encode()).digest()
        row = (number, at, written, previous, digest)
        state.execute(f"INSERT INTO {log} VALUES (?, ?, ?, ?, ?)", row)
        previous, number = digest, number + 1


def entries(state: sqlite3.Connection, log: str) -> list[tuple[int, dict[str, Any]]]:
    rows = state.execute(f"SELECT sequence, body FROM {log} ORDER BY sequence")
    return [(sequence, json.loads(text)) for sequence, text in rows]


def last_but(state: sqlite3.Connection, log: str, kept: int) -> None:
    """Cuts off the newest entries, so that so many stay."""
    state.execute(f"DELETE FROM {log} WHERE sequence > ?", (kept,))


def sql(*statements: str) -> Tampering:
    """Changes what statements say; `{FIRST}` and the like are ids of rounds."""

    def tamper(state: sqlite3.Connection) -> None:
        for statement in statements:
            rounds = {"FIRST": FIRST, "SECOND": SECOND, "REFUSED": REFUSED}
            named = {**rounds, "PENDING": PENDING, "LOST": LOST}
            for name, round_id in named.items():
                statement = statement.replace(f"{{{name}}}", f"'{round_id}'")
            assert state.execute(statement).rowcount > 0

    return tamper


def cut(log: str, kept: int) -> Tampering:
    """Cuts off the newest entries of a log, so that so many stay."""
    return lambda state: last_but(state, log, kept)


def set_column(table: str, column: str, value: object, round_id: str = FIRST) -> Tampering:
    def tamper(state: sqlite3.Connection) -> None:
        done = state.execute(
            f"UPDATE {table} SET {column} = ? WHERE round_id = ?", (value, round_id)
        )
        assert done.rowcount == 1

    return tamper


def frames_of(state: sqlite3.Connection, round_id: str) -> list[bytes]:
    (packed,) = state.execute(
        "SELECT frames FROM outbox WHERE round_id = ?", (round_id,)
    ).fetchone()
    frames, at = [], 0
    while at < len(packed):
        size = int.from_bytes(packed[at : at + 4], "big")
        frames.append(packed[at + 4 : at + 4 + size])
        at += 4 + size
    return frames


def store_frames(state: sqlite3.Connection, round_id: str, frames: list[bytes]) -> None:
    packed = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
    state.execute("UPDATE outbox SET frames = ? WHERE round_id = ?", (packed, round_id))


def other_counts(state: sqlite3.Connection) -> None:
    """Other counts in the answer, with a digest that fits, everywhere in the outbox."""
    first, *rest = map(collection_pb2.SubmitRequest.FromString, frames_of(state, FIRST))
    header = answer_codec.decode_header(first)
    release = answer_codec.decode_release(header, rest, header.cells)
    values = array("q", release.counts.values)
    values[0] += 1000
    changed = dataclasses.replace(release, counts=NoisyCounts(values))
    written = [
        part.SerializeToString() for part in answer_codec.encode_release(changed, header.protocol)
    ]
    store_frames(state, FIRST, written)
    state.execute(
        "UPDATE outbox SET answer_digest = ? WHERE round_id = ?", (release_digest(changed), FIRST)
    )


def hidden_field(state: sqlite3.Connection) -> None:
    """A field that nobody knows, in a message of the answer: room for a message of one's own."""
    frames = frames_of(state, FIRST)
    frames[0] += b"\xfa\x3f\x04evil"
    store_frames(state, FIRST, frames)


def another_loss(state: sqlite3.Connection) -> None:
    """The ledger has a tenth of what was spent, in a chain that fits."""

    def cheaper(_: int, body: dict[str, Any]) -> bool:
        if body["round_id"] == SECOND:
            body["rho_nano"] //= 10
        return True

    rewrite(state, "ledger", cheaper)


def no_debit(state: sqlite3.Connection) -> None:
    rewrite(state, "ledger", lambda _, body: body["round_id"] != SECOND)


def all_gone(state: sqlite3.Connection) -> None:
    """Answer, debit and round, as if they had never been: the egress log knows better."""
    no_debit(state)
    state.execute("DELETE FROM outbox WHERE round_id = ?", (SECOND,))
    state.execute("DELETE FROM rounds WHERE round_id = ?", (SECOND,))


def rechained(log: str, change: Callable[[dict[str, Any]], None]) -> Tampering:
    def each(_: int, body: dict[str, Any]) -> bool:
        change(body)
        return True

    return lambda state: rewrite(state, log, each)


def another_destination(body: dict[str, Any]) -> None:
    body["destination"] = "elsewhere:1"


def another_person(body: dict[str, Any]) -> None:
    body["by"] = "nobody"


def cut_before_the_release(log: str) -> Tampering:
    """Cuts a log to where it was before the second release was paid for."""

    def cut(state: sqlite3.Connection) -> None:
        noted = [body["heads"][log] for _, body in entries(state, "ledger")]
        last_but(state, log, int(noted[-1].split(":")[0]) - 1)

    return cut


def no_submission(state: sqlite3.Connection) -> None:
    """Takes one departure out of the egress log, and the ledger's heads of it with it."""
    rewrite(
        state,
        "egress",
        lambda _, body: not (body["round_id"] == FIRST and body["method"].endswith("Submit")),
    )


def pruned(log: str) -> Tampering:
    """Takes the first entry of a log out, and says that a rule has done that."""

    def tamper(state: sqlite3.Connection) -> None:
        (first,) = state.execute(f"SELECT digest FROM {log} WHERE sequence = 1").fetchone()
        last = state.execute(
            f"SELECT sequence, at, digest FROM {log} ORDER BY sequence DESC LIMIT 1"
        )
        sequence, at, previous = last.fetchone()
        state.execute(f"DELETE FROM {log} WHERE sequence = 1")
        body = {"action": PRUNED, "rule": "old", "gaps": [[1, 1, first.hex()]]}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        number = sequence + 1
        digest = hashlib.sha256(previous + f"{number}\n{at}\n{text}\n".encode()).digest()
        row = (number, at, text, previous, digest)
        state.execute(f"INSERT INTO {log} VALUES (?, ?, ?, ?, ?)", row)

    return tamper


KINDS: dict[str, tuple[Tampering, str]] = {
    "signature of a round": (set_column("rounds", "signature", ZEROS), FIRST),
    "signature of a refused round": (set_column("rounds", "signature", ZEROS, REFUSED), REFUSED),
    "signature of a pending round": (set_column("rounds", "signature", ZEROS, PENDING), PENDING),
    "all signatures of rounds": (sql("UPDATE rounds SET signature = zeroblob(64)"), FIRST),
    "bytes of a round": (set_column("rounds", "serialised", b"\0\0"), FIRST),
    "digest of a round": (set_column("rounds", "round_digest", bytes(32)), FIRST),
    "title beside a round": (set_column("rounds", "title", "Harmless"), FIRST),
    "loss beside a round": (set_column("rounds", "rho_nano", 1), FIRST),
    "deadline beside a round": (set_column("rounds", "deadline", 1), FIRST),
    "purpose beside a round": (set_column("rounds", "purpose", "other"), FIRST),
    "series beside a round": (set_column("rounds", "series_id", "0" * 32), FIRST),
    "who decided": (set_column("rounds", "decided_by", "somebody else"), FIRST),
    "what was decided": (set_column("rounds", "decision", "declined"), FIRST),
    "a decision taken out": (set_column("rounds", "decision", None), FIRST),
    "a decision put in": (
        sql("UPDATE rounds SET decision = 'approved', decided_by = 'x' WHERE round_id = {REFUSED}"),
        REFUSED,
    ),
    "a round deleted": (sql("DELETE FROM rounds WHERE round_id = {FIRST}"), FIRST),
    "a receipt": (set_column("outbox", "receipt", ZEROS), FIRST),
    "signature of a receipt": (set_column("outbox", "receipt_signature", ZEROS), FIRST),
    "signature of the receipt of a refusal": (
        set_column("outbox", "receipt_signature", ZEROS, REFUSED), REFUSED,
    ),
    "signature of the receipt of a recovered answer": (
        set_column("outbox", "receipt_signature", ZEROS, LOST), LOST,
    ),
    "receipt of a recovered answer removed": (set_column("outbox", "receipt", None, LOST), LOST),
    "receipt removed, its signature left": (set_column("outbox", "receipt", None), FIRST),
    "receipt of another round": (
        sql(
            "UPDATE outbox SET (receipt, receipt_signature) = (SELECT receipt, receipt_signature "
            "FROM outbox WHERE round_id = {SECOND}) WHERE round_id = {FIRST}"
        ),
        FIRST,
    ),
    "signatures of round and receipt": (
        sql(
            "UPDATE rounds SET signature = zeroblob(64), first_seen = 1 WHERE round_id = {FIRST}",
            "UPDATE outbox SET receipt_signature = zeroblob(64) WHERE round_id = {FIRST}",
        ),
        FIRST,
    ),
    "digest of an answer": (set_column("outbox", "answer_digest", bytes(32)), FIRST),
    "messages of an answer": (set_column("outbox", "frames", b"\0\0\0\2ab"), FIRST),
    "messages of an answer, cut": (
        sql(
            "UPDATE outbox SET frames = substr(frames, 1, length(frames) - 3) "
            "WHERE round_id = {PENDING}"
        ),
        PENDING,
    ),
    "messages of an answer, longer": (
        sql(
            "UPDATE outbox SET frames = CAST(frames || x'00000000' AS BLOB) "
            "WHERE round_id = {PENDING}"
        ),
        PENDING,
    ),
    "other counts, with their digest": (other_counts, FIRST),
    "an unknown field in a message": (hidden_field, FIRST),
    "a release called a refusal": (set_column("outbox", "kind", "refusal"), FIRST),
    "a refusal called a release": (set_column("outbox", "kind", "release", REFUSED), REFUSED),
    "reason of a refusal": (set_column("outbox", "reason", 1, REFUSED), REFUSED),
    "the round an answer is to": (set_column("outbox", "round_digest", bytes(32)), FIRST),
    "an answer stored before it was paid for": (set_column("outbox", "stored_at", 1), FIRST),
    "an answer deleted": (sql("DELETE FROM outbox WHERE round_id = {FIRST}"), FIRST),
    "a refusal deleted": (sql("DELETE FROM outbox WHERE round_id = {REFUSED}"), REFUSED),
    "an entry of the ledger": (
        sql("UPDATE ledger SET at = at + 1 WHERE sequence = 1"), "ledger entry 1",
    ),
    "the last entry of the ledger cut off": (cut("ledger", 3), PENDING),
    "the ledger emptied": (cut("ledger", 0), FIRST),
    "another loss in the ledger, chained": (another_loss, SECOND),
    "a debit taken out, chained": (no_debit, SECOND),
    "a recovered loss taken out, chained": (
        lambda state: rewrite(state, "ledger", lambda _, body: body["round_id"] != LOST), LOST,
    ),
    "answer, debit and round taken out": (all_gone, SECOND),
    "an entry of the egress log": (
        sql("UPDATE egress SET at = at + 1 WHERE sequence = 2"), "egress entry 2",
    ),
    "destinations in the egress log, chained": (
        rechained("egress", another_destination), "egress log",
    ),
    "a departure taken out, chained": (no_submission, "egress log"),
    "the egress log cut": (cut_before_the_release("egress"), "egress log"),
    "the egress log emptied": (cut("egress", 0), "egress log"),
    "an entry of the audit log": (
        sql("UPDATE audit SET at = at + 1 WHERE sequence = 1"), "audit entry 1",
    ),
    "people in the audit log, chained": (rechained("audit", another_person), "audit log"),
    "the audit log cut": (cut_before_the_release("audit"), "audit log"),
    "the audit log emptied": (cut("audit", 0), "audit log"),
    "a lost answer and its recovery forgotten": (
        sql("DELETE FROM lost_answers", "DELETE FROM outbox WHERE round_id = {LOST}"), LOST,
    ),
    "signature of a lost answer's receipt": (
        set_column("lost_answers", "receipt_signature", ZEROS, LOST), LOST,
    ),
    "round of a lost answer": (sql("UPDATE lost_answers SET round_id = {SECOND}"), SECOND),
    "looks that a false rule has pruned": (pruned("audit"), "audit entry"),
    "debits that a false rule has pruned": (pruned("ledger"), "ledger entry"),
    "an entry that is no JSON": (
        sql("UPDATE audit SET body = '{' WHERE sequence = 1"), "audit entry 1",
    ),
}  # fmt: skip


def verified(home: Path, *expected: str) -> Problem:
    """The problem with which `ledger verify` ends."""
    heads = [word for head in expected for word in ("--expect", head)]
    done = CliRunner().invoke(app, ["ledger", "verify", *heads, "--home", str(home)])
    assert isinstance(done.exception, Problem), (done.output, done.exception)
    assert done.exception.exit_code is ExitCode.VERIFICATION
    assert str(home / "state.sqlite") in done.exception.where
    return done.exception


def test_what_nobody_has_touched_verifies_and_names_what_was_not_checked(home: Path) -> None:
    done = CliRunner().invoke(app, ["ledger", "verify", "--json", "--home", str(home)])
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert (found["answers"], found["receipts"], found["rounds"]) == (5, 4, 4)
    told = done.stderr.splitlines()
    assert all(line.startswith("NOT CHECKED: ") for line in told)
    assert len(told) == len(found["unchecked"]) == 2
    assert "there are no receipts" in told[0]
    assert "--expect" in told[1]
    again = command(home, "ledger", "verify", "--expect", found["head_of_all_logs"])
    assert "NOT CHECKED: Whether the newest" not in again


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_found_and_the_place_is_named(home: Path, kind: str) -> None:
    tamper, place = KINDS[kind]
    with guards_off(home) as state:
        tamper(state)
    assert place in verified(home).problem


@pytest.mark.parametrize("log", ["ledger", "egress", "audit"])
def test_newest_entries_that_were_cut_off_are_found_by_each_kind_of_head(
    home: Path, log: str
) -> None:
    found = json.loads(command(home, "ledger", "verify", "--json"))
    head = f"{found[log]['entries']}:{found[log]['head']}"
    command(home, "ledger", "verify", "--expect", head, "--expect", f"{log}={head}")
    with guards_off(home) as state:
        last_but(state, log, found[log]["entries"] - 1)
    for expected in (head, f"{log}={head}", found["head_of_all_logs"]):
        assert "cut off or rewritten" in verified(home, expected).problem


def test_a_log_that_was_written_anew_is_found_by_its_head(home: Path) -> None:
    found = json.loads(command(home, "ledger", "verify", "--json"))
    head = f"{found['audit']['entries']}:{found['audit']['head']}"
    with guards_off(home) as state:
        rewrite(state, "audit", lambda _, body: body.update(by="x") is None)
    for expected in (head, f"audit={head}", found["head_of_all_logs"]):
        assert "cut off or rewritten" in verified(home, expected).problem


@pytest.mark.parametrize("guard", ["ledger_keeps", "egress_stays", "outbox_keeps"])
def test_a_trigger_that_is_gone_is_found(home: Path, guard: str) -> None:
    with closing(sqlite3.connect(home / "state.sqlite")) as state, state:
        state.execute(f"DROP TRIGGER {guard}")
    assert guard in verified(home).problem


def test_rounds_and_receipts_signed_by_another_key_are_found(home: Path, tmp_path: Path) -> None:
    """The attacker's own key beside the node's, and everything signed anew with it."""
    folder = tmp_path / "attacker"
    folder.mkdir()
    key = SigningKey.create(folder)
    with guards_off(home) as state:
        rows = state.execute("SELECT round_id, serialised FROM rounds").fetchall()
        for round_id, serialised in rows:
            signature = key.sign(ROUND_SIGNATURE_DOMAIN, serialised)
            set_column("rounds", "signature", signature, round_id)(state)
    assert FIRST in verified(home).problem
    (home / "keys" / "coordinator-signing.pub").write_text(key.public.hex())
    assert "receipt" in verified(home).problem


def test_without_the_key_of_the_coordinator_nothing_passes_for_checked(home: Path) -> None:
    (home / "keys" / "coordinator-signing.pub").unlink()
    assert FIRST in verified(home).problem


def test_many_bytes_changed_at_random_never_pass_unnoticed(home: Path, intensity: int) -> None:
    """Any one byte of what is signed, digested or chained."""
    chosen = random.Random(11)
    columns = [
        ("ledger", "body"), ("ledger", "digest"), ("egress", "body"), ("audit", "body"),
        ("outbox", "frames"), ("outbox", "answer_digest"), ("outbox", "receipt"),
        ("outbox", "receipt_signature"), ("rounds", "serialised"), ("rounds", "signature"),
        ("rounds", "round_digest"), ("lost_answers", "receipt"),
    ]  # fmt: skip
    state_file, original = home / "state.sqlite", home.parent / "original.sqlite"
    shutil.copy(state_file, original)
    for _ in range(20 * intensity):
        table, column = chosen.choice(columns)
        for beside in ("-wal", "-shm"):
            (home / f"state.sqlite{beside}").unlink(missing_ok=True)
        state_file.unlink()
        shutil.copy(original, state_file)
        with guards_off(home) as state:
            rows = state.execute(
                f"SELECT rowid, {column} FROM {table} WHERE length({column}) > 0"
            ).fetchall()
            rowid, value = chosen.choice(rows)
            raw = bytearray(value.encode() if isinstance(value, str) else value)
            raw[chosen.randrange(len(raw))] ^= 1
            changed = raw.decode("latin-1") if isinstance(value, str) else bytes(raw)
            state.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, rowid))
        verified(home)
