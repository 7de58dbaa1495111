"""Accepting the installed files, and finding out later what differs: root decides."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from folkmoot_node.installation.lock import (
    Differences,
    differences,
    encode_lock,
    installed_files,
    is_code,
    read_lock,
    require_none_accepted,
)
from folkmoot_node.installation.places import (
    accepted_versions,
    environment,
    folders,
    isolated_command,
    lock_path,
)
from folkmoot_node.installation.wheels import doubts, installed_wheels, run_at_every_start
from folkmoot_operator.checks import Check, Finding, State
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.root_files import write_root_file

_INSTALLATION = "installation"
_SHOWN = 20


def accept(*, anyway: bool) -> Iterator[str]:
    """Writes down what is installed now; from then on nothing else adds noise.

    Args:
        anyway: Whether files are accepted that are not what a wheel brought.

    Yields:
        What was found and done, as lines.

    Raises:
        Problem: If there are such files, and they are not to be accepted.
    """
    if os.geteuid() != 0:
        yield "Only root can accept an installation. Root types:"
        yield f"  sudo {shlex.join(isolated_command())} install accept"
        return
    places, path = folders(), lock_path()
    brought = installed_wheels(places)
    named = {name for wheel in brought for name in wheel.files}
    # Libraries write data beside their code while they run, which nobody needs to accept.
    installed = {
        name: digest
        for name, digest in installed_files(places).items()
        if name in named or is_code(name) or name.endswith(".pyc")
    }
    found = list(doubts(brought, places, installed))
    yield from found[:_SHOWN]
    if len(found) > _SHOWN:
        yield f"... and {len(found) - _SHOWN} more"
    if found and not anyway:
        raise Problem(
            f"{len(found)} files are not what one wheel brought; nothing was accepted",
            where=str(environment()),
            remedy="Install again from the wheels that you have checked; if each of these is "
            "right, use --anyway",
            exit_code=ExitCode.REFUSED,
        )
    for file in run_at_every_start(places):
        yield f"Note: {file} is read whenever Python starts here, but not by what adds noise."
    before = read_lock(path)
    if before is not None:
        changed = differences(before, installed)
        yield f"Since it was accepted last: {changed}." if changed else "Nothing has changed."
    write_root_file(path, encode_lock(installed))
    yield f"Accepted {len(installed)} files of {environment()}, in {path}."


def verify() -> Differences | None:
    """Compares every installed file with what was accepted; None if nothing was.

    Raises:
        Problem: If somebody else than root could have written what was accepted.
    """
    accepted = read_lock(lock_path())
    return None if accepted is None else differences(accepted, installed_files(folders()))


def require_accepted() -> str:
    """Says that every installed file is as it was accepted.

    Raises:
        Problem: If one is not, or nothing was accepted.
    """
    found = verify()
    if found is None:
        require_none_accepted()
        raise Problem(
            "nobody has accepted what is installed",
            where=str(environment()),
            remedy="As root: `folkmoot-node install accept`",
            exit_code=ExitCode.SETTINGS,
        )
    if found:
        raise Problem(
            f"differs from what was accepted: {found}",
            where=str(environment()),
            remedy="Find out who changed it. If it is right, as root: "
            "`folkmoot-node install accept`",
            exit_code=ExitCode.VERIFICATION,
        )
    return f"every file of {environment()} is as it was accepted in {lock_path()}"


def installation() -> Check:
    """Whether the installed files are those that root accepted; a warning if none were."""

    def look() -> Iterator[Finding]:
        if read_lock(lock_path()) is None and not accepted_versions():
            what = "not accepted: a wheel that changes how noise is added would not be noticed"
            remedy = "As root: `folkmoot-node install accept`"
            yield Finding(_INSTALLATION, State.WARN, what, remedy)
        else:
            yield Finding(_INSTALLATION, State.OK, require_accepted())

    return Check(_INSTALLATION, look)
