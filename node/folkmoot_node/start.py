"""Starts the command `folkmoot-node`, so that no installed wheel runs before what adds noise.

Run as a program, `python -I -S .../folkmoot_node/start.py`, by the systemd units: Python then
looks at no variable, no `.pth` file and no `sitecustomize`. Called as the console script, whose
interpreter has run them already, it gives way to such a process where noise is added or a release
decided on. What a `.pth` file does before that, it can do; the units leave it no such time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

_ISOLATED = frozenset({"serve", "release", "approve", "decline", "install"})
"""Commands that decide on what leaves, or on what may run."""
_LOOKING = frozenset({"install", "doctor"})
"""Commands that say what differs from the accepted installation, and so must not stop at it."""


def main() -> NoReturn:
    """Entry point of the console script."""
    from folkmoot_node.installation.places import is_isolated, isolated_command

    if _command() in _ISOLATED and not is_isolated():
        command = (*isolated_command(), *sys.argv[1:])
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    from folkmoot_node.cli import main as run

    run()


def _command() -> str:
    return next((word for word in sys.argv[1:] if not word.startswith("-")), "")


def _run_isolated() -> NoReturn:
    """Finds the installed packages, has them compared with what was accepted, and runs."""
    # Where links lead to: an upgrade moves them while this process runs.
    this = globals()["__file__"] = os.path.realpath(__file__)
    sys.path.append(os.path.dirname(os.path.dirname(this)))  # noqa: PTH120
    own = tuple(path for path in sys.path[:-1] if path)
    from folkmoot_node.installation.places import environment, folders

    places = folders()
    sys.path[:] = [*own, *map(str, places)]
    sys.argv[0] = str(environment() / "bin" / "folkmoot-node")
    # Libraries that can be made to load others do not; a plugin of Pydantic would run here.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    for name in [name for name in os.environ if name.startswith("OPENDP_")]:
        del os.environ[name]
    from folkmoot_operator.problems import Problem, Stop

    try:
        if _command() not in _LOOKING:
            _compare(places, own)
        main()
    except (Problem, Stop) as error:
        problem = error.problem if isinstance(error, Stop) else error
        print(f"Error: {problem}\n  Remedy: {problem.remedy}", file=sys.stderr)
        raise SystemExit(int(problem.exit_code)) from None


def _compare(places: tuple[Path, ...], own: tuple[str, ...]) -> None:
    """Has each file compared before it is run, if root has accepted an installation.

    Importing these runs files before they are compared: who can change them can change this one.
    """
    from folkmoot_node.installation.accepted_imports import AcceptedFiles, import_only
    from folkmoot_node.installation.lock import read_lock, require_none_accepted
    from folkmoot_node.installation.places import lock_path

    accepted = read_lock(lock_path())
    if accepted is None:
        require_none_accepted()
    else:
        import_only(AcceptedFiles(accepted, places, lock_path(), own))


if __name__ == "__main__":
    _run_isolated()
