"""Lists of components in CycloneDX: what is in a plugin, and what it brings with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from folkmoot_kit.provenance.installed import Installation
from folkmoot_kit.provenance.requirements import reached_from
from folkmoot_kit.provenance.signed import read_bounded
from folkmoot_kit.provenance.wheel_file import Wheel
from folkmoot_operator.problems import ExitCode, Problem

_VERSION = "1.6"


def sbom_of(wheel: Wheel, file: Path | None, installation: Installation) -> bytes:
    """The list of components of a wheel: the vendor's own, or one made of what is installed.

    Args:
        wheel: The wheel.
        file: The vendor's list; None if it has none beside the wheel. One in the wheel's
            `*.dist-info/sboms/` is used then.
        installation: Where what it requires is installed.

    Raises:
        Problem: If the list is not CycloneDX in JSON, there are several in the wheel, or what it
            requires is not installed.
    """
    if file is not None:
        return _checked(read_bounded(file, "the list of components"), str(file))
    if len(wheel.sboms) > 1:
        raise _wrong(", ".join(sorted(wheel.sboms)), "there are several lists in the wheel")
    for path, content in wheel.sboms.items():
        return _checked(content, f"{wheel.path.name}: {path}")
    return _made(wheel, installation)


def _made(wheel: Wheel, installation: Installation) -> bytes:
    reference = _purl(wheel.name, wheel.version)
    required = reached_from(installation, wheel.requirements, wheel.name)
    parts = []
    for name in required:
        distribution = installation.find(name)
        assert distribution is not None
        parts.append(_component(name, distribution.version, "library"))
    whole = {
        "bomFormat": "CycloneDX",
        "specVersion": _VERSION,
        "version": 1,
        "metadata": {"component": _component(wheel.name, wheel.version, "library")},
        "components": parts,
        "dependencies": [_depends(reference, [part["bom-ref"] for part in parts])],
    }
    return (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode()


def _component(name: str, version: str, kind: str) -> dict[str, Any]:
    purl = _purl(name, version)
    return {"type": kind, "name": name, "version": version, "purl": purl, "bom-ref": purl}


def _depends(reference: str, on: Iterable[str]) -> dict[str, Any]:
    return {"ref": reference, "dependsOn": list(on)}


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _checked(content: bytes, where: str) -> bytes:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or value.get("bomFormat") != "CycloneDX":
        raise _wrong(where, "is no list of components in CycloneDX (JSON)")
    return content


def _wrong(where: str, problem: str) -> Problem:
    return Problem(
        problem,
        where=where,
        remedy="Name the vendor's list with --sbom, or leave it out to have one made",
        exit_code=ExitCode.DATA,
    )
