"""`folkmoot-coordinator backup` and `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption
from folkmoot_operator.backup_console import (
    AnyFile,
    Drill,
    File,
    Folder,
    Identity,
    Into,
    Out,
    Recipients,
    folder_of,
    print_key,
    print_list,
    print_made,
    print_read,
    print_restored,
    require_both,
)
from folkmoot_operator.console import progress

if TYPE_CHECKING:
    from folkmoot_coordinator.home import Home as CoordinatorHome
    from folkmoot_operator.backup_file import Source

backup_app = typer.Typer(
    help="Backups of the coordinator's folder and databases.", invoke_without_command=True
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(backup_app, name="backup")
    app.command("restore")(restore)


@backup_app.callback()
def backup(
    context: typer.Context,
    home: HomeOption = Path(),
    recipient: Recipients = None,
    folder: Folder = None,
    json_: JsonOption = False,
) -> None:
    """Back up keys, settings and databases while they are in use, encrypted to the recipients.

    A database in PostgreSQL is copied by `pg_dump`. The file has its name only when it is whole.
    Older ones beyond `keep` are deleted afterwards. All is recorded in the audit log. Exit code 3
    if no recipient is named, 7 if a database is damaged; the backups there stay.

    Example: `folkmoot-coordinator backup --home region`
    """
    if context.invoked_subcommand is not None:
        return
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.operations.back_up import back_up
    from folkmoot_operator.accounts import current_operator
    from folkmoot_operator.backup_settings import chosen

    place = Home(home)
    with progress() as bar:
        task = bar.add_task("files", total=None)

        def packed(_: Source) -> None:
            bar.advance(task)

        settings = chosen(
            place.settings().backup,
            recipient or [],
            folder,
            "folkmoot-coordinator",
            place.settings_file,
        )
        made = back_up(place, settings, current_operator(), packed=packed)
    print_made(made.written, made.about, made.deleted, as_json=json_)


@backup_app.command("keygen")
def keygen(out: Out) -> None:
    """Make a key pair for backups, and print the public key for `recipients` in coordinator.toml.

    Keep the private key on another machine or on paper: who has it and a backup has the region. It
    is a key of age, which the tool of that name reads too.

    Example: `folkmoot-coordinator backup keygen --out backup.key`
    """
    from folkmoot_operator.age_encryption import make_key

    print_key(make_key(out), out)


@backup_app.command("list")
def list_(home: HomeOption = Path(), folder: Folder = None, json_: JsonOption = False) -> None:
    """List the backups in the folder, newest first.

    Example: `folkmoot-coordinator backup list --json`
    """
    from folkmoot_coordinator.home import Home
    from folkmoot_operator.backup_folder import those_in

    place = Home(home)
    settings = place.settings()
    where = folder_of(settings.backup, folder, place.settings_file)
    found = those_in(where, settings.region)
    print_list(found, where, {}, _names_made(place), as_json=json_)


@backup_app.command("verify")
def verify(file: File, identity: Identity, json_: JsonOption = False) -> None:
    """Decrypt a backup to its end and check every digest in it; nothing is written.

    Exit code 7 if it is damaged or cut short, 3 if it was made for another key. Needs no home.

    Example: `folkmoot-coordinator backup verify FILE --identity backup.key`
    """
    from folkmoot_operator.backup_file import read_backup

    print_read(read_backup(file, identity), as_json=json_)


def restore(
    identity: Identity,
    file: AnyFile = None,
    into: Into = None,
    drill: Drill = False,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Make a new home of a backup, check every digest, the database and the keys.

    Nodes send again what the backup lacks, where the round is open there. With --drill nothing is
    kept; that it went well is recorded in the audit log of the coordinator in --home, and `doctor`
    warns when the last drill is half a year old. Exit code 7 if the backup is damaged, 3 if a later
    version made it, 5 if the folder is there.

    Example: `folkmoot-coordinator restore FILE --identity backup.key --into restored`
    """
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.operations.restore import note_drill, restore_coordinator
    from folkmoot_operator.accounts import current_operator
    from folkmoot_operator.backup_folder import newest

    who, place = current_operator(), Home(home)
    if drill:
        settings = place.settings()
        folder = folder_of(settings.backup, file and file.parent, place.settings_file)
        file = file or newest(folder, settings.region, _names_made(place)).path
        new = place.path / ".drill"
        done = restore_coordinator(file, identity, new, who, drill=True)
        note_drill(place, who, file.name, done.restored.seconds)
    else:
        file, into = require_both(file, into)
        done = restore_coordinator(file, identity, into, who)
    following = "move it to the place of the old home, and start `folkmoot-coordinator serve`"
    print_restored(done.restored, done.missing, following, drill=drill, as_json=json_)


def _names_made(home: CoordinatorHome) -> tuple[str, ...]:
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.operations.back_up import names_made

    database = Database(home.database_url(home.settings()), read_only=True)
    try:
        database.require_tables()
        return names_made(database)
    finally:
        database.close()
