"""Pins: exactly which wheel a council allows, with what else it brings, and what it may do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from folkmoot_kit.provenance.installed import Installation
from folkmoot_kit.provenance.privileges import Privileges
from folkmoot_kit.provenance.requirements import reached
from folkmoot_kit.provenance.wheel_file import Wheel
from folkmoot_operator.problems import ExitCode, Problem

TABLE = "plugins.allowed"
"""Where pins stand in `node.toml`."""
REQUIREMENT = re.compile(r"(?P<version>\S+) (?P<content>sha256:[0-9a-f]{64})")
"""How a pin writes what a plugin requires: its version and the digest of its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a council allows: a table of `node.toml`.

    Attributes:
        version: Version of the distribution.
        wheel: SHA-256 of the wheel: `sha256:` and 64 hexadecimal digits.
        content: Digest of its files, compared with those that are installed.
        requires: Other distributions that come with it, by normalised name: version and digest of
            their files, such as `1.4.1 sha256:...`. Those of the node itself are left out.
        granted: What the plugin may do.
    """

    version: str
    wheel: str
    content: str
    requires: Mapping[str, str] = field(default_factory=dict)
    granted: Privileges = field(default_factory=Privileges)


def make_pin(wheel: Wheel, installation: Installation, granted: Privileges) -> Pin:
    """A pin of a wheel that is installed.

    Args:
        wheel: The wheel.
        installation: Where it is installed, with what it requires.
        granted: What it will be allowed to do.

    Raises:
        Problem: If what is installed is not this wheel, or not all that it requires is installed.
    """
    found = installation.read(wheel.name)
    if found.content != wheel.content:
        raise Problem(
            f"{wheel.name} {found.version} is installed, and it is not this wheel",
            where=str(wheel.path),
            remedy=f"pip install --force-reinstall --no-deps {wheel.path}",
            exit_code=ExitCode.VERIFICATION,
        )
    requires = {}
    for name in reached(installation, wheel.name):
        one = installation.read(name)
        requires[name] = f"{one.version} {one.content}"
    return Pin(
        version=wheel.version,
        wheel=wheel.digest,
        content=wheel.content,
        requires=requires,
        granted=granted,
    )


def as_toml(name: str, pin: Pin) -> str:
    """The table of `node.toml` that is the pin of a distribution."""
    lines = [
        f"[{TABLE}.{name}]",
        f'version = "{pin.version}"',
        f'wheel = "{pin.wheel}"',
        f'content = "{pin.content}"',
    ]
    if pin.granted.network:
        lines.append(f"network = {json.dumps(list(pin.granted.network))}")
    if pin.granted.files:
        lines.append("files = true")
    lines += [
        f"memory_mib = {pin.granted.memory_mib}",
        f"seconds = {pin.granted.seconds}",
    ]
    if pin.requires:
        lines += ["", f"[{TABLE}.{name}.requires]"]
        lines += [f'{other} = "{held}"' for other, held in sorted(pin.requires.items())]
    return "\n".join(lines) + "\n"
