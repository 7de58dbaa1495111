"""`backup` and `restore`: a node's home, encrypted to those who may bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json, progress

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome
    from folkmoot_node.operations.back_up import EncryptedDatabase
    from folkmoot_operator.backup_file import About

_PROGRAM = "folkmoot-node"
Identity = Annotated[
    Path,
    typer.Option(
        "--identity",
        metavar="KEY",
        help="File of the private key, as `backup keygen` wrote it.",
        dir_okay=False,
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(help="The folder of backups, instead of the one in node.toml.", file_okay=False),
]


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
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="Public key (age1...) of who can open it, instead of those in node.toml; may be "
            "given more than once.",
        ),
    ] = None,
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
    when it is whole. Older ones beyond `keep` are deleted afterwards. All is
    recorded in the audit log.

    Exit code 3 if no recipient is named, 7 if a database is damaged; the backups there are stay.

    Example: folkmoot-node backup --home /srv/folkmoot
    """
    if context.invoked_subcommand is not None:
        return
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.back_up import back_up
    from folkmoot_operator.backup_file import Source
    from folkmoot_operator.backup_settings import chosen

    with open_home(home) as node, progress() as bar:
        settings = chosen(
            node.config.backup, recipient or [], folder, _PROGRAM, node.config.home / "node.toml"
        )
        encrypted, left_out = _casework(node)
        task = bar.add_task("files", total=None)

        def packed(_: Source) -> None:
            bar.advance(task)

        made = back_up(
            node, settings, current_operator(), store_key=with_store_key, encrypted=encrypted,
            left_out=left_out, packed=packed,
        )  # fmt: skip
    written, about = made.written, made.about
    if as_json:
        print_json(
            {
                "file": str(written.path),
                "sha256": written.sha256,
                "size": written.size,
                "files": written.files,
                **_said(about),
                "deleted": list(made.deleted),
            }
        )
        return
    typer.echo(f"Backed up: {written.path} ({written.files} files, {written.size} bytes)")
    typer.echo(f"SHA-256 {written.sha256}")
    typer.echo(f"Head of all logs {about.heads['all']}")
    if about.expires:
        typer.echo(
            f"The store's key is in it, until {about.expires}: keep it as you keep the scores."
        )
    for what in about.left_out:
        typer.echo(f"Not in it: {what}.")
    for name in made.deleted:
        typer.echo(f"Deleted: {name}")


def keygen(
    out: Annotated[Path, typer.Option(help="Where the private key is written.", dir_okay=False)],
) -> None:
    """Makes a key pair for backups, and prints the public key for `recipients` in node.toml.

    Keep the private key on another machine or on paper: who has it and a backup has the node. It
    is a key of age, which the tool of that name reads too.

    Example: folkmoot-node backup keygen --out backup.key
    """
    from folkmoot_operator.backup_file import make_key

    typer.echo(make_key(out))
    typer.echo(f"The private key is in {out}: keep it away from this machine.", err=True)


def list_(home: Home = HERE, folder: Folder = None, as_json: AsJson = False) -> None:
    """Lists the backups in the folder, newest first.

    Example: folkmoot-node backup list --json
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.back_up import with_store_key
    from folkmoot_operator.backup_folder import those_in
    from folkmoot_operator.moments import to_text

    with open_home(home) as node:
        place = _folder(node, folder)
        found = those_in(place, str(node.config.council))
        ends = {one.file: one.expires for one in with_store_key(node)}
    if as_json:
        print_json(
            [
                {
                    "file": str(one.path),
                    "made_at": to_text(one.made_at),
                    "size": one.size,
                    "store_key": one.store_key,
                    "expires": ends.get(one.path.name),
                }
                for one in found
            ]
        )
        return
    if not found:
        typer.echo(f"No backup of this node in {place}.")
        return
    from rich.table import Column, Table

    table = Table(Column("File", overflow="fold"), Column("Bytes", justify="right"), "Store's key")
    for one in found:
        until = ends.get(one.path.name)
        key = f"until {until}" if until else ("ended" if one.store_key else "no")
        table.add_row(one.path.name, str(one.size), key)
    console().print(table)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", dir_okay=False)],
    identity: Identity,
    as_json: AsJson = False,
) -> None:
    """Decrypts a backup to its end and checks every digest in it; writes nothing.

    Exit code 7 if it is damaged or cut short, 3 if it was made for another key. Needs no home.

    Example: folkmoot-node backup verify FILE --identity backup.key
    """
    from folkmoot_operator.backup_file import read_backup

    read = read_backup(file, identity)
    if as_json:
        print_json(
            {"sha256": read.sha256, "size": read.size, "files": read.files, **_said(read.about)}
        )
        return
    about = read.about
    typer.echo(f"{about.program} {about.version}, {about.name}, made at {about.made_at}")
    typer.echo(f"{read.files} files, each as it was. SHA-256 {read.sha256}")
    for name, head in about.heads.items():
        typer.echo(f"Head of {'all logs' if name == 'all' else f'the {name} log'}: {head}")
    if about.expires:
        typer.echo(f"The store's key is in it, until {about.expires}.")
    for what in about.left_out:
        typer.echo(f"Not in it: {what}.")


def restore(
    identity: Identity,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="The backup; with --drill by default the newest.", dir_okay=False
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="The new folder; it must not exist.", file_okay=False)
    ] = None,
    store_key: Annotated[
        Path | None,
        typer.Option(help="The key of the scores, where it was kept apart.", dir_okay=False),
    ] = None,
    drill: Annotated[
        bool,
        typer.Option(
            "--drill", help="Only try it: restore, check, say how long it took, delete it again."
        ),
    ] = False,
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
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.restore import note_drill, restore_node
    from folkmoot_operator.backup_folder import newest

    if drill:
        with open_home(home) as node:
            file = file or newest(_folder(node, None), str(node.config.council)).path
            place = node.config.home / ".drill"
            done = restore_node(file, identity, place, current_operator(), store_key=store_key,
                                drill=True)  # fmt: skip
            note_drill(node, current_operator(), file.name, done.restored.seconds)
    else:
        if file is None or into is None:
            raise typer.BadParameter("name the backup, and the new folder with --into")
        done = restore_node(file, identity, into, current_operator(), store_key=store_key)
    restored = done.restored
    if as_json:
        print_json(
            {
                "home": None if drill else str(restored.home),
                "seconds": round(restored.seconds, 1),
                "missing": list(done.missing),
                **_said(restored.read.about),
            }
        )
        return
    about = restored.read.about
    what = "Restored, checked and deleted again" if drill else f"Restored to {restored.home}"
    typer.echo(f"{what}: {about.name} as of {about.made_at}, {restored.read.files} files, "
               f"{restored.seconds:.1f} seconds.")  # fmt: skip
    for one in done.missing:
        typer.echo(f"Missing: {one}.")
    if not drill:
        typer.echo("Next: `folkmoot-node ledger recover` there, which compares with the receipts.")


def _folder(node: NodeHome, folder: Path | None) -> Path:
    """Where backups are; Problem if nobody has said."""
    if folder is not None:
        return folder
    if node.config.backup is not None:
        return node.config.home / node.config.backup.folder
    from folkmoot_operator.problems import ExitCode, Problem

    raise Problem(
        "no folder is named for backups",
        where=f"{node.config.home / 'node.toml'}: backup.folder",
        remedy="Name one in [backup] as folder, or with --folder",
        exit_code=ExitCode.SETTINGS,
    )


def _casework(node: NodeHome) -> tuple[list[EncryptedDatabase], list[str]]:
    """The database of casework, and what of it is not in a backup."""
    if node.config.casework is None:
        return [], []
    if node.config.casework.database is not None:
        return [], ["casework: its database is in PostgreSQL; back it up with pg_dump"]
    import os

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


def _said(about: About) -> dict[str, Any]:
    return about.model_dump(mode="json", exclude={"format"})
