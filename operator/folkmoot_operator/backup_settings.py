"""Table `[backup]`, which is the same for a node and for a coordinator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings

OLD_DAYS = 2
"""`doctor` and `status` warn when the newest backup is older: one is made each day."""
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_KEYGEN = "Make a key with `{program} backup keygen --out FILE`, and keep the file elsewhere"


def _recipient(value: str) -> str:
    if not _RECIPIENT.fullmatch(value):
        raise ValueError(
            "is no public key of age: it begins with age1 and has 62 characters. `backup keygen` "
            "prints one"
        )
    return value


Recipient = Annotated[str, AfterValidator(_recipient)]
"""A public key of age (X25519), `age1...`."""


class BackupSettings(Settings):
    """Table `[backup]`: where `backup` writes, and who can open it."""

    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1)]
    """Public keys, `age1...`, to which each backup is encrypted: whoever has the private key of
    one can open it. `backup keygen` makes a pair."""
    folder: Path
    """Where backups are written; relative to the home. It should be on another machine's disk."""
    keep: Annotated[int, Field(ge=1, le=10_000)] = 14
    """How many of the newest backups that the audit log has stay in the folder; older ones are
    deleted after each new one."""


def chosen(
    settings: BackupSettings | None,
    recipients: list[str],
    folder: Path | None,
    program: str,
    file: Path,
) -> BackupSettings:
    """What a backup is made with: the settings, and what the command line says instead.

    Args:
        settings: Table `[backup]`; None without it.
        recipients: Of the command line; empty to take the settings'.
        folder: Of the command line.
        program: The command, for remedies.
        file: The settings file, for remedies.

    Raises:
        Problem: Exit code SETTINGS, if there is no recipient, a wrong one, or no folder: a backup
            that everybody could read is never made.
    """
    keys = tuple(recipients) or (settings.recipients if settings else ())
    place = folder or (settings.folder if settings else None)
    if not keys:
        raise Problem(
            "nobody is named to whom the backup is encrypted, and one that everybody can read is "
            "not made",
            where=f"{file}: backup.recipients",
            remedy=f"{_KEYGEN.format(program=program)}; write what it prints into [backup] as "
            "recipients, or give it with --recipient",
            exit_code=ExitCode.SETTINGS,
        )
    for key in keys:
        try:
            _recipient(key)
        except ValueError as error:
            raise Problem(
                f"{key[:80]!r} {error}",
                where="--recipient",
                remedy=_KEYGEN.format(program=program),
                exit_code=ExitCode.SETTINGS,
            ) from None
    if place is None:
        raise Problem(
            "no folder is named for backups",
            where=f"{file}: backup.folder",
            remedy="Name one in [backup] as folder, or with --folder",
            exit_code=ExitCode.SETTINGS,
        )
    keep = settings.keep if settings else BackupSettings.model_fields["keep"].default
    return BackupSettings(recipients=keys, folder=file.parent / place, keep=keep)
