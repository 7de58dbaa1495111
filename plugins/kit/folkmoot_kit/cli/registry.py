"""`registry`: a folder that carries manifests, reviews, reports and revocations to councils."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_kit.cli.wheel_options import AsJson, KeyFile, today
from folkmoot_operator.console import print_json

if TYPE_CHECKING:
    from folkmoot_kit.provenance.registry_index import Index
    from folkmoot_kit.provenance.registry_keeping import Keeper

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The registry.", file_okay=False)]
FreshDays = Annotated[
    int,
    typer.Option("--fresh-days", min=1, max=366, help="For how many days nodes may rely on it."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(
        help="A registry of signed documents about plugins: a folder, or a static site.",
        no_args_is_help=True,
    )
    for command in (init, add, revoke, refresh, check, bundle):
        group.command()(command)
    app.add_typer(group, name="registry")


def init(
    folder: Folder,
    key: KeyFile,
    name: Annotated[str, typer.Option("--name", help="Who keeps it.")],
    fresh_days: FreshDays = 90,
    as_json: AsJson = False,
) -> None:
    """Makes an empty registry.

    Example: folkmoot-plugin registry init registry --key registry.pem --name "West region"
    """
    _done(_keeper(folder, key, fresh_days).init(name), folder, as_json=as_json)


def add(
    folder: Folder,
    documents: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Signed documents and lists of components.", exists=True
        ),
    ],
    key: KeyFile,
    fresh_days: FreshDays = 90,
    as_json: AsJson = False,
) -> None:
    """Adds manifests, reviews, reports, and lists of components.

    Their signatures must be valid. Whose keys count is for each council to say.

    Example: folkmoot-plugin registry add registry energy.manifest.json energy.sbom.json --key
    registry.pem
    """
    _done(_keeper(folder, key, fresh_days).add(documents), folder, as_json=as_json)


def revoke(
    folder: Folder,
    key: KeyFile,
    reason: Annotated[str, typer.Option("--reason", help="Why, for people.")],
    wheel: Annotated[
        str,
        typer.Option("--wheel", metavar="WHEEL", help="A wheel, or its digest (sha256:...)."),
    ] = "",
    signer: Annotated[
        str,
        typer.Option(
            "--signer",
            metavar="KEY",
            help="A public key (ed25519:...) or its id: nothing it signed counts any more.",
        ),
    ] = "",
    fresh_days: FreshDays = 90,
    as_json: AsJson = False,
) -> None:
    """Revokes a wheel, or a key with all that it has signed.

    Nodes that read the registry learn of it at once, others with the next bundle.

    Example: folkmoot-plugin registry revoke registry --key registry.pem --wheel energy.whl
    --reason "It reads more than it says."
    """
    from folkmoot_kit.provenance.revoking import revocation

    what = revocation(wheel, signer, reason, today())
    _done(_keeper(folder, key, fresh_days).revoke(what), folder, as_json=as_json)


def refresh(
    folder: Folder, key: KeyFile, fresh_days: FreshDays = 90, as_json: AsJson = False
) -> None:
    """Signs the registry again, so that nodes may rely on it for longer.

    Example: folkmoot-plugin registry refresh registry --key registry.pem
    """
    _done(_keeper(folder, key, fresh_days).refresh(), folder, as_json=as_json)


def check(
    source: Annotated[
        Path, typer.Argument(metavar="REGISTRY", help="A folder, or a bundle.", exists=True)
    ],
    trusted_keys: Annotated[
        Path | None,
        typer.Option("--trusted-keys", help="Whose signatures count.", dir_okay=False, exists=True),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Checks that a registry or bundle is whole, signed and still to be relied on.

    Exit code 7 if it is not.

    Example: folkmoot-plugin registry check registry.zip --trusted-keys trusted-keys.toml
    """
    from folkmoot_kit.provenance import load_trusted_keys
    from folkmoot_kit.provenance.bundle import check_registry
    from folkmoot_kit.provenance.registry_index import require_fresh, require_key

    found = check_registry(source)
    if trusted_keys is not None:
        require_key(found, load_trusted_keys(trusted_keys))
    require_fresh(found, today())
    if as_json:
        print_json({"key_id": found.key_id, **found.body.model_dump(mode="json")})
        return
    body = found.body
    typer.echo(
        f"The registry of {body.name}, number {body.number}, is whole; "
        f"files: {len(body.documents)}, revoked: {len(body.revoked)}; "
        f"to be relied on until {body.fresh_until}"
    )
    whose = "the registry the council follows" if trusted_keys else "not compared: --trusted-keys"
    typer.echo(f"  key {found.key_id} ({whose})")


def bundle(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="The zip file.", dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Writes the registry as one file, for nodes without a connection.

    Example: folkmoot-plugin registry bundle registry --out registry.zip
    """
    from folkmoot_kit.provenance.bundle import check_registry, write_bundle
    from folkmoot_kit.provenance.registry_index import Registry

    index = check_registry(folder)
    write_bundle(Registry(folder, index), out)
    if as_json:
        print_json({"bundle": out, "number": index.body.number})
        return
    typer.echo(f"{out}: number {index.body.number}. Nodes take it over with "
               f"`folkmoot-node plugins import-registry {out}`")  # fmt: skip


def _keeper(folder: Path, key: Path, fresh_days: int) -> Keeper:
    from folkmoot_kit.provenance import load_key
    from folkmoot_kit.provenance.registry_keeping import Keeper

    return Keeper(folder, load_key(key), today(), fresh_days)


def _done(index: Index, folder: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(index.model_dump(mode="json"))
        return
    typer.echo(
        f"{folder}: number {index.number}, files: {len(index.documents)}, "
        f"revoked: {len(index.revoked)}; to be relied on until {index.fresh_until}"
    )
