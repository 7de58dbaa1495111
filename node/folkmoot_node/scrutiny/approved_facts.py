"""What of the facts is approved: how the node is set up, in one form only, so that it has a digest.

When and from which file a fact was read is not part of it: a comment in a file changes nothing.
Neither is what the node has done, nor any figure over households.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot_node.scrutiny.facts import Fact, FactBase, Mark, Value
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem

LAYOUT = "folkmoot/approved-facts/1"
"""Of the file, and the first thing its digest covers."""


@dataclass(frozen=True, slots=True)
class ApprovedFact:
    """A fact as it was approved, or as it would be now.

    Attributes:
        key: Dotted path: "policy.risk.sunset".
        label: What it is, for people.
        value: As JSON has it: no tuples; None if it is missing.
        mark: Who says so.
    """

    key: str
    label: str
    value: Any
    mark: Mark

    @property
    def is_missing(self) -> bool:
        """Whether nobody has said it."""
        return self.mark is Mark.MISSING

    def says_the_same(self, other: ApprovedFact) -> bool:
        """Whether people would read the same; the label is ours, and may be reworded."""
        mine, theirs = (json.dumps(one.value, sort_keys=True) for one in (self, other))
        return mine == theirs and self.mark is other.mark


@dataclass(frozen=True, slots=True)
class ApprovedFacts:
    """All that is approved, by key.

    Attributes:
        council: GSS code of the council.
        by_key: The facts, sorted by key.
    """

    council: str
    by_key: Mapping[str, ApprovedFact]

    @property
    def content(self) -> bytes:
        """The file: the same facts give the same bytes."""
        facts = [
            {"key": one.key, "label": one.label, "value": one.value, "mark": one.mark.value}
            for one in self.by_key.values()
        ]
        body = {"layout": LAYOUT, "council": self.council, "facts": facts}
        text = json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def approvable(base: FactBase, council: str) -> ApprovedFacts:
    """What of a node's facts is approved: its configuration, without figures over households.

    Args:
        base: The facts.
        council: GSS code of the council.
    """
    facts = (_approvable(one) for one in base.facts if one.configuration and not one.own)
    return ApprovedFacts(council, {one.key: one for one in facts})


def _approvable(fact: Fact) -> ApprovedFact:
    return ApprovedFact(fact.key, fact.label, _as_json(fact.value), fact.mark)


def _as_json(value: Value) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_json(one) for name, one in sorted(value.items())}
    if isinstance(value, tuple | list):
        return [_as_json(one) for one in value]
    return value


def keep(folder: Path, facts: ApprovedFacts) -> None:
    """Writes approved facts into the folder, under their digest, unless they are there unchanged.

    Raises:
        OSError: If the folder cannot be written to.
    """
    make_private_folder(folder)
    path, content = _path(folder, facts.sha256), facts.content
    if not path.exists() or path.read_bytes() != content:
        write_private(path, content, replace=True)


def kept(folder: Path, sha256: str) -> ApprovedFacts:
    """Reads approved facts back, and checks that they are those that the audit log names.

    Args:
        folder: Where they are kept.
        sha256: Their digest, hexadecimal, from the audit log.

    Raises:
        Problem: Exit code VERIFICATION, if they are missing, or not what was approved.
    """
    path = _path(folder, sha256)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _lost(path, f"the approved facts cannot be read ({error.strerror})") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _lost(path, "this is not what was approved: its digest is not that of the audit log")
    body = json.loads(content)
    facts = (
        ApprovedFact(one["key"], one["label"], one["value"], Mark(one["mark"]))
        for one in body["facts"]
    )
    return ApprovedFacts(body["council"], {one.key: one for one in facts})


def _path(folder: Path, sha256: str) -> Path:
    return folder / f"{sha256}.json"


def _lost(path: Path, problem: str) -> Problem:
    return Problem(
        problem,
        where=str(path),
        remedy="Put the file back from a backup; or read the dossier again, and approve it: "
        "`folkmoot-node dossier approve`",
        exit_code=ExitCode.VERIFICATION,
    )
