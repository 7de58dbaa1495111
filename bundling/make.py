"""Makes one bundle: a folder, or one archive of it."""

from __future__ import annotations

import shutil
import sysconfig
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bundling.bill_of_materials import bill
from bundling.manifest import write_manifest
from bundling.requirements import closure, metadata, needs_here, needs_of_wheels, read_lock
from bundling.roles import Role
from bundling.wheels import Say, build_ours, collect, sha256
from folkmoot_operator.problems import ExitCode, Problem

BILL, INSTALLER, PUBLIC_KEY = "sbom.cdx.json", "install.sh", "folkmoot-bundle.pub"
_HERE = Path(__file__).parent


def make_bundle(
    sources: Path, role: Role, key: Ed25519PrivateKey, store: Path, out: Path, say: Say
) -> Path:
    """Makes the bundle of a role.

    Args:
        sources: The root of the repository.
        role: The role.
        key: Signs the bundle.
        store: Folder that keeps fetched wheels.
        out: Folder that the bundle goes into.
        say: Tells the operator what is being done.

    Returns:
        The folder of the bundle.

    Raises:
        Problem: If it cannot be made. Then nothing is left of it.
    """
    version = (sources / "VERSION").read_text().strip()
    platform = sysconfig.get_platform().replace("-", "_")
    place = out / f"folkmoot-{role.name}-{version}-{platform}"
    if place.exists():
        raise Problem(
            "there is a bundle of this name already",
            where=str(place),
            remedy="Remove it, or name another folder with --out",
            exit_code=ExitCode.REFUSED,
        )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out) as scratch:
        folder = Path(scratch, "bundle")
        _fill(folder, sources, role, version, key, store, say)
        folder.rename(place)
    (out / PUBLIC_KEY).write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return place


def pack(folder: Path) -> Path:
    """Puts a bundle into one archive beside it, the same from the same files."""
    archive = folder.with_name(f"{folder.name}.tar")
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            member = tar.gettarinfo(path, f"{folder.name}/{path.relative_to(folder)}")
            member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
            if path.is_dir():
                member.mode = 0o755
                tar.addfile(member)
            else:
                member.mode, member.type = 0o644, tarfile.REGTYPE
                member.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(member, file)
    return archive


def _fill(
    folder: Path, sources: Path, role: Role, version: str, key: Ed25519PrivateKey, store: Path,
    say: Say,
) -> None:  # fmt: skip
    say("Building our wheels ...")
    with tempfile.TemporaryDirectory(prefix=".ours-", dir=folder.parent) as scratch:
        ours = build_ours(sources, Path(scratch))
        pins = read_lock(sources / "requirements.lock") | read_lock(_HERE / "pip.lock")
        wanted = _wanted(role, ours)
        names = {
            extra: closure(roots, needs_here(ours, pins)) | {"pip"}
            for extra, roots in wanted.items()
        }
        everything = set().union(*names.values())
        wheels = collect(
            [pins[name] for name in everything - ours.keys()], store, folder / "wheels", say
        )
        for name in everything & ours.keys():
            wheels[name] = Path(shutil.move(ours[name], folder / "wheels" / ours[name].name))
    for extra, roots in wanted.items():
        # From the wheels themselves: what was installed here said the same.
        if closure(roots, needs_of_wheels(wheels)) | {"pip"} != names[extra]:
            raise Problem(
                "the wheels need something else than what is installed here",
                where=extra,
                remedy="Make the environment from the lock: `make setup`",
                exit_code=ExitCode.SETTINGS,
            )
    say(f"Writing down {len(wheels)} wheels ...")
    (folder / "requirements").mkdir()
    for extra, those in names.items():
        path = folder / "requirements" / f"{extra}.txt"
        path.write_text("".join(sorted(_line(name, wheels[name]) for name in those)), "utf-8")
    needed = [root for roots in wanted.values() for root in roots]
    (folder / BILL).write_text(bill(role.name, version, wheels, needed), "utf-8")
    shutil.copyfile(_HERE / INSTALLER, folder / INSTALLER)
    _copy_units(sources / "deploy", folder / "deploy")
    write_manifest(folder, role, version, wanted.keys() - {BASE}, key)


def _copy_units(deploy: Path, into: Path) -> None:
    """Copies what an operator adapts to the machine: units and what goes with them."""
    for path in sorted(deploy.rglob("*")):
        if path.is_file() and path.name not in _NOT_IN_BUNDLES:
            place = into / path.relative_to(deploy)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


_NOT_IN_BUNDLES = ("Containerfile", "README.md")
"""What is for the repository: one builds from a bundle, the other links to the documents."""
BASE = "base"
"""Name of what is always installed, beside the names of extras."""


def _wanted(role: Role, ours: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
    """The requirements of ours for what is always installed, and for each extra."""
    first = Requirement(role.distributions[0]).name
    parsed, _ = parse_email(bytes(metadata(ours[canonicalize_name(first)])))
    extras = parsed.get("provides_extra", [])
    return {BASE: role.distributions} | {extra: (f"{first}[{extra}]",) for extra in sorted(extras)}


def _line(name: str, wheel: Path) -> str:
    return f"{name}=={metadata(wheel)['Version']} --hash=sha256:{sha256(wheel)}\n"
