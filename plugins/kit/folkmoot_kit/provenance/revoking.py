"""Says what is to be revoked, from the words of a command."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from pydantic import ValidationError

from folkmoot_kit.provenance.registry_index import Revocation
from folkmoot_kit.provenance.signed import key_id
from folkmoot_kit.provenance.trusted_keys import PREFIX
from folkmoot_kit.provenance.wheel_file import wheel_digest
from folkmoot_kit.provenance.words import one_line
from folkmoot_operator.problems import ExitCode, Problem

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(rf"{PREFIX}([0-9a-f]{{64}})")


def revocation(wheel: str, signer: str, reason: str, since: datetime.date) -> Revocation:
    """A revocation of a wheel or of a key.

    Args:
        wheel: A file, or its digest; empty if a key is meant. The file may be damaged or hostile:
            nothing but its digest is taken.
        signer: A public key with `ed25519:` in front, or the id of one; empty if a wheel is meant.
        reason: Why.
        since: The date.

    Raises:
        Problem: Exit code USAGE, if not exactly one of them is given, or no reason.
    """
    if bool(wheel) == bool(signer):
        raise _wrong("--wheel or --signer", "exactly one of them is needed")
    distribution = None
    if wheel and not _DIGEST.fullmatch(wheel):
        if not Path(wheel).is_file():
            raise _wrong("--wheel", f"{wheel!r} is neither a file nor a digest")
        stem = Path(wheel).name.partition("-")[0].lower()
        distribution = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:100] or None
        wheel = wheel_digest(Path(wheel))
    if key := _KEY.fullmatch(signer):
        signer = key_id(bytes.fromhex(key[1]))
    if signer and not _ID.fullmatch(signer):
        raise _wrong("--signer", "is neither a public key (ed25519:...) nor the id of one")
    try:
        return Revocation(
            wheel=wheel or None,
            key=signer or None,
            distribution=distribution,
            since=since,
            reason=one_line(reason),
        )
    except ValidationError:
        raise _wrong("--reason", "needs a few words for people") from None


def _wrong(where: str, problem: str) -> Problem:
    return Problem(
        problem,
        where=where,
        remedy="See `folkmoot-plugin registry revoke --help`",
        exit_code=ExitCode.USAGE,
    )
