"""The manifest of a bundle: what it is and every file in it, and the signature over that.

The signed bytes are the file itself, so that OpenSSL alone can check it. They begin with `{`,
and everything else that Folkmoot signs begins with `folkmoot `: a signature of one is never valid
for the other.
"""

from __future__ import annotations

import json
import re
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from packaging.utils import parse_wheel_filename

from bundling.roles import Role
from bundling.wheels import sha256

KIND = "folkmoot bundle"
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
_COMPILED = 1.25
"""How much more room the files take once Python has compiled them; measured."""
_GLIBC = re.compile(r"manylinux_2_([0-9]+)_")


def write_manifest(
    folder: Path, role: Role, version: str, extras: Iterable[str], key: Ed25519PrivateKey
) -> None:
    """Writes the manifest of a folder and its signature.

    Args:
        folder: The bundle, complete but for these two.
        role: Its role.
        version: Version of Folkmoot.
        extras: What can be installed besides.
        key: Signs it.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    wheels = [path for path in files if path.suffix == ".whl"]
    body = {
        "kind": KIND,
        "format": 1,
        "role": role.name,
        "version": version,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "machine": sysconfig.get_platform().removeprefix("linux-"),
        "glibc": f"2.{max(map(_glibc, wheels), default=0)}",
        "extras": sorted(extras),
        "commands": list(role.commands),
        "installed_bytes": round(sum(map(_unpacked, wheels)) * _COMPILED),
        "files": {
            path.relative_to(folder).as_posix(): {
                "sha256": sha256(path),
                "bytes": path.stat().st_size,
            }
            for path in files
        },
    }
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    (folder / SIGNATURE).write_bytes(key.sign(manifest.read_bytes()))


def _glibc(wheel: Path) -> int:
    """The oldest minor version of glibc 2 that a wheel runs with; 0 if it asks for none."""
    tags = parse_wheel_filename(wheel.name)[3]
    asked = [int(found[1]) for tag in tags if (found := _GLIBC.match(tag.platform))]
    return min(asked, default=0)


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as archive:
        return sum(member.file_size for member in archive.infolist())
