"""Damaged key files end commands and doctor with a message that leads to an end.

Nothing here may end in a trace, in the abort of the process (gRPC and DuckDB do that when they are
given what nobody has looked at), or in two remedies that send people from one to the other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.commands import run_inside
from tests.forked_commands import fork
from tests.night import by_night
from tests.wire.coordinator.conftest import Region, stopped_region
from tests.wire.node.stage import Stage, scored_home, stage

__all__ = ["scored_home", "stage", "stopped_region"]


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
         password: bytes | None = None) -> bytes:  # fmt: skip
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def _damages(whole: bytes) -> dict[str, bytes | Callable[[Path], None]]:
    begun, ended = b"-----BEGIN PRIVATE KEY-----\n", b"-----END PRIVATE KEY-----\n"
    return {
        "empty": b"",
        "blank": b"\n\n \n",
        "cut": whole[: len(whole) // 2],
        "cut at its end": whole[:-30],
        "binary": bytes(range(256)) * 8,
        "text": "pas une clé\n".encode(),
        "twice": whole + whole[: len(whole) // 2],
        "one letter": whole[:40] + (b"B" if whole[40:41] == b"A" else b"A") + whole[41:],
        "encrypted": _pem(ec.generate_private_key(ec.SECP256R1()), b"secret"),
        "RSA": _pem(rsa.generate_private_key(65537, 2048)),
        "another curve": _pem(ec.generate_private_key(ec.SECP521R1())),
        "Ed25519": _pem(ed25519.Ed25519PrivateKey.generate()),
        "promises gigabytes": begun + b"MIT/////////////////////////\n" + ended,
        "header alone": begun,
        "long": b"A" * 3_000_000,
        "folder": _folder,
        "pipe": _pipe,
    }


def _lay(path: Path, damage: bytes | Callable[[Path], None]) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    if callable(damage):
        damage(path)
    else:
        path.write_bytes(damage)
        path.chmod(0o600)


FULLY = ("node.key", "store.key", "authority.key")
"""Files that meet every damage; the others are read by the same code."""
EVERYWHERE = ("empty", "cut", "binary", "RSA", "promises gigabytes", "folder", "pipe")
FOR_DOCTOR = ("empty", "encrypted", "folder")
"""Damages that doctor is shown, too, which looks at much else; of the others the first alone."""


def _try_all(program: str, home: Path, file: Path, commands: list[list[str]]) -> None:
    """Runs commands against each damage of a file; prints what is not as it should be."""
    os.chdir(home.parent)  # where invitations go
    whole = file.read_bytes()
    for name, damage in _damages(whole).items():
        if name not in EVERYWHERE and file.name not in FULLY:
            continue
        _lay(file, damage)
        for_doctor = FOR_DOCTOR if file.name in FULLY else FOR_DOCTOR[:1]
        for command in commands if name in for_doctor else commands[:1]:
            done = run_inside(program, *command, "--home", home)
            said = done.stdout + done.stderr
            told = str(file.name) in said and done.code == 3
            # Another key of the right kind is no damage; what it does not fit says so.
            harmless = done.code in {0, 3, 4} and name in {"twice", "one letter", "Ed25519"}
            if not (told or harmless) or "fault" in said or "Traceback" in said:
                print(f"{file.name} {name} {command}: {done.code}\n{said}")
    _lay(file, whole)


NODE_FILES = {
    "node.key": [["rounds", "list"], ["doctor", "--offline"]],
    "region-ca.crt": [["rounds", "list"], ["doctor", "--offline"]],
    "policy-signing.pub": [["policy", "verify"], ["doctor", "--offline"]],
    "policy-signing.key": [["policy", "sign", "--signer", "Tester"]],
    "store.key": [["explain", "100000000001"], ["doctor", "--offline"]],
    "node.crt": [["rounds", "list"], ["doctor", "--offline"]],
    "coordinator-signing.pub": [["rounds", "list"], ["doctor", "--offline"]],
}
"""The last two are read as others before them: at night."""


@pytest.mark.parametrize("name", by_night(NODE_FILES, by_day=5))
def test_a_node_says_which_key_is_damaged(name: str, stage: Stage) -> None:
    file = stage.home / "keys" / name
    done = fork(_try_all, "folkmoot-node", stage.home, file, NODE_FILES[name], seconds=120)
    assert (done.code, done.stdout) == (0, ""), done.stderr


COORDINATOR_FILES = {
    "signing.key": [["invite", "E08000009"], ["doctor"]],
    "authority.key": [["invite", "E08000009"], ["doctor"]],
    "authority.pem": [["invite", "E08000009"], ["doctor"]],
}


@pytest.mark.parametrize("name", COORDINATOR_FILES)
def test_a_coordinator_says_which_key_is_damaged(name: str, stopped_region: Region) -> None:
    home = stopped_region.home
    arguments = "folkmoot-coordinator", home.path, home.keys / name, COORDINATOR_FILES[name]
    done = fork(_try_all, *arguments, seconds=120)
    assert (done.code, done.stdout) == (0, ""), done.stderr


def test_the_remedy_for_the_stores_key_leads_to_new_scores(stage: Stage) -> None:
    """`init` refuses where there is a node, and `score` needed the key: a circle."""
    home, key = stage.home, stage.home / "keys" / "store.key"
    key.write_bytes(b"")
    done = run_inside("folkmoot-node", "score", "--home", home)
    assert done.code == 3
    assert "move the key" in done.stderr
    key.rename(home / "key.aside")
    assert run_inside("folkmoot-node", "score", "--home", home).code == 3, "the store is there yet"
    (home / "store").rename(home / "store.aside")
    assert run_inside("folkmoot-node", "score", "--home", home).code == 0


def test_the_remedy_for_the_signers_public_key_leads_to_a_signed_policy(stage: Stage) -> None:
    home, public = stage.home, stage.home / "keys" / "policy-signing.pub"
    before = public.read_bytes()
    public.write_bytes(b"no key")
    done = run_inside("folkmoot-node", "policy", "verify", "--home", home)
    assert "policy sign" in done.stderr
    public.unlink()
    signed = run_inside("folkmoot-node", "policy", "sign", "--signer", "Tester", "--home", home)
    assert (signed.code, public.read_bytes()) == (0, before)
    assert run_inside("folkmoot-node", "policy", "verify", "--home", home).code == 0


def test_prefects_interface_never_stands_open(tmp_path: Path) -> None:
    from folkmoot_operator.prefect_process import password

    made = password(tmp_path)
    assert password(tmp_path) == made
    for damaged in (b"", b"\n", b"folkmoot:", b"\xff\xfe", made[:12].encode()):
        (tmp_path / "auth").write_bytes(damaged)
        again = password(tmp_path)
        assert len(again) == len(made)
        assert again != made
