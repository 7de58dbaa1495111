"""What people decided in clerical review, and what still waits: an encrypted file.

A decision is about an address as it was typed in a source, in whichever row, so it also applies
in later runs. The file holds keyed digests of what was typed, not the text.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from folkmoot_node.store.encrypted_file import StoreKey
from folkmoot_node.store.sealing import BrokenSeal, Seal, derived_key
from folkmoot_operator import file_lock
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem

_DIGEST_BYTES = 16
_PAIR_DIGITS = 20


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Waiting(_Model):
    """A pair of typed address and candidate that a person is asked about.

    Attributes:
        digest: Of what was typed.
        uprn: The candidate.
    """

    digest: str
    uprn: int


class Decided(_Model):
    """What was decided about one typed address.

    Attributes:
        is_home: The confirmed UPRN, None if none was confirmed.
        is_not: The UPRNs that were ruled out.
    """

    is_home: int | None = None
    is_not: set[int] = set()


class SourceReview(_Model):
    """Clerical review of one source.

    Attributes:
        waiting: By the id in the review file.
        decided: By digest of what was typed.
    """

    waiting: dict[str, Waiting] = {}
    decided: dict[str, Decided] = {}


class _Content(_Model):
    sources: dict[str, SourceReview] = {}


class ReviewDecisions:
    """The file of decisions. A change replaces one source and leaves the others.

    Args:
        path: The file; it need not be there.
        key: Key of the store, from which the file's own are derived.
    """

    def __init__(self, path: Path, key: StoreKey) -> None:
        self._path = path
        self._seal = Seal(key, "folkmoot clerical review")
        self._digest_key = derived_key(key, "folkmoot typed address")

    def digest(self, source: str, typed: Sequence[str | None]) -> str:
        """Keyed digest of what was typed in a source: 32 hexadecimal digits."""
        text = "\x1f".join([source, *(part or "" for part in typed)])
        whole = hmac.new(self._digest_key, text.encode(), hashlib.sha256)
        return whole.digest()[:_DIGEST_BYTES].hex()

    def pair(self, digest: str, uprn: int) -> str:
        """Id of a typed address and a candidate; spreadsheets do not read it as a number."""
        whole = hmac.new(self._digest_key, f"{digest}|{uprn}".encode(), hashlib.sha256)
        return "id-" + whole.hexdigest()[:_PAIR_DIGITS]

    def read(self) -> dict[str, SourceReview]:
        """Reads the review of each source.

        Raises:
            Problem: Exit code DATA, if the file is damaged or was sealed with another key.
        """
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return _Content.model_validate_json(self._seal.open(sealed)).sources
        except (BrokenSeal, ValidationError):
            raise Problem(
                "the decisions of clerical review cannot be read",
                where=str(self._path),
                remedy="Restore it from backup, with keys/store.key of the same day; or remove "
                "it, and people will be asked for the decisions again",
                exit_code=ExitCode.DATA,
            ) from None

    def of(self, source: str) -> SourceReview:
        """Reads the review of one source."""
        return self.read().get(source, SourceReview())

    def keep(self, source: str, review: SourceReview) -> None:
        """Replaces the review of one source.

        Other processes may change other sources meanwhile.
        """
        make_private_folder(self._path.parent)
        with file_lock.waiting_for(self._path.with_suffix(".lock")):
            self._replace(self.read() | {source: review})

    def _replace(self, sources: dict[str, SourceReview]) -> None:
        content = _Content(sources=sources).model_dump_json().encode()
        write_private(self._path, self._seal.seal(content), replace=True)
