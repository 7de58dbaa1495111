"""Checks one signed document by itself, for people who were given it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

from folkmoot_kit.provenance.registry_index import KINDS
from folkmoot_kit.provenance.signed import Signed, read_bounded, read_signed
from folkmoot_kit.provenance.statements import Manifest, Review, Statement
from folkmoot_kit.provenance.trusted_keys import TrustedKeys
from folkmoot_kit.provenance.wheel_file import Wheel
from folkmoot_kit.provenance.words import same_words
from folkmoot_operator.problems import ExitCode, Problem


def read_any(path: Path) -> Signed[Statement]:
    """A manifest, review or report, whichever a file holds.

    Raises:
        Problem: Exit code VERIFICATION, if it is none, or was changed.
        UnusableFile: If it cannot be read.
    """
    return read_statement(read_bounded(path, "the document"), str(path))


def read_statement(content: bytes, where: str) -> Signed[Statement]:
    """The same of the bytes of a file.

    Args:
        content: The bytes.
        where: The file, for messages.

    Raises:
        Problem: As `read_any`.
    """
    model = next((one for one in KINDS.values() if _says(one, content)), Manifest)
    return read_signed(model, content, where)


def verified(
    signed: Signed[Statement],
    wheel: Wheel | None,
    trusted: TrustedKeys | None,
    today: datetime.date,
) -> str | None:
    """Checks what a valid signature does not say by itself.

    Args:
        signed: The document.
        wheel: The wheel that it must be about; None if that is not asked.
        trusted: Whose signatures count; None if that is not asked.
        today: The date.

    Returns:
        Whose key it is; None if that was not asked.

    Raises:
        Problem: Exit code VERIFICATION, saying what is wrong.
    """
    body = signed.body
    if said := body.out_of_time(today):
        raise _wrong(signed, said, "Ask whoever signed it for one that counts")
    if wheel is not None:
        about = (body.distribution, body.version, body.wheel, body.content)
        if about != (wheel.name, wheel.version, wheel.digest, wheel.content):
            problem = f"is about another wheel than {wheel.path.name}"
            raise _wrong(signed, problem, "Get the wheel and the document from the same place")
    return _whose(signed, trusted, today) if trusted else None


def _whose(signed: Signed[Statement], trusted: TrustedKeys, today: datetime.date) -> str:
    body = signed.body
    unknown = "Add the key to the trusted keys, if its owner has told you by another way"
    if isinstance(body, Manifest):
        vendor = trusted.vendor(signed.key)
        if vendor is not None and body.distribution not in vendor.distributions:
            raise _wrong(signed, f"{vendor.name} is trusted for other plugins", unknown)
        found: Mapping[str, bool] = {vendor.label: vendor.counts(today)} if vendor else {}
    elif isinstance(body, Review):
        reviewer = trusted.reviewer(signed.key)
        if reviewer is not None and not (
            same_words(reviewer.person, body.person)
            and same_words(reviewer.organisation, body.organisation)
        ):
            raise _wrong(signed, f"is signed by the key of {reviewer.label}", unknown)
        found = {reviewer.label: reviewer.counts(today)} if reviewer else {}
    else:
        reporter = trusted.reporter(signed.key)
        found = {reporter.label: reporter.counts(today)} if reporter else {}
    for label, counts in found.items():
        if not counts:
            raise _wrong(signed, f"the key of {label} is trusted no longer", unknown)
        return label
    raise _wrong(signed, f"the key {signed.key_id} is not trusted for a {body.kind}", unknown)


def _says(model: type[Statement], content: bytes) -> bool:
    return f'"kind": "{model.kind}"'.encode() in content


def _wrong(signed: Signed[Statement], problem: str, remedy: str) -> Problem:
    return Problem(problem, where=signed.where, remedy=remedy, exit_code=ExitCode.VERIFICATION)
