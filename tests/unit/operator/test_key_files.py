"""Private keys that other accounts may read are refused, whatever they are for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.problems import ExitCode, Problem

READ: dict[str, tuple[Callable[[], object], Callable[[KeyFile], object]]] = {
    "ECDSA": (lambda: ec.generate_private_key(ec.SECP256R1()), KeyFile.elliptic_curve_key),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate, KeyFile.ed25519_key),
}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o600, 0o400])
def test_a_key_is_for_its_account_alone(tmp_path: Path, kind: str, mode: int) -> None:
    make, read = READ[kind]
    path = tmp_path / "a key.pem"
    path.write_bytes(
        make().private_bytes(  # type: ignore[attr-defined]
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path.chmod(mode)
    file = KeyFile(path, "the key of a test", "Make another")
    if mode & 0o077:
        with pytest.raises(Problem, match="is open to other accounts") as caught:
            read(file)
        assert caught.value.exit_code is ExitCode.SETTINGS
        assert caught.value.remedy.startswith(f"Run `chmod 600 '{path}'`; if others have read it")
    else:
        assert read(file)
