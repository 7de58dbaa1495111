"""The units in `deploy/`, read as systemd reads them, and a tree in which its tools find them."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNITS = tuple(sorted(path.name for path in DEPLOY.glob("*.service")))
TIMERS = tuple(sorted(path.name for path in DEPLOY.glob("*.timer")))
DROP_INS = {"folkmoot-node.service": DEPLOY / "drop-ins" / "folkmoot-node-scores.conf"}
"""The drop-in of a unit."""
NEEDED = ("systemd-analyze", "systemd-sysusers", "systemd-tmpfiles")


@cache
def why_not() -> str:
    """Why units cannot be judged here; empty if they can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    return f"systemd is not installed ({', '.join(missing)} missing)" if missing else ""


@dataclass(frozen=True)
class Unit:
    """A unit with its drop-ins.

    Attributes:
        name: Such as `folkmoot-node.service`.
        entries: Section, key and value of each line, in order.
    """

    name: str
    entries: tuple[tuple[str, str, str], ...]

    def values(self, key: str, section: str = "Service") -> list[str]:
        """All values of a key, since it was last reset by an empty one."""
        found: list[str] = []
        for where, name, value in self.entries:
            if (where, name) == (section, key):
                found = [*found, value] if value else []
        return found

    def value(self, key: str, section: str = "Service") -> str:
        """The last value of a key; empty if there is none."""
        return (self.values(key, section) or [""])[-1]

    def words(self, key: str) -> list[str]:
        """All words of all values of a key."""
        return " ".join(self.values(key)).split()

    def is_on(self, key: str) -> bool:
        """Whether a switch is on; another value than a switch's counts too."""
        return self.value(key) not in ("", "no", "false", "off", "0")

    def changed(self, *lines: str) -> Unit:
        """The unit with further lines of its section Service, as of a drop-in."""
        more = tuple(("Service", *line.split("=", 1)) for line in lines)
        return Unit(self.name, (*self.entries, *more))  # type: ignore[arg-type]


def read_unit(name: str, *drop_ins: Path) -> Unit:
    """A unit of `deploy/`."""
    entries: list[tuple[str, str, str]] = []
    for path in (DEPLOY / name, *drop_ins):
        section = ""
        for line in re.sub(r"\\\n", " ", path.read_text("utf-8")).splitlines():
            text = line.strip()
            if text.startswith("["):
                section = text.strip("[]")
            elif text and text[0] not in "#;":
                key, _, value = text.partition("=")
                entries.append((section, key.strip(), value.strip()))
    return Unit(name, tuple(entries))


def system_tree(folder: Path, *, drop_ins: bool = False) -> Path:
    """A tree of a system on which the units are installed, with programs that do nothing.

    Args:
        folder: Where it is made.
        drop_ins: Whether the drop-ins are installed too.
    """
    units = folder / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for path in (*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")):
        shutil.copy(path, units)
    for name, path in DROP_INS.items() if drop_ins else ():
        (units / f"{name}.d").mkdir()
        shutil.copy(path, units / f"{name}.d")
    of_system = folder / "usr" / "lib" / "systemd" / "system"
    shutil.copytree("/usr/lib/systemd/system", of_system, symlinks=True)
    (folder / "lib").symlink_to("usr/lib")
    for name in UNITS:
        for line in read_unit(name).values("ExecStart"):
            program = folder / line.split()[0].lstrip("-/")
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text("#!/bin/sh\n")
            program.chmod(0o755)
    return folder


def exposure(tree: Path, unit: str) -> float:
    """How exposed systemd finds a unit: from 0, safe, to 10."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--root={tree}", "--no-pager", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])


@cache
def system_calls(group: str) -> frozenset[str]:
    """The system calls of a group, such as `@mount`, as the installed systemd has it."""
    done = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    lines = [line.strip() for line in done.stdout.splitlines()[1:]]
    words = [line for line in lines if line and line[0] != "#"]
    return frozenset().union(*(system_calls(word) if word[0] == "@" else {word} for word in words))


def permitted_calls(unit: Unit) -> frozenset[str] | None:
    """The system calls that `SystemCallFilter=` permits; None if all are."""
    lines = unit.values("SystemCallFilter")
    if not lines:
        return None
    assert lines[0][0] != "~", "our units name what is permitted"
    found = set(system_calls("@default"))
    for line in lines:
        calls: set[str] = set()
        for word in line.lstrip("~").split():
            calls |= system_calls(word) if word[0] == "@" else {word}
        found = found - calls if line[0] == "~" else found | calls
    return frozenset(found)
