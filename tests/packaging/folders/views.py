"""What is looked at in a kept folder: public commands, and what they say whenever they are run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands import run_inside

HERE = Path(__file__).parent
NODE, COORDINATOR = "node", "coordinator"
NODE_VIEWS = {
    "ledger": "ledger show",
    "evidence": "ledger verify",
    "egress": "egress --last 500",
    "rounds": "rounds list --offline",
    "policies": "policy show",
    "signature": "policy verify",
    "sources": "sources",
    "linkage": "linkage report --areas",
    "review": "linkage review",
    "expired": "purge --dry-run",
    "doctor": "doctor --offline",
    "trial": "score --try --reference-date {scored_at}",
}
COORDINATOR_VIEWS = {
    "councils": "councils",
    "rounds": "round list",
    "series": "series show {series}",
    "doctor": "doctor",
}
LEFT_OUT = {
    # The accounting period of today.
    "period_start", "period_end", "cap", "spent", "remaining", "remaining_before",
    "remaining_after",
    # Certificates end.
    "valid_certificates", "certificate_expires", "enrolled", "validity",
    # Of the program, and of a Parquet file that it wrote.
    "software", "files", "plugin",
    # Prose about how figures were made, which may say more than it did.
    "method", "statement",
    # Where the folder lies.
    "policy_path", "quarantine", "file",
}  # fmt: skip
"""Keys of answers that are not compared, because they depend on the day or the version."""
TIMELESS = {
    "settings", "keys", "policies and sources", "linkage", "release policy", "evidence", "scores",
    "permissions", "signing key", "database",
}  # fmt: skip
"""Checks of the two doctors whose outcome does not depend on the day or the machine."""
_DOCTOR_KEYS = {"node": ("check", "ok"), "coordinator": ("subject", "verdict")}
"""The keys of each that 0.1.0 had; both have all of them since."""


@dataclass(frozen=True)
class View:
    """One command, and what it prints or writes.

    Attributes:
        name: Of the file that holds what it said, with `.json` or `.csv`.
        side: Whose folder it opens.
        words: The command; `{...}` stands for what `made.json` names, `{out}` for a folder.
        writes: Ending of the file that it writes into `{out}`; empty if it prints JSON.
    """

    name: str
    side: str
    words: tuple[str, ...]
    writes: str = ""

    @property
    def file(self) -> str:
        return f"{self.name}{self.writes or '.json'}"


def views(made: Mapping[str, Any]) -> Iterator[View]:
    """All views of a kept folder.

    Args:
        made: Its `made.json`.
    """
    for name, words in NODE_VIEWS.items():
        yield View(f"node-{name}", NODE, tuple(words.split()))
    for band in made["explained"]:
        yield View(f"node-explain-{band}", NODE, ("explain", f"{{explained[{band}]}}"))
    out = "{out}/households.csv"
    yield View("node-households", NODE, ("households", "--out", out), ".csv")
    for name, words in COORDINATOR_VIEWS.items():
        yield View(f"coordinator-{name}", COORDINATOR, tuple(words.split()))
    for title in made["rounds"]:
        asked = f"{{rounds[{title}]}}"
        yield View(f"node-round-{title}", NODE, ("rounds", "show", asked))
        yield View(f"coordinator-round-{title}", COORDINATOR, ("round", "show", asked))
        if title in made["published"]:
            words_ = ("export", asked, "--out", "{out}")
            yield View(f"published-{title}", COORDINATOR, words_, ".csv")
            yield View(f"published-{title}", COORDINATOR, words_, ".json")


def look(view: View, folder: Path, made: Mapping[str, Any], out: Path) -> str:
    """Runs the command of a view, in this process.

    Args:
        view: What to look at.
        folder: Holds the unpacked homes `node` and `coordinator`.
        made: `made.json` of the kept folder.
        out: Where commands write; made anew.

    Returns:
        What it said, as text; of JSON without what depends on the day.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    words = [word.format(**made, out=out) for word in view.words]
    program, home = f"folkmoot-{view.side}", ["--home", str(folder / view.side)]
    if not view.writes:
        # A doctor ends with the code of what it found, and the day may make it find something.
        code = None if "doctor" in words else 0
        done = run_inside(program, *words, *home, "--json")
        done.said(code)
        found = json.loads(done.stdout)
    else:
        run_inside(program, *words, *home).said()
        (file,) = out.glob(f"*{view.writes}")
        if view.writes == ".csv":
            return file.read_bytes().decode()
        found = json.loads(file.read_text("utf-8"))
    if "doctor" in words:
        return _text(_timeless(found, *_DOCTOR_KEYS[view.side]))
    if "--try" in words:  # of the run that was tried, its own id and times
        for key in ("run_id", "started_at", "finished_at"):
            del found["run"][key]
    return _text(compared(found))


def command(side: str, *words: object, expect: int | None = 0) -> str:
    """Runs `folkmoot-node` or `folkmoot-coordinator`; returns what it printed."""
    done = subprocess.run(
        [program(side), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    assert expect in (None, done.returncode), (
        f"{side} {words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done.stdout


def program(side: str) -> str:
    """Path of an installed command."""
    return str(Path(sys.executable).with_name(f"folkmoot-{side}"))


def unpack(kept: Path, folder: Path) -> None:
    """Unpacks the homes of a kept folder, with their modes."""
    for side in (NODE, COORDINATOR):
        archive = kept / f"{side}.tar.gz"
        subprocess.run(
            ["tar", "--extract", "--preserve-permissions", "--no-same-owner", "--gzip",
             "--file", archive, "--directory", folder],
            check=True,
        )  # fmt: skip


def compared(value: Any) -> Any:
    """What is compared of an answer: it without the keys of `LEFT_OUT`."""
    if isinstance(value, dict):
        return {key: compared(item) for key, item in value.items() if key not in LEFT_OUT}
    return [compared(item) for item in value] if isinstance(value, list) else value


def _timeless(findings: list[dict[str, Any]], name: str, outcome: str) -> dict[str, Any]:
    """The checks that the day does not change, and their outcome without its words."""
    named = {one[name]: one[outcome] for one in findings}
    return {check: found for check, found in named.items() if check in TIMELESS}


def _text(found: Any) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
