"""What a plugin may do beyond computing: declared by its vendor, granted by the council."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from folkmoot_kit.provenance.signed import Part
from folkmoot_operator.problems import ExitCode, Problem

Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.:-]{0,251}[a-z0-9])?$")]
"""A host, with a port or without: `meters.example.org:443`."""


class Privileges(Part):
    """What a plugin may do.

    Attributes:
        network: Hosts that its sources reach. The network is granted as a whole or not at all:
            these names are not enforced.
        files: Whether its sources read files that settings name.
        memory_mib: Memory of its process, MiB.
        seconds: Longest time of one call.
    """

    network: tuple[Host, ...] = Field(default=(), max_length=50)
    files: bool = False
    memory_mib: int = Field(default=2048, ge=64, le=1024 * 1024)
    seconds: int = Field(default=600, ge=1, le=86_400)


def stated(hosts: tuple[str, ...], *, files: bool, memory_mib: int, seconds: int) -> Privileges:
    """Privileges in the words of a command.

    Raises:
        Problem: Exit code USAGE, naming what is wrong.
    """
    try:
        return Privileges(network=hosts, files=files, memory_mib=memory_mib, seconds=seconds)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Problem(
            f"{first['msg'][:1].lower()}{first['msg'][1:]}",
            where=f"--{str(first['loc'][0]).replace('_', '-')}",
            remedy="Name hosts like meters.example.org, memory from 64 MiB, time from 1 second",
            exit_code=ExitCode.USAGE,
        ) from None


def granted_too_much(declared: Privileges, granted: Privileges) -> tuple[str, ...]:
    """What is granted and the plugin never asked for, as sentences; each is one to take back."""
    said = []
    if more := sorted(set(granted.network) - set(declared.network)):
        said.append(f"it is granted the network for {', '.join(more)}, which it does not ask for")
    if granted.files and not declared.files:
        said.append("it is granted files, which it does not ask for")
    return tuple(said)


def granted_too_little(declared: Privileges, granted: Privileges) -> tuple[str, ...]:
    """What the plugin asks for and is not granted, as sentences; it may fail for that."""
    said = []
    if missing := sorted(set(declared.network) - set(granted.network)):
        said.append(f"it asks for the network for {', '.join(missing)}, which is not granted")
    if declared.files and not granted.files:
        said.append("it asks for files, which are not granted")
    if declared.memory_mib > granted.memory_mib:
        said.append(f"it asks for {declared.memory_mib} MiB and is granted {granted.memory_mib}")
    if declared.seconds > granted.seconds:
        said.append(f"it asks for {declared.seconds} seconds and is granted {granted.seconds}")
    return tuple(said)
