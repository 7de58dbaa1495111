"""`keygen`, `pin`, `sign`, `verify`, `review`: who made a plugin, and who has looked at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_kit.cli.wheel_options import (
    AsJson,
    Days,
    Files,
    KeyFile,
    Memory,
    Network,
    Out,
    Seconds,
    WheelFile,
    today,
)
from folkmoot_operator.console import print_json

if TYPE_CHECKING:
    from folkmoot_kit.provenance import Declarations, Privileges, Signed, Wheel
    from folkmoot_kit.provenance.statements import Statement


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    for command in (keygen, pin, sign, verify, review):
        app.command()(command)


def keygen(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes.")],
    as_json: AsJson = False,
) -> None:
    """Makes a key to sign with: Ed25519, in a file that this account alone can read.

    A file that is there is never replaced. Give the public key that is printed to those who are
    to trust it, by a way on which nobody can change it.

    Example: folkmoot-plugin keygen ~/keys/vendor.pem
    """
    from folkmoot_kit.provenance import key_id, new_key, public_key
    from folkmoot_kit.provenance.trusted_keys import PREFIX

    public = public_key(new_key(file))
    if as_json:
        print_json({"file": file, "key": f"{PREFIX}{public.hex()}", "key_id": key_id(public)})
        return
    typer.echo(f"Private key: {file}. Keep it where nobody else can read it, and a backup of it.")
    typer.echo(f"Public key: {PREFIX}{public.hex()}")
    typer.echo(f"Its id: {key_id(public)}")


def pin(
    wheel: WheelFile,
    network: Network = None,
    files: Files = False,
    memory_mib: Memory = 2048,
    seconds: Seconds = 600,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Write it into this node.toml.", dir_okay=False, exists=True),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prints the table of node.toml that allows a wheel, and exactly that wheel.

    Run it where the wheel is installed, with the node's Python: all that comes with the plugin is
    pinned, too. What is granted here is what the plugin may do.

    Example: folkmoot-plugin pin folkmoot_plugin_energy_debt-1.2.0-py3-none-any.whl --files
    """
    from folkmoot_kit.confinement import import_folders
    from folkmoot_kit.provenance import Installation, as_toml, make_pin, read_wheel
    from folkmoot_kit.provenance.pinned_settings import write_pin

    found = read_wheel(wheel)
    granted = _privileges(network, files, memory_mib, seconds)
    made = make_pin(found, Installation(import_folders()), granted)
    if write is not None:
        write_pin(write, found.name, made)
    if as_json:
        print_json(
            {
                "distribution": found.name,
                "version": made.version,
                "wheel": made.wheel,
                "content": made.content,
                "requires": dict(made.requires),
                "granted": granted.model_dump(mode="json"),
                "written": write,
            }
        )
    elif write is not None:
        typer.echo(f"{write} now allows {found.label}.")
    else:
        typer.echo(as_toml(found.name, made), nl=False)


def sign(
    wheel: WheelFile,
    key: KeyFile,
    vendor: Annotated[str, typer.Option("--vendor", help="Who made the plugin.")],
    network: Network = None,
    files: Files = False,
    memory_mib: Memory = 2048,
    seconds: Seconds = 600,
    fields: Annotated[
        Path | None,
        typer.Option(
            "--fields",
            help="JSON that names the fields of sources which no setting changes, by kind.",
            dir_okay=False,
            exists=True,
        ),
    ] = None,
    sbom: Annotated[
        Path | None,
        typer.Option(
            "--sbom",
            help="List of components, CycloneDX in JSON. If left out: the one in the wheel, or one "
            "that is made of what is installed.",
            dir_okay=False,
            exists=True,
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option("--licence", help="SPDX expression; the wheel's own if left out.")
    ] = "",
    days: Days = 730,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Signs the manifest of a wheel: what the plugin offers, reads and asks for.

    The plugin is loaded in a confined process in order to learn what it offers. The manifest and
    the list of components are written beside the wheel; give both to the registry.

    Example: folkmoot-plugin sign dist/*.whl --key ~/keys/vendor.pem --vendor "Energy Data Ltd"
    """
    from folkmoot_kit.confinement import import_folders
    from folkmoot_kit.provenance import Installation, load_key, read_wheel
    from folkmoot_kit.provenance import sign as signed
    from folkmoot_kit.provenance.clashes import require_no_clash
    from folkmoot_kit.provenance.sboms import sbom_of
    from folkmoot_kit.provenance.signing_wheels import make_manifest

    found = read_wheel(wheel)
    private = load_key(key)
    installation = Installation(import_folders())
    require_no_clash(found, installation)
    parts = sbom_of(found, sbom, installation)
    body = make_manifest(
        found,
        vendor=vendor,
        declares=_declared(found, fields),
        privileges=_privileges(network, files, memory_mib, seconds),
        sbom=parts,
        today=today(),
        days=days,
        licence=licence,
    )
    place = out or _beside(found, "manifest")
    list_place = place.with_name(f"{_stem(found)}.sbom.json")
    _write(place, signed(body, private))
    _write(list_place, parts)
    if as_json:
        print_json({"manifest": place, "sbom": list_place, **body.model_dump(mode="json")})
        return
    typer.echo(f"Signed: {place}, valid until {body.valid_until}")
    typer.echo(f"Components: {list_place}")
    for factor in body.declares.factors:
        typer.echo(f"  factor {factor.name} reads {factor.reads}")
    for source in body.declares.sources:
        typer.echo(f"  source {source.kind} gives {source.gives}")


def review(
    wheel: WheelFile,
    key: KeyFile,
    person: Annotated[str, typer.Option("--person", help="Who has read the plugin.")],
    organisation: Annotated[str, typer.Option("--organisation", help="For whom.")],
    statement: Annotated[
        str, typer.Option("--statement", help="What was looked at, and what was found.")
    ],
    days: Days = 730,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Signs a review of a wheel.

    A wheel counts as reviewed when two people of two organisations have signed, neither of them the
    vendor, with keys that the council trusts.

    Example: folkmoot-plugin review dist/*.whl --key ~/keys/khan.pem --person "A. Khan"
    --organisation "Exampleton Council" --statement "Read all modules; scores what it says."
    """
    from folkmoot_kit.provenance import key_id, load_key, public_key, read_wheel
    from folkmoot_kit.provenance import sign as signed
    from folkmoot_kit.provenance.signing_wheels import make_review

    found = read_wheel(wheel)
    private = load_key(key)
    body = make_review(
        found,
        person=person,
        organisation=organisation,
        statement=statement,
        today=today(),
        days=days,
    )
    place = out or _beside(found, f"review-{key_id(public_key(private))[:8]}")
    _write(place, signed(body, private))
    if as_json:
        print_json({"review": place, **body.model_dump(mode="json")})
        return
    typer.echo(f"Signed: {place}, valid until {body.valid_until}")


def verify(
    document: Annotated[
        Path, typer.Argument(metavar="FILE", help="A signed document.", dir_okay=False, exists=True)
    ],
    wheel: Annotated[
        Path | None,
        typer.Option("--wheel", help="The wheel it must be about.", dir_okay=False, exists=True),
    ] = None,
    trusted_keys: Annotated[
        Path | None,
        typer.Option("--trusted-keys", help="Whose signatures count.", dir_okay=False, exists=True),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Checks a manifest, review or report: whole, signed, in its time, about this wheel.

    Run it before installing: with --wheel it says, too, whether the wheel would overwrite anything
    that is installed here. Without --trusted-keys it is not said whether the key belongs to whom it
    names. Exit code 7 if anything is wrong.

    Example: folkmoot-plugin verify energy.manifest.json --wheel energy.whl
    --trusted-keys trusted-keys.toml
    """
    from folkmoot_kit.confinement import import_folders
    from folkmoot_kit.provenance import Installation, load_trusted_keys, read_wheel
    from folkmoot_kit.provenance.clashes import require_no_clash
    from folkmoot_kit.provenance.verification import read_any, verified

    found = read_any(document)
    trusted = load_trusted_keys(trusted_keys) if trusted_keys else None
    brought = read_wheel(wheel) if wheel else None
    who = verified(found, brought, trusted, today())
    if brought is not None:
        require_no_clash(brought, Installation(import_folders()))
    if as_json:
        body = found.body.model_dump(mode="json")
        print_json({"kind": found.body.kind, "key_id": found.key_id, "signer": who, **body})
        return
    _show(found, who)


def _show(found: Signed[Statement], who: str | None) -> None:
    from folkmoot_kit.provenance import Manifest, Report, Review

    body = found.body
    typer.echo(f"{body.kind}: {body.distribution} {body.version}, valid until {body.valid_until}")
    typer.echo(f"  wheel {body.wheel}")
    signer = who or "nobody has said whose key it is: give --trusted-keys"
    typer.echo(f"  key {found.key_id} ({signer})")
    if isinstance(body, Manifest):
        typer.echo(f"  vendor {body.vendor}; licence {body.licence}; SDK {body.sdk}")
        for factor in body.declares.factors:
            typer.echo(f"  factor {factor.name} reads {factor.reads}")
        for source in body.declares.sources:
            typer.echo(f"  source {source.kind} gives {source.gives}")
    elif isinstance(body, Review):
        typer.echo(f"  {body.person}, {body.organisation}: {body.statement}")
    elif isinstance(body, Report):
        typer.echo(
            f"  the conformance kit {body.kit} {'passed it' if body.passed else 'failed it'}"
        )


def _declared(wheel: Wheel, fields: Path | None) -> Declarations:
    """What the plugin in a wheel offers, learnt from it in a confined process."""
    from tempfile import TemporaryDirectory

    from folkmoot_kit.confinement import import_folders
    from folkmoot_kit.hosting import Hosting, open_plugins
    from folkmoot_kit.provenance import declarations_of
    from folkmoot_kit.provenance.declared_fields import read_fields
    from folkmoot_kit.provenance.wheel_file import unpack_wheel
    from folkmoot_operator.problems import ExitCode, Problem

    known = read_fields(fields) if fields else {}
    with TemporaryDirectory(prefix="folkmoot-plugin-") as place:
        unpack_wheel(wheel, Path(place))
        folders = (Path(place), *import_folders())
        hosting = Hosting(distributions=(wheel.name,))
        with open_plugins([hosting], import_folders=folders) as plugins:
            if plugins.broken:
                raise Problem(
                    "\n".join(f"{one.origin}, {one.hook}: {one.problem}" for one in plugins.broken),
                    where=wheel.path.name,
                    remedy=plugins.broken[0].remedy,
                    exit_code=ExitCode.FAULT,
                )
            return declarations_of(plugins, known)


def _privileges(
    network: list[str] | None, files: bool, memory_mib: int, seconds: int
) -> Privileges:
    from folkmoot_kit.provenance.privileges import stated

    return stated(tuple(network or ()), files=files, memory_mib=memory_mib, seconds=seconds)


def _stem(wheel: Wheel) -> str:
    return f"{wheel.name}-{wheel.version}"


def _beside(wheel: Wheel, what: str) -> Path:
    return wheel.path.with_name(f"{_stem(wheel)}.{what}.json")


def _write(path: Path, content: bytes) -> None:
    from folkmoot_operator.output_places import require_no_link, writing_to
    from folkmoot_operator.private_files import publishing

    require_no_link(path)
    with writing_to(path), publishing():
        path.write_bytes(content)
