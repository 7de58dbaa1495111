"""The bill of materials of a bundle (SBOM): what is in it, in CycloneDX 1.6, as JSON.

Nothing in it depends on when or where it is made, so that the same bundle has the same bill.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from email.message import Message
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bundling.requirements import metadata
from bundling.wheels import sha256
from folkmoot_operator.problems import ExitCode, Problem

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "folkmoot:bundle")
_LONGEST_NAME_OF_LICENCE = 100
"""Some wheels put the whole text where the name of their licence goes."""


def bill(role: str, version: str, wheels: Mapping[str, Path], roots: Iterable[str]) -> str:
    """Lists the wheels of a bundle: name, version, digest, licence where it is stated, and needs.

    Args:
        role: The role of the bundle.
        version: Version of Folkmoot.
        wheels: The wheels, by normalised name.
        roots: Requirements that the role needs itself.

    Returns:
        JSON, checked against the schema.

    Raises:
        Problem: Exit code FAULT, if it does not fit the schema.
    """
    about = {name: metadata(path) for name, path in wheels.items()}
    components = {name: _component(about[name], wheels[name]) for name in wheels}
    whole = Component(name=f"folkmoot-{role}-bundle", version=version, bom_ref="bundle",
                      type=ComponentType.APPLICATION)  # fmt: skip
    bom = Bom(components=components.values(), serial_number=_serial(role, wheels))
    bom.metadata.component = whole
    bom.metadata.timestamp = None  # type: ignore[assignment]  # it may be left out
    bom.register_dependency(whole, [components[_name(root)] for root in sorted(set(roots))])
    for name, component in components.items():
        needed = {_name(text) for text in about[name].get_all("Requires-Dist") or []}
        bom.register_dependency(
            component, [components[other] for other in sorted(needed & wheels.keys())]
        )
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise Problem(
            "the bill of materials does not fit the schema of CycloneDX",
            where=str(fault).partition("\n")[0],
            remedy="This is a fault in Folkmoot: report it",
            exit_code=ExitCode.FAULT,
        )
    return text + "\n"


def _component(about: Message, wheel: Path) -> Component:
    name, version = str(about["Name"]), str(about["Version"])
    digest = sha256(wheel)
    address = PackageURL("pypi", name=canonicalize_name(name), version=version)
    return Component(
        name=canonicalize_name(name),
        version=version,
        bom_ref=f"{canonicalize_name(name)}=={version}",
        type=ComponentType.LIBRARY,
        description=about["Summary"],
        # Ours is on no index, so no address leads to it.
        purl=None if name.startswith("folkmoot") else address,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        licenses=_licences(about),
    )


def _licences(about: Message) -> list[License]:
    stated = about["License-Expression"] or about["License"] or ""
    if not stated or "\n" in stated or len(stated) > _LONGEST_NAME_OF_LICENCE:
        stated = "; ".join(
            line.rpartition(" :: ")[2]
            for line in about.get_all("Classifier") or []
            if line.startswith("License :: ")
        )
    return [LicenseFactory().make_from_string(stated)] if stated else []


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def _serial(role: str, wheels: Mapping[str, Path]) -> uuid.UUID:
    names = "\n".join(sorted(path.name + sha256(path) for path in wheels.values()))
    return uuid.uuid5(_SPACE, f"{role} {hashlib.sha256(names.encode()).hexdigest()}")
