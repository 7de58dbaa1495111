"""One digest for the files of a distribution, whether they lie in a wheel or are installed.

What an installer writes beside them is left out: it differs from one computer to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

SHA256 = "sha256:"
"""How digests begin, in settings and documents."""
CACHE = "__pycache__"
"""Folders that Python fills by itself. What lies there is not digested, so a confined process
must not read it: it sets `sys.pycache_prefix` before it imports a plugin."""
WRITTEN_BY_INSTALLERS = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
)
"""Files in `*.dist-info` that installers write. Nothing of them is run."""
_DOMAIN = b"folkmoot plugin content 1\n"
_ABOUT = ".dist-info"


def digest_of_files(files: Mapping[str, str]) -> str:
    """The digest of a set of files, `sha256:` and 64 hexadecimal digits.

    Args:
        files: SHA-256 of each, hexadecimal, by its path in the folder of packages.
    """
    whole = hashlib.sha256(_DOMAIN)
    for path in sorted(files):
        whole.update(f"{files[path]} {len(path.encode())} {path}\n".encode())
    return SHA256 + whole.hexdigest()


def counts(path: str) -> bool:
    """Whether a file of a distribution is part of its content.

    Args:
        path: Its path in the folder of packages, with `/`.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith(("/", "..")) or CACHE in parts:
        return False
    in_about = len(parts) == 2 and parts[0].endswith(_ABOUT)
    return not (in_about and parts[1] in WRITTEN_BY_INSTALLERS)
