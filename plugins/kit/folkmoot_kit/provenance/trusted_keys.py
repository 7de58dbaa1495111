"""Whose signatures count for a council: vendors, reviewers, who runs the kit, and the registry.

The council or the region keeps the list in a file. A key stands in it once and has one part, so
that no signature can count for another.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from folkmoot_kit.provenance.words import Name, Words
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, parse, read

PREFIX = "ed25519:"
"""How a public key begins where people copy it."""
KeyText = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{64}$")]
_FAULT = re.compile(r"(?P<table>[a-z]+)(\[(?P<index>[0-9]+)\])?(\.(?P<key>[a-z_]+))?.*")


class _Trusted(Settings):
    key: KeyText
    until: datetime.date | None = None

    @property
    def key_bytes(self) -> bytes:
        """The public key, 32 bytes."""
        return bytes.fromhex(self.key.removeprefix(PREFIX))

    @property
    def label(self) -> str:
        """Whose key it is, for people."""
        raise NotImplementedError

    def counts(self, today: datetime.date) -> bool:
        """Whether the council still trusts the key on a day."""
        return self.until is None or today <= self.until


class _Named(_Trusted):
    name: Words

    @property
    def label(self) -> str:
        """The name."""
        return self.name


class Vendor(_Named):
    """Who signs manifests.

    Attributes:
        name: The vendor.
        key: The public key.
        until: Last day on which the key is trusted.
        distributions: Names of the plugins that the vendor makes; the key counts for no other.
    """

    distributions: tuple[Name, ...] = Field(min_length=1)


class Reviewer(_Trusted):
    """Who signs reviews, and may sign reports.

    Attributes:
        person: The person.
        organisation: For whom they review.
        key: The public key.
        until: Last day on which the key is trusted.
    """

    person: Words
    organisation: Words

    @property
    def label(self) -> str:
        """Person and organisation."""
        return f"{self.person}, {self.organisation}"


class Reporter(_Named):
    """Who runs the conformance kit and signs its reports.

    Attributes:
        name: Who it is.
        key: The public key.
        until: Last day on which the key is trusted.
    """


class RegistryKey(_Named):
    """The registry that the council follows.

    Attributes:
        name: Who keeps it.
        key: The public key.
        until: Last day on which the key is trusted.
    """


class TrustedKeys(Settings):
    """The file of trusted keys.

    Attributes:
        vendors: Who signs manifests.
        reviewers: Who signs reviews.
        reporters: Who signs reports beside them.
        registry: The registry that the council follows.
    """

    vendors: tuple[Vendor, ...] = ()
    reviewers: tuple[Reviewer, ...] = ()
    reporters: tuple[Reporter, ...] = ()
    registry: RegistryKey

    @model_validator(mode="after")
    def _each_key_once(self) -> Self:
        seen: dict[str, str] = {}
        for where, one in self._all():
            if one.key in seen:
                raise ValueError(
                    f"{where}.key is the key of {seen[one.key]}, too; each key has one part"
                )
            seen[one.key] = where
        return self

    def _all(self) -> Iterator[tuple[str, _Trusted]]:
        for table in ("vendors", "reviewers", "reporters"):
            for index, one in enumerate(getattr(self, table)):
                yield f"{table}[{index}]", one
        yield "registry", self.registry

    def vendor(self, key: bytes) -> Vendor | None:
        """The vendor whose key it is."""
        return next((one for one in self.vendors if one.key_bytes == key), None)

    def reviewer(self, key: bytes) -> Reviewer | None:
        """The reviewer whose key it is."""
        return next((one for one in self.reviewers if one.key_bytes == key), None)

    def reporter(self, key: bytes) -> Reporter | Reviewer | None:
        """Who may sign reports with the key."""
        found = next((one for one in self.reporters if one.key_bytes == key), None)
        return found or self.reviewer(key)


def load_trusted_keys(path: Path) -> TrustedKeys:
    """Reads the file of trusted keys.

    Args:
        path: A TOML file with `[[vendors]]`, `[[reviewers]]`, `[[reporters]]` and `[registry]`.

    Raises:
        Problem: Exit code SETTINGS, naming line and key of all that is wrong.
    """
    content = read(path)
    try:
        return parse(TrustedKeys, content, str(path))
    except Problem as problem:
        line_of = _lines(content.decode("utf-8", "replace"))
        raise Problem(
            "\n".join(line_of(fault) + fault for fault in problem.problem.splitlines()),
            where=problem.where,
            remedy=problem.remedy,
            exit_code=ExitCode.SETTINGS,
        ) from None


def _lines(text: str) -> Callable[[str], str]:
    """Gives the line that a fault is about, in front of its key: `line 12: `."""
    places: dict[tuple[str, int, str], int] = {}
    counted: dict[str, int] = {}
    table, index = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[?\s*([A-Za-z_]+)\s*\]", line):
            table = header[1]
            index = counted.get(table, 0)
            counted[table] = index + 1
            places.setdefault((table, index, ""), number)
        elif key := re.match(r"\s*([A-Za-z_]+)\s*=", line):
            places.setdefault((table, index, key[1]), number)

    def line_of(fault: str) -> str:
        found = _FAULT.match(fault)
        if found is None:
            return ""
        of, which, key = found["table"], int(found["index"] or 0), found["key"] or ""
        line = (
            places.get((of, which, key)) or places.get((of, which, "")) or places.get(("", 0, of))
        )
        return f"line {line}: " if line else ""

    return line_of
