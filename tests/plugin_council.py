"""A council with a plugin: its wheel, where it is installed, keys, a registry, and a pin."""

from __future__ import annotations

import base64
import csv
import datetime
import hashlib
import io
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_kit.provenance import (
    Declarations,
    Installation,
    Manifest,
    NewestRegistry,
    Outcome,
    Pin,
    Privileges,
    Report,
    Review,
    Standing,
    TrustedKeys,
    Wheel,
    load_trusted_keys,
    make_pin,
    open_registry,
    public_key,
    read_wheel,
    sign,
    standing,
)
from folkmoot_kit.provenance.registry_keeping import Keeper
from folkmoot_kit.provenance.signing_wheels import make_manifest, make_review

NAME = "folkmoot-plugin-energy-debt"
MODULE = "folkmoot_plugin_energy_debt"
TODAY = datetime.date(2026, 11, 29)
SITE = next(Path(path) for path in sys.path if path.endswith("site-packages"))
FILES = {
    f"{MODULE}/__init__.py": "from folkmoot_sdk import hookimpl\n",
    f"{MODULE}/scale.py": "STEPS = (0.1, 0.5)\n",
    f"{MODULE}/data/codes.csv": "code\na\n",
}
POINTS = f"[folkmoot]\nenergy_debt = {MODULE}\n"
SBOM = b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}\n'
_WHEEL = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def recorded(digest: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def write_wheel(
    folder: Path,
    files: Mapping[str, str | bytes] = FILES,
    *,
    name: str = NAME,
    version: str = "1.2.0",
    requires: Sequence[str] = ("folkmoot-sdk>=0.1,<9",),
    points: str = POINTS,
    about: Mapping[str, str | bytes] | None = None,
    change: Callable[[zipfile.ZipFile, dict[str, bytes]], None] | None = None,
) -> Path:
    """Writes a wheel, as any build tool would.

    Args:
        folder: Where to.
        files: What it brings, by path in the archive.
        name: Name of the distribution.
        version: Its version.
        requires: What it requires.
        points: Text of its `entry_points.txt`.
        about: More files of its `*.dist-info`.
        change: Writes the archive in its own way, given all files with RECORD.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
    metadata += "License-Expression: Apache-2.0\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    whole = {path: _bytes(text) for path, text in files.items()}
    whole |= {f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": _WHEEL.encode()}
    if points:
        whole[f"{info}/entry_points.txt"] = points.encode()
    whole |= {f"{info}/{path}": _bytes(text) for path, text in (about or {}).items()}
    lines = io.StringIO()
    rows = csv.writer(lines, lineterminator="\n")
    for path, content in whole.items():
        rows.writerow((path, recorded(hashlib.sha256(content).digest()), len(content)))
    rows.writerow((f"{info}/RECORD", "", ""))
    whole.setdefault(f"{info}/RECORD", lines.getvalue().encode())
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if change is not None:
            change(archive, whole)
        else:
            for member, content in whole.items():
                archive.writestr(member, content)
    return path


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def unpack(wheel: Path, site: Path) -> None:
    """Installs a wheel as installers do, without starting one.

    `test_content.py` has pip install the same wheels, and compares.
    """
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    [info] = site.glob(f"{wheel.name.split('-')[0]}-*.dist-info")
    (info / "INSTALLER").write_text("pip\n")
    (info / "REQUESTED").touch()
    data = site / f"{info.name.removesuffix('.dist-info')}.data"
    record = (info / "RECORD").read_text().replace(f"{data.name}/purelib/", "")
    record += f"{info.name}/INSTALLER,,\n{info.name}/REQUESTED,,\n"
    (info / "RECORD").write_text(record)
    for scheme in data.glob("*lib"):
        for path in [one for one in scheme.rglob("*") if one.is_file()]:
            place = site / path.relative_to(scheme)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)


@dataclass
class Council:
    """A council that follows a registry, and has a plugin installed.

    Attributes:
        folder: Where its files are.
        vendor: Key of the plugin's vendor; the others are those of who keeps the registry,
            reviews, and runs the kit.
        today: The day on which they sign: what they sign lapses within a year, and the list
            of the registry sooner. Tests whose product looks at the machine's clock give its day.
    """

    folder: Path
    today: datetime.date = TODAY
    vendor: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    registry_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    khan: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    jones: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kit: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def site(self) -> Path:
        return self.folder / "site-packages"

    @property
    def registry(self) -> Path:
        return self.folder / "registry"

    @property
    def trusted_file(self) -> Path:
        return self.folder / "trusted-keys.toml"

    @property
    def trusted(self) -> TrustedKeys:
        return load_trusted_keys(self.trusted_file)

    @property
    def wheel(self) -> Wheel:
        [path] = self.folder.glob("*.whl")
        return read_wheel(path)

    @property
    def installation(self) -> Installation:
        return Installation((self.site, SITE))

    @property
    def newest(self) -> NewestRegistry:
        return NewestRegistry(self.folder / "newest")

    def keeper(self, today: datetime.date | None = None) -> Keeper:
        return Keeper(self.registry, self.registry_key, today or self.today)

    def pin(self, granted: Privileges | None = None) -> Pin:
        return make_pin(self.wheel, self.installation, granted or Privileges())

    def manifest(self, **changed: object) -> Manifest:
        body = make_manifest(
            self.wheel,
            vendor="Energy Data Ltd",
            declares=Declarations(),
            privileges=Privileges(),
            sbom=SBOM,
            today=self.today,
        )
        return body.model_copy(update=changed)

    def review(self, person: str, organisation: str, **changed: object) -> Review:
        body = make_review(
            self.wheel,
            person=person,
            organisation=organisation,
            statement="Read all of it; it scores what it says.",
            today=self.today,
        )
        return body.model_copy(update=changed)

    def report(self, *outcomes: Outcome, **changed: object) -> Report:
        body = Report(
            distribution=self.wheel.name,
            version=self.wheel.version,
            wheel=self.wheel.digest,
            content=self.wheel.content,
            valid_from=self.today,
            valid_until=self.today + datetime.timedelta(days=365),
            kit="0.1",
            sdk="0.1",
            outcomes=outcomes or (Outcome(check="determinism", passed=True),),
        )
        return body.model_copy(update=changed)

    def add(self, *signed: bytes) -> None:
        """Adds documents to the registry."""
        paths = []
        for content in signed:
            path = self.folder / f"{hashlib.sha256(content).hexdigest()}.json"
            path.write_bytes(content)
            paths.append(path)
        self.keeper().add(paths)

    def trust(self, text: str) -> None:
        self.trusted_file.write_text(text)

    def keys_file(self, vendor_until: str = "") -> str:
        """The text of the usual file of trusted keys."""
        return f"""\
[[vendors]]
name = "Energy Data Ltd"
key = "{key_text(self.vendor)}"
distributions = ["{NAME}"]
{vendor_until}
[[reviewers]]
person = "A. Khan"
organisation = "Exampleton Council"
key = "{key_text(self.khan)}"

[[reviewers]]
person = "B. Jones"
organisation = "Otherham Council"
key = "{key_text(self.jones)}"

[[reporters]]
name = "Exampleton IT"
key = "{key_text(self.kit)}"

[registry]
name = "The region"
key = "{key_text(self.registry_key)}"
"""

    def stands(
        self,
        pin: Pin | None = None,
        today: datetime.date | None = None,
        *,
        require_report: bool = False,
    ) -> Standing:
        trusted = self.trusted
        return standing(
            NAME,
            pin or self.pin(),
            open_registry(self.registry, trusted),
            trusted,
            today or self.today,
            installation=self.installation,
            require_report=require_report,
        )


def key_text(key: Ed25519PrivateKey) -> str:
    return f"ed25519:{public_key(key).hex()}"


def make_council(folder: Path) -> Council:
    """A council whose plugin is installed, allowed, signed, and in the registry it follows."""
    made = Council(folder)
    made.site.mkdir()
    unpack(write_wheel(folder), made.site)
    made.trust(made.keys_file())
    made.keeper().init("The region")
    made.add(sign(made.manifest(), made.vendor), SBOM)
    return made
