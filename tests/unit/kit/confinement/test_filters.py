"""The shipped filters are what the table of system calls says, on both architectures."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass, field

import pytest

from folkmoot_kit.confinement import compiler
from folkmoot_kit.confinement.compiler import (
    AUDIT_ARCH,
    RETURNS,
    TABLE,
    Call,
    compile_all,
    compile_filter,
    read_table,
)
from folkmoot_kit.confinement.filter_files import FOLDER, GRANTS, filter_name

CALLS = read_table(TABLE.read_text(encoding="utf-8"))
ACTIONS = {number: name for name, number in RETURNS.items()}
SETS = [frozenset[str](), frozenset({"clock"}), frozenset({"network"}), frozenset(GRANTS)]
NOW = pytest.mark.parametrize("grants", SETS, ids=["none", "clock", "network", "both"])
HERE = pytest.mark.parametrize("arch", list(AUDIT_ARCH))


@dataclass
class Asked:
    """A system call as the kernel shows it to a filter."""

    number: int
    arch: int
    arguments: list[int] = field(default_factory=lambda: [0] * 6)

    def words(self) -> list[int]:
        packed = struct.pack("<iIQ6Q", self.number, self.arch, 0, *self.arguments)
        return list(struct.unpack(f"<{len(packed) // 4}I", packed))


def decide(program: bytes, asked: Asked) -> str:
    """What a filter decides: a machine for classic BPF, by its definition in bpf(4)."""
    words = asked.words()
    instructions = list(struct.iter_unpack("<HBBI", program))
    held = at = 0
    while True:
        code, if_true, if_false, constant = instructions[at]
        at += 1
        if code == 0x20:  # load
            held = words[constant // 4]
        elif code == 0x54:  # and
            held &= constant
        elif code == 0x06:  # return
            return ACTIONS[constant]
        else:
            holds = {0x15: held == constant, 0x25: held > constant, 0x35: held >= constant}[code]
            at += if_true if holds else if_false


def shipped(arch: str, grants: frozenset[str]) -> bytes:
    return (FOLDER / filter_name(arch, grants)).read_bytes()


def asked(arch: str, name: str, *arguments: int) -> Asked:
    number = next(call.numbers[arch] for call in CALLS if call.name == name)
    return Asked(number, AUDIT_ARCH[arch], [*arguments, *[0] * (6 - len(arguments))])


def test_the_shipped_filters_are_the_table_compiled() -> None:
    made = compile_all()

    assert {path.name for path in FOLDER.glob("*.bpf")} == set(made)
    for name, program in made.items():
        assert (FOLDER / name).read_bytes() == program, (
            f"{name}: run python -m folkmoot_kit.confinement.compiler"
        )


@pytest.mark.skipif(
    shutil.which("gcc") is None, reason="the kernel's headers are read with a C compiler"
)
def test_numbers_of_calls_are_those_of_the_kernels_headers() -> None:
    wanted = {
        "x86_64": "#include <asm/unistd_64.h>",
        "aarch64": "#define __BITS_PER_LONG 64\n#define __ARCH_WANT_NEW_STAT\n"
        "#define __ARCH_WANT_SET_GET_RLIMIT\n#define __ARCH_WANT_RENAMEAT\n"
        "#define __ARCH_WANT_SYS_CLONE3\n#define __ARCH_WANT_MEMFD_SECRET\n"
        "#include <asm-generic/unistd.h>",
    }
    if os.uname().machine != "x86_64":
        del wanted["x86_64"]  # the headers of the other architecture are not here
    for arch, source in wanted.items():
        known = numbers_in_headers(source)
        assert len(known) > 250
        for call in CALLS:
            if call.name in known:
                assert call.numbers.get(arch) == known[call.name], (arch, call.name)
            else:  # one that is newer than the headers, or that the architecture does not have
                assert call.numbers.get(arch, 1000) > 430, (arch, call.name)


def numbers_in_headers(source: str) -> dict[str, int]:
    listed = subprocess.run(
        ["gcc", "-E", "-dM", "-"], input=source + "\n", capture_output=True, text=True, check=True
    ).stdout
    defined = dict(re.findall(r"^#define __NR_(\w+) (\w+)$", listed, re.MULTILINE))
    shared = dict(re.findall(r"^#define __NR3264_(\w+) (\w+)$", listed, re.MULTILINE))
    return {
        name: int(number)
        for name, value in defined.items()
        if (number := str(shared.get(value.removeprefix("__NR3264_"), value))).isdigit()
    }


@HERE
@NOW
def test_each_call_is_decided_as_its_lines_say(arch: str, grants: frozenset[str]) -> None:
    program = shipped(arch, grants)
    sections = {"always", *(it if it in grants else f"no {it}" for it in GRANTS)}
    lines: dict[int, list[Call]] = {}
    for call in CALLS:
        if call.section in sections and arch in call.numbers:
            lines.setdefault(call.numbers[arch], []).append(call)

    for number, of_call in lines.items():
        for arguments in interesting(of_call):
            expected = next((call.action for call in of_call if holds(call, arguments)), "refuse")
            found = decide(program, Asked(number, AUDIT_ARCH[arch], arguments))
            assert found == expected, (of_call[0].name, arguments)


def interesting(lines: list[Call]) -> list[list[int]]:
    """Arguments at the edges of every condition, and others."""
    made = [[0] * 6, [2**64 - 1] * 6, [3] * 6, [2**32] * 6]
    for call in lines:
        for change in (-1, 0, 1, 2**32):
            arguments = [3] * 6
            for condition in call.conditions:
                arguments[condition.argument] = max(condition.value + change, 0)
            made.append(arguments)
    return made


def holds(call: Call, arguments: list[int]) -> bool:
    for condition in call.conditions:
        value = arguments[condition.argument]
        low = value & 0xFFFF_FFFF & condition.mask
        if condition.wide and value >> 32:
            return False
        if not (low <= condition.value if condition.at_most else low == condition.value):
            return False
    return True


@HERE
@NOW
def test_other_interfaces_of_the_kernel_end_the_process(arch: str, grants: frozenset[str]) -> None:
    program = shipped(arch, grants)
    i386 = 0x4000_0003

    assert decide(program, Asked(0, i386)) == "kill"
    assert decide(program, Asked(0x4000_0000, AUDIT_ARCH[arch])) == "kill"
    assert decide(program, Asked(0x4000_0000 | 59, AUDIT_ARCH[arch])) == "kill"
    assert decide(program, Asked(-1, AUDIT_ARCH[arch])) == "kill"


@HERE
@NOW
def test_calls_that_the_table_does_not_know_are_never_allowed(
    arch: str, grants: frozenset[str]
) -> None:
    program = shipped(arch, grants)
    known = {call.numbers[arch] for call in CALLS if arch in call.numbers}

    for number in set(range(600)) - known:
        found = decide(program, Asked(number, AUDIT_ARCH[arch], [0] * 6))
        assert found == ("absent" if number > max(known) else "refuse"), number


@HERE
@NOW
def test_no_grant_allows_a_way_out(arch: str, grants: frozenset[str]) -> None:
    program = shipped(arch, grants)
    calls: list[tuple[str, *tuple[int, ...]]] = [
        ("clone", 0x11), ("clone", 0x1000_0000), ("clone", 0x3D0F00 | 0x1000_0000), ("clone3",),
        ("execve",), ("execveat",), ("kill", 1, 9), ("tgkill", 1, 1, 9), ("ptrace",), ("bpf",),
        ("process_vm_readv",), ("memfd_create",), ("io_uring_setup",), ("unshare",), ("setns",),
        ("mount",), ("keyctl",), ("userfaultfd",), ("perf_event_open",), ("open_by_handle_at",),
        ("prctl", 26, 1), ("prlimit64", 0, 0, 4096), ("ioctl", 0, 0x5412), ("fcntl", 0, 8),
        ("socket", 1, 1), ("socket", 16, 3), ("socket", 17, 3), ("socket", 2, 3), ("bind",),
        ("listen",), ("seccomp",), ("landlock_restrict_self",),
    ]  # fmt: skip
    for name, *arguments in calls:
        assert decide(program, asked(arch, name, *arguments)) != "allow", name


@HERE
def test_grants_allow_what_they_are_for(arch: str) -> None:

    for grants in SETS:
        program = shipped(arch, grants)
        network = "allow" if "network" in grants else "refuse"
        assert decide(program, asked(arch, "socket", 2, 1)) == network
        assert decide(program, asked(arch, "socket", 10, 2)) == network
        assert decide(program, asked(arch, "connect")) == network
        clock = "clock" in grants
        assert decide(program, asked(arch, "clock_gettime", 0)) == ("allow" if clock else "refuse")
        assert decide(program, asked(arch, "futex", 0, 0x189, 0, 1)) == (
            "allow" if clock else "late"
        )
        assert decide(program, asked(arch, "clone", 0x3D0F00)) == "allow"


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("[always]\nread 0 63 permit\n", "line 2: cannot be read"),
        ("read 0 63 allow\n", "line 1: cannot be read"),
        ("[always]\nread 0 63 allow if arg9 == 1\n", "line 2: not a condition"),
        ("[always]\nread 0 63 allow if arg0 > 1\n", "line 2: not a condition"),
        ("[sometimes]\n", "line 1: cannot be read"),
    ],
)
def test_a_line_that_says_nothing_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_table(text)


def test_a_line_that_never_counts_is_named() -> None:
    calls = read_table("[always]\nread 0 63 allow\nread 0 63 refuse\n")

    with pytest.raises(ValueError, match="a second line for read never counts"):
        compile_filter(calls, "x86_64", frozenset())


def test_every_kind_of_grant_has_its_file() -> None:
    assert set(GRANTS) == {"clock", "network"}
    assert {section for call in CALLS for section in [call.section]} <= {
        "always", *GRANTS, *(f"no {grant}" for grant in GRANTS)
    }  # fmt: skip
    assert compiler.TABLE.is_file()
