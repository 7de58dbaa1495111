"""A backup is opened by its recipients alone, is whole or not there, and takes little memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot_operator.age_encryption import make_key, read_identities
from folkmoot_operator.backup_file import About, Source, read_backup, write_backup
from folkmoot_operator.backup_folder import those_in
from folkmoot_operator.backup_home import restore
from folkmoot_operator.problems import ExitCode, Problem

ABOUT = About(program="folkmoot-node", version="0.1.0", name="E08000009", made_at="2026-11-29")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "backup.key"


@pytest.fixture
def public(key: Path) -> str:
    return make_key(key)


def written(folder: Path, public: str, *more: str, content: bytes = b"x" * 100_000) -> Path:
    (folder / "source").write_bytes(content)
    path = folder / "made.folkmoot-backup"
    path.unlink(missing_ok=True)
    write_backup(path, ABOUT, [Source("a/file", folder / "source")], [public, *more])
    return path


def outcome(path: Path, key: Path) -> ExitCode:
    try:
        read_backup(path, key)
    except Problem as problem:
        return problem.exit_code
    return ExitCode.OK


def test_each_recipient_opens_it_and_nobody_else(key: Path, public: str, tmp_path: Path) -> None:
    other, stranger = tmp_path / "other.key", tmp_path / "stranger.key"
    path = written(tmp_path, public, make_key(other))
    make_key(stranger)
    assert outcome(path, key) == outcome(path, other) == ExitCode.OK
    assert outcome(path, stranger) == ExitCode.SETTINGS


def test_any_change_is_found(key: Path, public: str, tmp_path: Path) -> None:
    path = written(tmp_path, public)
    whole = path.read_bytes()
    for at in range(0, len(whole), len(whole) // 17):
        path.write_bytes(whole[:at])
        assert outcome(path, key) == ExitCode.VERIFICATION, f"cut at {at}"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert outcome(path, key) in {ExitCode.VERIFICATION, ExitCode.SETTINGS}, f"changed at {at}"
    path.write_bytes(whole + b"more")
    assert outcome(path, key) == ExitCode.VERIFICATION


def packed(public: str, *members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    recipient = pyrage.x25519.Recipient.from_str(public)
    return pyrage.encrypt(plain(*members, kind=kind), [recipient])


def plain(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), kind if "home" in name else tarfile.REGTYPE
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_what_a_forger_encrypts_to_a_recipient_gets_nowhere(
    key: Path, public: str, tmp_path: Path
) -> None:
    about = ("about.json", ABOUT.model_dump_json().encode())
    none = ("digests.json", b"{}")
    hostile = {
        "outside": packed(public, about, ("home/../../evil", b"x"), none),
        "absolute": packed(public, about, ("/etc/evil", b"x"), none),
        "absolute in the home": packed(public, about, (f"home/{tmp_path}/evil", b"x"), none),
        "second name": packed(public, about, ("home/./a", b"x"), none),
        "no name": packed(public, about, ("home/", b"x"), none),
        "link": packed(public, about, ("home/link", b""), none, kind=tarfile.SYMTYPE),
        "device": packed(public, about, ("home/device", b""), none, kind=tarfile.CHRTYPE),
        "twice": packed(public, about, ("home/a", b"x"), ("home/a", b"y"), none),
        "digest": packed(public, about, ("home/a", b"x"), none),
        "missing": packed(public, about, ("digests.json", b'{"a": {"sha256": "", "size": 0}}')),
        "digests as a list": packed(public, about, ("digests.json", b"[]")),
        "digests too deep": packed(public, about, ("digests.json", b"[" * 100_000)),
        "after": packed(public, about, none, ("home/a", b"x")),
        "headless": packed(public, ("home/a", b"x"), none),
        "empty": packed(public),
        "no end": packed(public, about, ("home/a", b"x")),
        "no tar": pyrage.encrypt(b"text" * 999, [pyrage.x25519.Recipient.from_str(public)]),
    }
    path, into = tmp_path / "hostile", tmp_path / "in" / "new"
    into.parent.mkdir()
    for what, content in hostile.items():
        path.write_bytes(content)
        with pytest.raises(Problem) as refused:
            restore(path, key, into, begin=lambda _: None, finish=lambda *_: None)
        assert refused.value.exit_code is ExitCode.VERIFICATION, what
        assert list(into.parent.iterdir()) == [], what
        assert not (tmp_path / "evil").exists(), what


@pytest.mark.parametrize(
    "said",
    [
        {"expires": "soon"},
        {"expires": "2026-13-01"},
        {"expires": 1e300},
        {"expires": ["2026-12-01"]},
        {"versions": {"state": 7}},
        {"versions": {"state": "7\x1b[2J"}},
        {"versions": ["state"]},
        {"name": "\x1b]0;owned\x07"},
        {"program": "folkmoot-node\n"},
        {"made_at": "\u202e"},
        {"heads": {"ledger": "\x9b2J"}},
        {"store_key": "\x00"},
        {"left_out": "everything"},
        {"version": None},
        {"format": "1"},
        {"format": 10**400},
    ],
    ids=str,
)
def test_what_a_backup_says_of_itself_is_checked(
    said: dict[str, object], key: Path, public: str, tmp_path: Path
) -> None:
    about = json.dumps(json.loads(ABOUT.model_dump_json()) | said).encode()
    (tmp_path / "wrong").write_bytes(packed(public, ("about.json", about), ("digests.json", b"{}")))
    with pytest.raises(Problem) as refused:
        read_backup(tmp_path / "wrong", key)
    assert refused.value.exit_code in {ExitCode.VERIFICATION, ExitCode.SETTINGS}
    assert refused.value.problem.isprintable()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=8),
    st.integers(0, 8191),
)
def test_an_archive_that_is_no_archive_is_a_problem(
    key: Path, public: str, tmp_path: Path, changes: list[tuple[int, int]], end: int
) -> None:
    """Whoever knows the public key can encrypt anything: it is never a fault of the program."""
    about = ("about.json", ABOUT.model_dump_json().encode())
    whole = bytearray(plain(about, ("home/" + "\u00e9" * 120, b"x"), ("digests.json", b"{}")))
    for at, value in changes:
        whole[at % len(whole)] = value
    recipient = pyrage.x25519.Recipient.from_str(public)
    content = bytes(whole) if end % 2 else bytes(whole[:end])
    (tmp_path / "odd").write_bytes(pyrage.encrypt(content, [recipient]))
    with pytest.raises(Problem):
        read_backup(tmp_path / "odd", key, take=lambda *_: None)


def test_a_later_form_is_named(key: Path, public: str, tmp_path: Path) -> None:
    later = ABOUT.model_copy(update={"format": 2, "version": "9.1.0"})
    (tmp_path / "later").write_bytes(
        packed(public, ("about.json", later.model_dump_json().encode()))
    )
    with pytest.raises(Problem, match=r"9\.1\.0") as refused:
        read_backup(tmp_path / "later", key)
    assert refused.value.exit_code is ExitCode.SETTINGS


def test_a_key_is_never_replaced_nor_used_when_others_can_read_it(key: Path, public: str) -> None:
    with pytest.raises(Problem, match="exists already"):
        make_key(key)
    assert len(read_identities(key)) == 1
    key.chmod(0o640)
    with pytest.raises(Problem, match="other accounts"):
        read_identities(key)


def test_a_restore_never_touches_a_folder_that_is_there(
    key: Path, public: str, tmp_path: Path
) -> None:
    path, into = written(tmp_path, public), tmp_path / "there"
    into.mkdir()
    with pytest.raises(Problem) as refused:
        restore(path, key, into, begin=lambda _: None, finish=lambda *_: None)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert list(into.iterdir()) == []


def test_what_is_wrong_at_the_end_leaves_no_folder(key: Path, public: str, tmp_path: Path) -> None:
    path, into = written(tmp_path, public), tmp_path / "in" / "new"
    into.parent.mkdir()

    def finish(*_: object) -> None:
        raise Problem("no", exit_code=ExitCode.VERIFICATION)

    with pytest.raises(Problem, match="no"):
        restore(path, key, into, begin=lambda _: None, finish=finish)
    assert list(into.parent.iterdir()) == []


def test_a_large_file_takes_little_memory(key: Path, public: str, tmp_path: Path) -> None:
    size = 400 << 20
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    program = f"""
        import resource
        from pathlib import Path
        from folkmoot_operator.backup_file import About, Source, read_backup, write_backup
        folder = Path({str(tmp_path)!r})
        about = About(program="folkmoot-node", version="1", name="x", made_at="now")
        source, path = Source("large", folder / "large"), folder / "large.folkmoot-backup"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        write_backup(path, about, [source], [{public!r}])
        assert read_backup(path, folder / "backup.key").files == 1
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 64 << 10  # KiB
    os.truncate(tmp_path / "large.folkmoot-backup", 1)


def test_what_became_a_link_is_not_followed(key: Path, public: str, tmp_path: Path) -> None:
    (tmp_path / "store.key").write_bytes(b"secret")
    (tmp_path / "source").symlink_to(tmp_path / "store.key")
    path = tmp_path / "made.folkmoot-backup"
    with pytest.raises(Problem):
        write_backup(path, ABOUT, [Source("source", tmp_path / "source")], [public])
    assert not path.exists()


def test_a_file_whose_name_is_no_time_does_not_count(tmp_path: Path) -> None:
    for name in ("E08000009-2026-99-99T9999Z", "E08000009-2026-11-29T1830Z"):
        (tmp_path / f"{name}.folkmoot-backup").write_bytes(b"")
    (found,) = those_in(tmp_path, "E08000009")
    assert found.path.name == "E08000009-2026-11-29T1830Z.folkmoot-backup"
