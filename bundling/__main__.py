"""The command behind `make bundle`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from bundling.make import PUBLIC_KEY, make_bundle, pack
from bundling.manifest import MANIFEST
from bundling.roles import roles
from bundling.wheels import sha256
from folkmoot_kit.provenance.signed import key_id, load_key, public_key
from folkmoot_operator.problems import Problem

ROOT = Path(__file__).resolve().parents[1]
_ROLES = roles()


def main(
    role: Annotated[
        str, typer.Option(help=f"Whose bundle: {', '.join(_ROLES)}, or all.", metavar="ROLE")
    ] = "all",
    key: Annotated[
        Path, typer.Option(help="Private key that signs it, made with `folkmoot-plugin keygen`.")
    ] = Path("bundle-key.pem"),
    out: Annotated[Path, typer.Option(help="Folder that it goes into.")] = Path("dist"),
    store: Annotated[
        Path, typer.Option(help="Folder that keeps the wheels that were fetched.")
    ] = Path(".wheels"),
    sources: Annotated[Path, typer.Option(help="The repository.", hidden=True)] = ROOT,
    unpacked: Annotated[
        bool, typer.Option("--unpacked", help="Leave it as a folder, not as one archive.")
    ] = False,
) -> None:
    """Makes an offline bundle: wheels by digest, bill of materials, signed manifest, installer.

    Give the public key and its fingerprint to those who install it, by a way on which nobody can
    change them; the bundle may go by any way.

    Example: make bundle ROLE=node KEY=~/keys/bundle.pem
    """
    if role not in (*_ROLES, "all"):
        raise typer.BadParameter(f"{role}: choose {', '.join(_ROLES)} or all", param_hint="--role")
    try:
        signer = load_key(key)
        for one in _ROLES.values() if role == "all" else (_ROLES[role],):
            typer.echo(f"Bundle of the role {one.name}:")
            made = make_bundle(
                sources, one, signer, store, out, lambda line: typer.echo(f"  {line}")
            )
            if not unpacked:
                folder, made = made, pack(made)
                shutil.rmtree(folder)
            digest = sha256(made if made.is_file() else made / MANIFEST)
            typer.echo(f"  {made}\n  SHA-256 {digest}")
    except Problem as problem:
        typer.echo(f"Error: {problem}\n  Remedy: {problem.remedy}", err=True)
        raise typer.Exit(int(problem.exit_code)) from None
    typer.echo(f"Public key: {out / PUBLIC_KEY}\nIts fingerprint: {key_id(public_key(signer))}")


if __name__ == "__main__":
    sys.argv[0] = "make bundle"
    typer.run(main)
