"""Starts a process that can reach nothing but what it was given, and shows that it cannot.

Three layers, all required: bubblewrap gives it namespaces of its own, Landlock takes files and
sockets from it, seccomp system calls. Limits and a clock without a date come on top. The process
itself imports `locking` and what that needs. Names for the host are looked up late, because what
they import is not for that process.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot_kit.confinement.folders import import_folders as import_folders
    from folkmoot_kit.confinement.grants import Grants as Grants
    from folkmoot_kit.confinement.grants import Limits as Limits
    from folkmoot_kit.confinement.layer_tests import Layer as Layer
    from folkmoot_kit.confinement.layer_tests import self_test as self_test
    from folkmoot_kit.confinement.layer_tests import unmet as unmet
    from folkmoot_kit.confinement.processes import ConfinedProcess as ConfinedProcess
    from folkmoot_kit.confinement.processes import Ending as Ending
    from folkmoot_kit.confinement.processes import start as start

_HOMES = {
    "ConfinedProcess": "processes",
    "Ending": "processes",
    "Grants": "grants",
    "Layer": "layer_tests",
    "Limits": "grants",
    "import_folders": "folders",
    "self_test": "layer_tests",
    "start": "processes",
    "unmet": "layer_tests",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
