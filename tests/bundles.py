"""Small bundles, made and signed as the real ones are, and the installer that is run on them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bundling.manifest import MANIFEST, SIGNATURE, write_manifest
from bundling.roles import Role
from bundling.wheels import sha256
from tests.wheels import make_wheel

ROOT = Path(__file__).resolve().parents[1]
INSTALLER = ROOT / "bundling" / "install.sh"
PYTHON = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
COMMAND = "folkmoot-plugin"
STARTS = 'def main():\n    print("it starts")\n'


def write_public_key(key: Ed25519PrivateKey, path: Path) -> Path:
    """Writes a public key as the maker of a bundle gives it."""
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def small_bundle(
    folder: Path,
    key: Ed25519PrivateKey,
    version: str = "1.0.0",
    *,
    role: str = "vendor",
    program: str = STARTS,
    pip: Path | None = None,
) -> Path:
    """Makes a bundle of one wheel, which brings a command.

    Args:
        folder: Where it goes; it must not be there.
        key: Signs it.
        version: What it says it is.
        role: What it says it is for.
        program: The module of the command, with a function `main`.
        pip: The wheel of pip; without it the bundle can be checked, and not installed.
    """
    (folder / "wheels").mkdir(parents=True)
    (folder / "requirements").mkdir()
    points = f"[console_scripts]\n{COMMAND} = small:main\n"
    make_wheel(folder / "wheels", "folkmoot_small", {"small.py": program}, points)
    extra = make_wheel(folder / "wheels", "folkmoot_more", {"more.py": "MORE = 1\n"})
    if pip is not None:
        shutil.copy(pip, folder / "wheels")
    lines = {
        path: f"{path.name.split('-')[0]}=={path.name.split('-')[1]} --hash=sha256:{sha256(path)}\n"
        for path in (folder / "wheels").iterdir()
    }
    base = sorted(line for path, line in lines.items() if path != extra)
    (folder / "requirements" / "base.txt").write_text("".join(base))
    (folder / "requirements" / "more.txt").write_text("".join(sorted(lines.values())))
    (folder / "sbom.cdx.json").write_text("{}\n")
    shutil.copy(INSTALLER, folder)
    write_manifest(folder, Role(role, ("folkmoot-small",), (COMMAND,)), version, ["more"], key)
    return folder


def sign_again(bundle: Path, key: Ed25519PrivateKey, **changes: object) -> None:
    """Changes what a manifest says, and signs that."""
    path = bundle / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    (bundle / SIGNATURE).write_bytes(key.sign(path.read_bytes()))


def installer(
    *words: object, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the installer of the repository."""
    return subprocess.run(
        ["sh", str(INSTALLER), *map(str, words)],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
