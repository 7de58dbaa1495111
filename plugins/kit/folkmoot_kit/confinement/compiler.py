"""Compiles the table of system calls (`filters/calls.txt`) to the filters that are shipped.

A filter is a program of classic BPF, as seccomp(2) takes it. There is one for each architecture
and each set of grants. The shipped bytes are what this makes of the table; a test compares them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

from folkmoot_kit.confinement.filter_files import FOLDER, GRANTS, filter_name

TABLE = FOLDER / "calls.txt"

AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
"""How the kernel names the architectures (linux/audit.h), and their order in the table."""
_X32 = 0x4000_0000
"""Numbers from here on are those of the 32-bit interface of x86_64, which nothing here uses."""

_ALLOW, _KILL, _ERRNO = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_EPERM, _ENOSYS, _ETIMEDOUT = 1, 38, 110
RETURNS = {
    "allow": _ALLOW,
    "refuse": _ERRNO | _EPERM,
    "absent": _ERRNO | _ENOSYS,
    "late": _ERRNO | _ETIMEDOUT,
    "kill": _KILL,
}
"""What the kernel does at each action (linux/seccomp.h)."""

# linux/bpf_common.h
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER, _IF_AT_LEAST = 0x15, 0x25, 0x35
# offsets in struct seccomp_data
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16

_LINE = re.compile(
    r"(\w+)\s+([0-9]+|-)\s+([0-9]+|-)\s+(allow|refuse|absent|late|kill)(?:\s+if\s+(.+))?"
)
_CONDITION = re.compile(
    r"arg([0-5])(?:\s+is\s+(null)|(?:\s+&\s+(\w+))?\s+(==|<=)\s+(\w+))", re.ASCII
)
_SECTION = re.compile(r"\[(always|(?:no )?(?:clock|network))\]")

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on an argument of a system call.

    Attributes:
        argument: Its number, from 0.
        mask: Bits of it that are compared.
        at_most: Whether it may be less than `value`.
        value: What they must be.
        wide: Whether the upper 32 bits must be 0, too.
    """

    argument: int
    mask: int
    at_most: bool
    value: int
    wide: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A line of the table.

    Attributes:
        section: The section that it stands in.
        name: The system call.
        numbers: Its number on each architecture; architectures without it are left out.
        action: one of `RETURNS`.
        conditions: All must hold.
    """

    section: str
    name: str
    numbers: dict[str, int]
    action: str
    conditions: tuple[Condition, ...]


def read_table(text: str) -> tuple[Call, ...]:
    """The lines of a table.

    Raises:
        ValueError: for a line that is none; it says which.
    """
    calls: list[Call] = []
    section = ""
    for number, written in enumerate(text.splitlines(), 1):
        line = written.partition("#")[0].strip()
        if not line:
            continue
        if found := _SECTION.fullmatch(line):
            section = found[1]
        elif (found := _LINE.fullmatch(line)) and section:
            numbers = {
                arch: int(on)
                for arch, on in zip(AUDIT_ARCH, found.group(2, 3), strict=True)
                if on != "-"
            }
            conditions = tuple(
                _condition(part, number) for part in (found[5] or "").split(" and ") if part
            )
            calls.append(Call(section, found[1], numbers, found[4], conditions))
        else:
            raise ValueError(f"{TABLE.name}, line {number}: cannot be read: {written!r}")
    return tuple(calls)


def compile_filter(calls: Iterable[Call], arch: str, grants: frozenset[str]) -> bytes:
    """A filter.

    Args:
        calls: The table.
        arch: `x86_64` or `aarch64`.
        grants: Of `clock` and `network` those that the process has.

    Returns:
        The program: 8 bytes an instruction, in the byte order of both architectures (little).

    Raises:
        ValueError: for a line that never counts, because one before it always does.
    """
    sections = {"always", *(grant if grant in grants else f"no {grant}" for grant in GRANTS)}
    here = sorted(
        (call for call in calls if call.section in sections and arch in call.numbers),
        key=lambda call: call.numbers[arch],  # stable: lines of one call stay in order
    )
    newest = max(call.numbers[arch] for call in here)
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, AUDIT_ARCH[arch]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_IF_GREATER, 0, 1, newest),
        (_RETURN, 0, 0, RETURNS["absent"]),
    ]
    for number, lines in groupby(here, key=lambda call: call.numbers[arch]):
        block = list(_block(list(lines)))
        if len(block) > 255:
            raise ValueError(f"{TABLE.name}: too many lines for call {number} on {arch}")
        program += [(_IF_EQUAL, 0, len(block), number), *block]
    program.append((_RETURN, 0, 0, RETURNS["refuse"]))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)


def compile_all() -> dict[str, bytes]:
    """All filters, by the name of their file."""
    calls = read_table(TABLE.read_text(encoding="utf-8"))
    sets = [frozenset[str](), *({grant} for grant in GRANTS), frozenset(GRANTS)]
    return {
        filter_name(arch, frozenset(grants)): compile_filter(calls, arch, frozenset(grants))
        for arch in AUDIT_ARCH
        for grants in sets
    }


def _condition(text: str, line: int) -> Condition:
    found = _CONDITION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{TABLE.name}, line {line}: not a condition: {text!r}")
    argument, null, mask, operator, value = found.groups()
    if null:
        return Condition(int(argument), 0xFFFF_FFFF, False, 0, True)
    masked = int(mask, 0) if mask else 0xFFFF_FFFF
    return Condition(int(argument), masked, operator == "<=", int(value, 0), False)


def _block(lines: list[Call]) -> Iterator[Instruction]:
    """What is done at one system call: its lines in order, and refusal at the end."""
    for index, call in enumerate(lines):
        tests = [list(_test(condition)) for condition in call.conditions]
        left = sum(map(len, tests)) + 1  # instructions from here past the return
        for code, on_true, on_false, constant in chain.from_iterable(tests):
            left -= 1
            yield (code, on_true and left, on_false and left, constant)
        yield (_RETURN, 0, 0, RETURNS[call.action])
        if not call.conditions:
            if any(later.section == call.section for later in lines[index + 1 :]):
                raise ValueError(f"{TABLE.name}: a second line for {call.name} never counts")
            return  # lines of other sections are for processes without this grant
    yield (_RETURN, 0, 0, RETURNS["refuse"])


def _test(condition: Condition) -> Iterator[Instruction]:
    """Goes on if a condition holds. A jump of 1 stands for "it does not hold"."""
    low = _ARGUMENTS + 8 * condition.argument
    if condition.wide:
        yield (_LOAD, 0, 0, low + 4)
        yield (_IF_EQUAL, 0, 1, 0)
    yield (_LOAD, 0, 0, low)
    if condition.mask != 0xFFFF_FFFF:
        yield (_AND, 0, 0, condition.mask)
    if condition.at_most:
        yield (_IF_GREATER, 1, 0, condition.value)
    else:
        yield (_IF_EQUAL, 0, 1, condition.value)


def write_all(folder: Path = FOLDER) -> None:
    """Writes all filters to a folder."""
    for name, program in compile_all().items():
        (folder / name).write_bytes(program)


if __name__ == "__main__":
    write_all()
