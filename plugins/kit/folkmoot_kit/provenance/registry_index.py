"""A registry of plugins as its readers have it: a folder of signed documents, and one that lists
them all.

The list is numbered, dated, and signed by whoever keeps the registry. It names every other file by
its digest and what was revoked, so that neither a file nor a revocation can be left out unseen.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from pydantic import Field, model_validator

from folkmoot_kit.provenance.canonical_json import damaged
from folkmoot_kit.provenance.content import SHA256
from folkmoot_kit.provenance.signed import (
    Document,
    Part,
    Signed,
    read_bounded,
    read_signed,
    read_signed_file,
)
from folkmoot_kit.provenance.statements import Manifest, Report, Review, Statement
from folkmoot_kit.provenance.trusted_keys import TrustedKeys
from folkmoot_kit.provenance.words import KeyId, Name, Sha256, Words
from folkmoot_kit.provenance.words import Path as PathText
from folkmoot_operator.problems import ExitCode, Problem

INDEX = "registry.json"
"""The list of a registry."""
PAGE = "index.html"
"""The same for people."""
MAX_DOCUMENTS = 5000
"""Files of a registry."""
KINDS: Mapping[str, type[Statement]] = {"manifest": Manifest, "review": Review, "report": Report}
"""Documents of a registry, by how the names of their files begin."""
SBOM = "sbom"
"""How the names of lists of components begin."""


class Revocation(Part):
    """What no longer counts.

    Attributes:
        wheel: A wheel that must not run, by its digest; empty if it is a key.
        content: The digest of its files, where it is known: the same files in another wheel must
            not run either.
        key: The id of a key whose signatures count no more, whenever they were made; empty if it is
            a wheel.
        distribution: Whose wheel it is, for people; empty if it is a key.
        since: When it was revoked.
        reason: Why, for people.
    """

    wheel: Sha256 | None = None
    content: Sha256 | None = None
    key: KeyId | None = None
    distribution: Name | None = None
    since: datetime.date
    reason: Words

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.wheel is None) == (self.key is None):
            raise ValueError("a revocation names a wheel or a key")
        return self


class Index(Document):
    """The list of a registry.

    Attributes:
        name: Who keeps it.
        number: Rises with each change; a reader never goes back to a lower one.
        made_on: When it was made.
        fresh_until: Last day on which a reader may rely on it.
        documents: Digest of every other file, by its path.
        revoked: What no longer counts.
    """

    kind: ClassVar[str] = "plugin registry"
    name: Words
    number: int = Field(ge=1)
    made_on: datetime.date
    fresh_until: datetime.date
    documents: dict[PathText, Sha256] = Field(max_length=MAX_DOCUMENTS)
    revoked: tuple[Revocation, ...] = Field(default=(), max_length=MAX_DOCUMENTS)

    @model_validator(mode="after")
    def _stays_inside(self) -> Self:
        for path in self.documents:
            parts = path.split("/")
            if len(parts) > 3 or any(part in ("", ".", "..", INDEX) for part in parts):
                raise ValueError("documents names a file outside the registry")
            if "\\" in path or path.startswith("."):
                raise ValueError("documents names a file outside the registry")
        return self


S = TypeVar("S", bound=Statement)


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that was opened; its list is signed by the key that it was opened with.

    Attributes:
        folder: Where it lies.
        index: Its list.
    """

    folder: Path
    index: Signed[Index]

    def revoked_wheel(self, wheel: str, content: str) -> Revocation | None:
        """Why a wheel must not run; None if it may.

        Args:
            wheel: Its digest.
            content: The digest of its files.
        """
        for one in self.index.body.revoked:
            if one.wheel is not None and (one.wheel == wheel or one.content == content):
                return one
        return None

    def revoked_key(self, key: str) -> Revocation | None:
        """Why signatures of a key do not count, by its id; None if they do."""
        return next((one for one in self.index.body.revoked if one.key == key), None)

    def is_fresh(self, today: datetime.date) -> bool:
        """Whether a reader may rely on it on a day."""
        return today <= self.index.body.fresh_until

    def manifests(self, distribution: str, wheel: str) -> tuple[Signed[Manifest], ...]:
        """Manifests of a wheel."""
        return self._about(Manifest, "manifest", distribution, wheel)

    def reviews(self, distribution: str, wheel: str) -> tuple[Signed[Review], ...]:
        """Reviews of a wheel."""
        return self._about(Review, "review", distribution, wheel)

    def reports(self, distribution: str, wheel: str) -> tuple[Signed[Report], ...]:
        """Reports of the kit on a wheel."""
        return self._about(Report, "report", distribution, wheel)

    def _about(
        self, model: type[S], begins: str, distribution: str, wheel: str
    ) -> tuple[Signed[S], ...]:
        found = []
        for path in sorted(self.index.body.documents):
            if path.startswith(f"{distribution}/") and path.rpartition("/")[2].startswith(begins):
                one = read_signed(model, self.read(path), str(self.folder / path))
                if one.body.wheel == wheel and one.body.distribution == distribution:
                    found.append(one)
        return tuple(found)

    def read(self, path: str) -> bytes:
        """The bytes of a file that the list names.

        Raises:
            Problem: If it is missing, or another file than the list names.
        """
        place = self.folder / path
        if not place.is_file():
            raise damaged(str(place), "is missing, and the registry lists it")
        content = read_bounded(place, "a document of the registry")
        if digest(content) != self.index.body.documents[path]:
            raise damaged(str(place), "is not the file that the registry lists")
        return content


def digest(content: bytes) -> str:
    """SHA-256 of bytes: `sha256:` and 64 hexadecimal digits."""
    return SHA256 + hashlib.sha256(content).hexdigest()


def open_registry(folder: Path, trusted: TrustedKeys) -> Registry:
    """Opens a registry that the council follows.

    Args:
        folder: Where it lies.
        trusted: Whose key must have signed its list.

    Raises:
        Problem: Exit code VERIFICATION, if another key has, or its list was changed.
        UnusableFile: If it cannot be read.
    """
    index = read_signed_file(Index, folder / INDEX)
    require_key(index, trusted)
    return Registry(folder, index)


def require_fresh(index: Signed[Index], today: datetime.date) -> None:
    """Checks that a reader may rely on a list on a day.

    Raises:
        Problem: Exit code VERIFICATION, if it is out of date.
    """
    if today > index.body.fresh_until:
        raise Problem(
            f"is out of date since {index.body.fresh_until}: it may not know what was revoked",
            where=index.where,
            remedy="Get the newest, or sign it again with `folkmoot-plugin registry refresh`",
            exit_code=ExitCode.VERIFICATION,
        )


def require_key(index: Signed[Index], trusted: TrustedKeys) -> None:
    """Checks that the registry's own key has signed a list.

    Raises:
        Problem: Exit code VERIFICATION, if another key has.
    """
    if index.key != trusted.registry.key_bytes:
        raise Problem(
            f"is signed by the key {index.key_id}, and the council follows {trusted.registry.name}",
            where=index.where,
            remedy="Get the registry from whoever keeps it; if they have a new key, ask them by "
            "another way and write it into the file of trusted keys",
            exit_code=ExitCode.VERIFICATION,
        )
