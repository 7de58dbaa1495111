"""`backup` and `restore`: a node's home, encrypted to those who may bring it back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
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
    from folkmoot_node.home import NodeHome
    from folkmoot_node.operations.back_up import EncryptedDatabase
    from folkmoot_operator.backup_file import Source

_FOLLOWING = "`folkmoot-node ledger recover` there, which compares it with the receipts"


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(help="Backups of the node's home.", invoke_without_command=True)
    group.callback()(backup)
    group.command()(keygen)
    group.command("list")(list_)
    group.command()(verify)
    app.add_typer(group, name="backup")
    app.command()(restore)


def backup(
    context: typer.Context,
    home: Home = HERE,
    recipient: Recipients = None,
    folder: Folder = None,
    with_store_key: Annotated[
        bool,
        typer.Option(
            "--with-store-key",
            help="Put the key of the scores in too. While such a backup lasts, `purge` cannot "
            "make scores unreadable in it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Backs up the node's home while it is in use, encrypted to the recipients in node.toml.

    In it: settings, keys, policies, ledger, answers, logs, cases, decisions, and the scores
    without their key. Not in it: extracts, quarantine and review files. The file has its name only
    when it is whole. Older ones beyond `keep` are deleted afterwards. All is recorded in the audit
    log. Exit code 3 if no recipient is named, 7 if a database is damaged; the backups there stay.

    Example: folkmoot-node backup --home /srv/folkmoot
    """
    if context.invoked_subcommand is not None:
        return
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.back_up import back_up
    from folkmoot_operator.backup_settings import chosen

    with open_home(home) as node, progress() as bar:
        task = bar.add_task("files", total=None)

        def packed(_: Source) -> None:
            bar.advance(task)

        settings = chosen(
            node.config.backup, recipient or [], folder, "folkmoot-node", _settings_file(node)
        )
        encrypted, left_out = _casework(node)
        made = back_up(
            node,
            settings,
            current_operator(),
            store_key=with_store_key,
            encrypted=encrypted,
            left_out=left_out,
            packed=packed,
        )
    print_made(made.written, made.about, made.deleted, as_json=as_json)


def keygen(out: Out) -> None:
    """Makes a key pair for backups, and prints the public key for `recipients` in node.toml.

    Keep the private key on another machine or on paper: who has it and a backup has the node. It
    is a key of age, which the tool of that name reads too.

    Example: folkmoot-node backup keygen --out backup.key
    """
    from folkmoot_operator.age_encryption import make_key

    print_key(make_key(out), out)


def list_(home: Home = HERE, folder: Folder = None, as_json: AsJson = False) -> None:
    """Lists the backups in the folder, newest first.

    Example: folkmoot-node backup list --json
    """
    from folkmoot_node.evidence.backups_made import names_made
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.back_up import with_store_key
    from folkmoot_operator.backup_folder import those_in

    with open_home(home) as node:
        place = folder_of(node.config.backup, folder, _settings_file(node))
        found = those_in(place, str(node.config.council))
        ends = {one.file: one.expires for one in with_store_key(node)}
        made = names_made(node)
    print_list(found, place, ends, made, as_json=as_json)


def verify(file: File, identity: Identity, as_json: AsJson = False) -> None:
    """Decrypts a backup to its end and checks every digest in it; writes nothing.

    Exit code 7 if it is damaged or cut short, 3 if it was made for another key. Needs no home.

    Example: folkmoot-node backup verify FILE --identity backup.key
    """
    from folkmoot_operator.backup_file import read_backup

    print_read(read_backup(file, identity), as_json=as_json)


def restore(
    identity: Identity,
    file: AnyFile = None,
    into: Into = None,
    store_key: Annotated[
        Path | None,
        typer.Option(help="The key of the scores, where it was kept apart.", dir_okay=False),
    ] = None,
    drill: Drill = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Makes a new home of a backup, checks every digest and the evidence, and says what is missing.

    The new home answers nothing until it has compared with the coordinator's receipts: run
    `ledger recover` in it first. With --drill nothing is kept; that it went well is recorded in
    the audit log of the node in --home, and `doctor` warns when the last drill is half a year old.
    Exit code 7 if the backup is damaged, 3 if a later version made it, 5 if the folder is there.

    Example: folkmoot-node restore FILE --identity backup.key --into /srv/folkmoot-restored
    """
    from folkmoot_node.evidence.backups_made import names_made
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.restore import note_drill, restore_node
    from folkmoot_operator.backup_folder import newest

    who = current_operator()
    if drill:
        with open_home(home) as node:
            place = folder_of(node.config.backup, file and file.parent, _settings_file(node))
            file = file or newest(place, node.config.council, names_made(node)).path
            new = node.config.home / ".drill"
            done = restore_node(file, identity, new, who, store_key=store_key, drill=True)
            note_drill(node, who, file.name, done.restored.seconds)
    else:
        file, into = require_both(file, into)
        done = restore_node(file, identity, into, who, store_key=store_key)
    print_restored(done.restored, done.missing, _FOLLOWING, drill=drill, as_json=as_json)


def _settings_file(node: NodeHome) -> Path:
    from folkmoot_node.settings.node_toml import FILE_NAME

    return node.config.home / FILE_NAME


def _casework(node: NodeHome) -> tuple[list[EncryptedDatabase], list[str]]:
    """The database of casework, and what of it is not in a backup."""
    if node.config.casework is None:
        return [], []
    if node.config.casework.database is not None:
        return [], ["casework: its database is in PostgreSQL; back it up with pg_dump"]
    from folkmoot_node.casework.settings import database_path, read_key
    from folkmoot_node.operations.back_up import EncryptedDatabase

    path = database_path(node.config)
    if not path.exists():
        return [], []
    if not os.access(path, os.R_OK | os.W_OK):
        return [], ["casework: its database is another account's"]
    key = read_key(node.config)
    assert key is not None  # it is no PostgreSQL
    return [EncryptedDatabase(path, key, "the database of casework")], []
