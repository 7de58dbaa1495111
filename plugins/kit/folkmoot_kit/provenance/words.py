"""Texts and names in signed documents: of bounded length, on one line, and fit to be shown."""

from __future__ import annotations

from typing import Annotated

from packaging.utils import canonicalize_name
from pydantic import AfterValidator, StringConstraints


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("is not one line of text")
    return text


def one_line(text: str) -> str:
    """A text of somebody else on one line, without signs that move what stands beside them."""
    words = " ".join(text.split())
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in words)


def same_words(first: str, second: str) -> bool:
    """Whether two names are the same to a person: case, spaces and full stops aside."""
    return _plain(first) == _plain(second)


def _plain(name: str) -> str:
    return " ".join(name.replace(".", " ").replace(",", " ").casefold().split())


def _normal(name: str) -> str:
    if canonicalize_name(name) != name:
        raise ValueError(f"is to be written {canonicalize_name(name)!r}")
    return name


Line = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_printable)]
"""A text that may be empty."""
Words = Annotated[Line, StringConstraints(min_length=1)]
"""A text that says something."""
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9-]+$"),
    AfterValidator(_normal),
]  # fmt: skip
"""Name of a distribution, normalised."""
Version = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9a-z.!+]{0,63}$")]
"""Version of a distribution."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""Digest of a file or of files."""
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Ed25519 public key, hexadecimal."""
KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 of a public key, hexadecimal."""
Path = Annotated[Line, StringConstraints(min_length=1, max_length=240)]
"""Path of a file in a wheel or a registry, with `/`."""
