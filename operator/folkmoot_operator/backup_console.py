"""What `backup` and `restore` print, which is the same for a node and for a coordinator."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_operator.console import console, print_json
from folkmoot_operator.moments import to_text
from folkmoot_operator.plain_text import plain
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:  # a backup's own modules take a fifth of a second
    from folkmoot_operator.backup_file import About, Read, Written
    from folkmoot_operator.backup_folder import Backup
    from folkmoot_operator.backup_home import Restored
    from folkmoot_operator.backup_settings import BackupSettings

Identity = Annotated[
    Path,
    typer.Option(
        "--identity",
        metavar="KEY",
        help="File of the private key, as `backup keygen` wrote it.",
        dir_okay=False,
    ),
]
Recipients = Annotated[
    list[str] | None,
    typer.Option(
        "--recipient",
        metavar="KEY",
        help="Public key (age1...) of who can open it, instead of those in the settings; may be "
        "given more than once.",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(help="The folder of backups, instead of the settings'.", file_okay=False),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", dir_okay=False)]
AnyFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="The backup; with --drill by default the newest.", dir_okay=False
    ),
]
Into = Annotated[
    Path | None, typer.Option(help="The new folder; it must not exist.", file_okay=False)
]
Drill = Annotated[
    bool,
    typer.Option("--drill", help="Only try it: restore, check, say how long it took, delete it."),
]
Out = Annotated[Path, typer.Option(help="Where the private key is written.", dir_okay=False)]


def print_key(public: str, file: Path) -> None:
    """Says what `backup keygen` made."""
    typer.echo(public)
    typer.echo(f"The private key is in {file}: keep it away from this machine.", err=True)


def print_made(written: Written, about: About, deleted: Sequence[str], *, as_json: bool) -> None:
    """Says what `backup` wrote."""
    if as_json:
        facts = {"file": str(written.path), "sha256": written.sha256, "size": written.size}
        print_json({**facts, "files": written.files, **_said(about), "deleted": list(deleted)})
        return
    typer.echo(f"Backed up: {written.path} ({written.files} files, {written.size} bytes)")
    typer.echo(f"SHA-256 {written.sha256}")
    _print_about(about)
    for name in deleted:
        typer.echo(f"Deleted: {name}")


def print_read(read: Read, *, as_json: bool) -> None:
    """Says what `backup verify` read."""
    about = read.about
    if as_json:
        facts = {"sha256": read.sha256, "size": read.size, "files": read.files}
        print_json({**facts, **_said(about)})
        return
    typer.echo(f"{about.program} {about.version}, {about.name}, made at {about.made_at}")
    typer.echo(f"{read.files} files, each as it was. SHA-256 {read.sha256}")
    _print_about(about)


def print_list(
    found: Sequence[Backup],
    folder: Path,
    ends: Mapping[str, date],
    made: Collection[str],
    *,
    as_json: bool,
) -> None:
    """Says what `backup list` found.

    Args:
        found: Backups, newest first.
        folder: Where.
        ends: Last day of the store's key, by name of the file.
        made: Names of the files that the audit log has; the others are listed apart.
        as_json: For programs.
    """
    if as_json:
        print_json(
            [
                {
                    "file": str(one.path),
                    "made_at": to_text(one.made_at),
                    "size": one.size,
                    "store_key": one.store_key,
                    "expires": ends.get(one.path.name),
                    "made_here": one.path.name in made,
                }
                for one in found
            ]
        )
        return
    if not found:
        typer.echo(f"No backup in {folder}.")
        return
    from rich.table import Column, Table

    table = Table(Column("File", overflow="fold"), Column("Bytes", justify="right"), "Store's key")
    for one in found:
        until = ends.get(one.path.name)
        key = f"until {until}" if until else ("ended" if one.store_key else "no")
        table.add_row(one.path.name, str(one.size), key)
    console().print(table)
    for one in found:
        if one.path.name not in made:
            typer.echo(
                f"Not in the audit log of this home, so neither counted nor deleted: "
                f"{one.path.name}"
            )


def print_restored(
    restored: Restored, missing: Sequence[str], following: str, *, drill: bool, as_json: bool
) -> None:
    """Says what `restore` did.

    Args:
        restored: The home.
        missing: What is not in it, as sentences.
        following: What to do next, where it is kept.
        drill: True if it was only tried.
        as_json: For programs.
    """
    about = restored.read.about
    if as_json:
        home = None if drill else str(restored.home)
        facts = {"home": home, "seconds": round(restored.seconds, 1), "missing": list(missing)}
        print_json({**facts, **_said(about)})
        return
    what = "Restored, checked and deleted again" if drill else f"Restored to {restored.home}"
    files, seconds = restored.read.files, restored.seconds
    typer.echo(f"{what}: {about.name} as of {about.made_at}, {files} files, {seconds:.1f} seconds.")
    for one in missing:
        typer.echo(f"Missing: {plain(one)}.")
    if not drill:
        typer.echo(f"Next: {following}")


def folder_of(settings: BackupSettings | None, given: Path | None, file: Path) -> Path:
    """Where backups are.

    Args:
        settings: Table `[backup]`; None without it.
        given: On the command line.
        file: The settings file.

    Raises:
        Problem: Exit code SETTINGS, if nobody has said.
    """
    if given is not None:
        return given
    if settings is not None:
        return file.parent / settings.folder
    raise Problem(
        "no folder is named for backups",
        where=f"{file}: backup.folder",
        remedy="Name one in [backup] as folder, or with --folder",
        exit_code=ExitCode.SETTINGS,
    )


def require_both(file: Path | None, into: Path | None) -> tuple[Path, Path]:
    """The backup and the new folder; a wrong command line without one of them."""
    if file is None or into is None:
        raise typer.BadParameter("name the backup, and the new folder with --into")
    return file, into


def _print_about(about: About) -> None:
    for name, head in about.heads.items():
        typer.echo(f"Head of {'all logs' if name == 'all' else f'the {name} log'}: {head}")
    if about.expires:
        typer.echo(f"The store's key is in it, until {about.expires}: keep it as the scores.")
    for what in about.left_out:
        typer.echo(f"Not in it: {plain(what)}.")


def _said(about: About) -> dict[str, Any]:
    return about.model_dump(mode="json", exclude={"format"})
