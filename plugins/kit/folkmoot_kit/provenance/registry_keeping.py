"""Keeps a registry: a folder that can be given on, or served as a static site.

Each change gives the list a higher number and signs it again. Files are named after their digests
and never changed, so whoever reads while somebody writes has the old list or the new one whole.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_kit.provenance.registry_index import (
    INDEX,
    KINDS,
    PAGE,
    SBOM,
    Index,
    Registry,
    Revocation,
    digest,
)
from folkmoot_kit.provenance.registry_page import page
from folkmoot_kit.provenance.signed import (
    Signed,
    public_key,
    read_bounded,
    read_signed,
    read_signed_file,
    sign,
)
from folkmoot_kit.provenance.statements import Manifest, Statement
from folkmoot_kit.provenance.verification import read_statement
from folkmoot_operator.output_places import writing_to
from folkmoot_operator.private_files import publishing, put_in_place
from folkmoot_operator.problems import ExitCode, Problem

FRESH_DAYS = 90
"""Days for which a list may be relied on, if nothing else is said."""
_DIGITS = 16
"""Hexadecimal digits of a digest in a file's name."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whoever keeps a registry.

    Attributes:
        folder: Where it lies.
        key: The registry's private key.
        today: The date.
        fresh_days: Days for which the next list may be relied on.
    """

    folder: Path
    key: Ed25519PrivateKey
    today: datetime.date
    fresh_days: int = FRESH_DAYS

    def init(self, name: str) -> Index:
        """Makes an empty registry.

        Args:
            name: Who keeps it.

        Raises:
            Problem: Exit code REFUSED, if there is one already.
        """
        if (self.folder / INDEX).exists():
            raise Problem(
                "there is a registry already",
                where=str(self.folder),
                remedy="Name another folder",
                exit_code=ExitCode.REFUSED,
            )
        with writing_to(self.folder), publishing():
            self.folder.mkdir(parents=True, exist_ok=True)
        return self._write(name, 1, {}, ())

    def add(self, paths: Iterable[Path]) -> Index:
        """Adds documents: manifests, reviews, reports, and lists of components of manifests.

        Args:
            paths: Their files. Whose keys signed them is for readers to judge.

        Raises:
            Problem: If one is not a valid document, or belongs to no manifest.
        """
        whole = self._opened()
        contents = {path: read_bounded(path, "the document") for path in paths}
        known = self._manifests(whole)
        read = {path: _document(content, str(path)) for path, content in contents.items()}
        known += [one.body for one in read.values() if one and isinstance(one.body, Manifest)]
        documents = dict(whole.index.body.documents)
        for path, content in contents.items():
            place = _place(path, content, read[path], known)
            _publish(self.folder / place, content)
            documents[place] = digest(content)
        return self._next(whole, documents, whole.index.body.revoked)

    def revoke(self, revocation: Revocation) -> Index:
        """Revokes a wheel or a key.

        Raises:
            Problem: Exit code REFUSED, if it is revoked already.
        """
        whole = self._opened()
        known = whole.index.body.revoked
        if any((one.wheel, one.key) == (revocation.wheel, revocation.key) for one in known):
            raise Problem(
                "it is revoked already",
                where=str(self.folder),
                remedy="Nothing needs doing",
                exit_code=ExitCode.REFUSED,
            )
        for manifest in self._manifests(whole):
            if manifest.wheel == revocation.wheel:
                update = {"content": manifest.content, "distribution": manifest.distribution}
                revocation = revocation.model_copy(update=update)
        documents = dict(whole.index.body.documents)
        return self._next(whole, documents, (*known, revocation))

    def refresh(self) -> Index:
        """Signs the list again, so that readers may rely on it for longer."""
        whole = self._opened()
        return self._next(whole, dict(whole.index.body.documents), whole.index.body.revoked)

    def _opened(self) -> Registry:
        index = read_signed_file(Index, self.folder / INDEX)
        if index.key != public_key(self.key):
            raise Problem(
                f"the registry's key is {index.key_id}, and this is another",
                where=str(self.folder / INDEX),
                remedy="Give --key the key that the registry was made with",
                exit_code=ExitCode.USAGE,
            )
        return Registry(self.folder, index)

    def _manifests(self, registry: Registry) -> list[Manifest]:
        paths = registry.index.body.documents
        return [
            read_signed(Manifest, registry.read(path), path).body
            for path in paths
            if path.rpartition("/")[2].startswith("manifest-")
        ]

    def _next(
        self, registry: Registry, documents: dict[str, str], revoked: tuple[Revocation, ...]
    ) -> Index:
        body = registry.index.body
        return self._write(body.name, body.number + 1, documents, revoked)

    def _write(
        self,
        name: str,
        number: int,
        documents: dict[str, str],
        revoked: tuple[Revocation, ...],
    ) -> Index:
        def index(documents: dict[str, str]) -> Index:
            return Index(
                name=name,
                number=number,
                made_on=self.today,
                fresh_until=self.today + datetime.timedelta(days=self.fresh_days),
                documents=documents,
                revoked=revoked,
            )

        listed = {path: of for path, of in documents.items() if path != PAGE}
        shown = page(index(listed), self._statements(listed), public_key(self.key)).encode()
        body = index({**listed, PAGE: digest(shown)})
        _publish(self.folder / PAGE, shown)
        _publish(self.folder / INDEX, sign(body, self.key))
        return body

    def _statements(self, documents: dict[str, str]) -> list[Signed[Statement]]:
        found = []
        for path in sorted(documents):
            content = read_bounded(self.folder / path, "a document of the registry")
            one = _document(content, path) if path.endswith(".json") else None
            if one is not None:
                found.append(one)
        return found


def _document(content: bytes, where: str) -> Signed[Statement] | None:
    """A signed document of one of the kinds that a registry has; None if it is a list of parts.

    Raises:
        Problem: If it is neither.
    """
    if _is_sbom(content):
        return None
    return read_statement(content, where)


def _is_sbom(content: bytes) -> bool:
    return b'"bomFormat"' in content and b'"CycloneDX"' in content


def _place(
    path: Path, content: bytes, signed: Signed[Statement] | None, known: Iterable[Manifest]
) -> str:
    """Where a document goes: a folder of its distribution, and one of its version."""
    of = digest(content)
    short = of.partition(":")[2][:_DIGITS]
    manifests = list(known)
    if signed is None:
        for manifest in manifests:
            if manifest.sbom == of:
                return f"{manifest.distribution}/{manifest.version}/{SBOM}-{short}.json"
        raise _homeless(path, "no manifest names this list of components")
    body = signed.body
    if not any(one.wheel == body.wheel for one in manifests):
        raise _homeless(path, "there is no manifest of the wheel that it is about")
    [kind] = [begins for begins, model in KINDS.items() if isinstance(body, model)]
    return f"{body.distribution}/{body.version}/{kind}-{short}.json"


def _homeless(path: Path, problem: str) -> Problem:
    return Problem(
        problem,
        where=str(path),
        remedy="Add the manifest first, or with it",
        exit_code=ExitCode.DATA,
    )


def _publish(path: Path, content: bytes) -> None:
    """Writes a public file, whole."""
    with writing_to(path), publishing():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_bytes(content)
        put_in_place(unfinished, path)
