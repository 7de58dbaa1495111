"""What a wheel would overwrite if it were installed: looked at before somebody installs it.

A pin is compared with what is installed, and by then an installer has put files over others.
"""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.utils import canonicalize_name

from folkmoot_kit.provenance.installed import Installation
from folkmoot_kit.provenance.requirements import comes_with_the_node
from folkmoot_kit.provenance.wheel_contents import SCRIPTS, bad_wheel
from folkmoot_kit.provenance.wheel_file import Wheel


def require_no_clash(
    wheel: Wheel, installation: Installation, commands: Path | None = None
) -> None:
    """Checks that a wheel would take nothing away from what is installed.

    Args:
        wheel: The wheel.
        installation: Where it would be installed.
        commands: The folder of commands there; that of this Python if None.

    Raises:
        Problem: Exit code VERIFICATION, naming what would be overwritten, and whose it is.
    """
    if comes_with_the_node(installation, wheel.name):
        problem = f"it would take the place of {wheel.name}, which comes with the node"
        raise bad_wheel(wheel.path, "", problem)
    tops = {place.partition("/")[0] for place in wheel.counted}
    modules = {top for top in tops if not top.endswith(".dist-info")}
    for _, about, theirs in installation.files_under(modules):
        owner = about.removesuffix(".dist-info")
        if canonicalize_name(owner.partition("-")[0]) == wheel.name:
            continue
        for place in sorted(wheel.files.keys() & theirs):
            raise bad_wheel(wheel.path, place, f"it would overwrite a file of {owner}")
        for top in sorted(modules):
            if f"{top}/__init__.py" in theirs:
                raise bad_wheel(wheel.path, top, f"it would add to the package of {owner}")
    _require_own_commands(wheel, installation, commands or Path(sys.executable).parent)


def _require_own_commands(wheel: Wheel, installation: Installation, folder: Path) -> None:
    installed = installation.find(wheel.name)
    own = {one.name for one in installed.entry_points} if installed else set()
    for point in wheel.entry_points:
        if point.group in SCRIPTS and point.name not in own and (folder / point.name).exists():
            problem = f"its command {point.name!r} would overwrite the one that is there"
            raise bad_wheel(wheel.path, "entry_points.txt", problem)
