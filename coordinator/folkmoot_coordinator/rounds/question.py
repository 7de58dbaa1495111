"""A question that stands alone: a round file, and the content of the files that it names.

What a second person approves must be all that the round is made from. So a draft keeps these
files too, in one text with one digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from folkmoot_coordinator.rounds.round_file import RoundFile
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import load

MAX_QUESTION_BYTES = 8_000_000
"""Most bytes of a serialised question; a round of it is at most 3.9 MB."""
_FORM = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A round file, and the content of the files that it names.

    Attributes:
        file: The round file.
        path: Where it lies, for messages.
        files: Content of each file that it names, by its path there.
    """

    file: RoundFile
    path: Path
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def names_all(self) -> bool:
        """True if it invites all councils enrolled, so that these must be known."""
        return self.file.councils == "all"

    def content(self, path: Path) -> bytes:
        """Content of a file that the round file names.

        Raises:
            Problem: SETTINGS, if the question does not have it.
        """
        try:
            return self.files[str(path)]
        except KeyError:
            raise _problem(f"the file {path} is not part of it", str(self.path)) from None

    def asking(self, councils: Sequence[str]) -> Question:
        """The same question to councils that are named, in place of `all`."""
        file = self.file.model_copy(update={"councils": tuple(sorted(councils))})
        return replace(self, file=file)

    def serialise(self) -> str:
        """One text of all that a round is made from; the same question gives the same text.

        Raises:
            Problem: SETTINGS, if a file is no UTF-8 text, or there is too much.
        """
        files = {}
        for name, content in self.files.items():
            try:
                files[name] = content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise _problem(f"is not UTF-8 text (byte {error.start})", name) from None
        values = self.file.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        whole = {"form": _FORM, "round": values, "files": files}
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if len(text.encode()) > MAX_QUESTION_BYTES:
            raise _problem(
                f"has more than {MAX_QUESTION_BYTES:,} bytes with the files that it names",
                str(self.path),
            )
        return text


def digest_of(serialised: str) -> bytes:
    """SHA-256 of a serialised question, 32 bytes: what is approved."""
    return hashlib.sha256(serialised.encode()).digest()


def deserialise(serialised: str, where: str) -> Question:
    """The question that `Question.serialise` gave.

    Args:
        serialised: The text.
        where: What it is called in messages.

    Raises:
        Problem: SETTINGS, if it is none, naming each wrong key.
    """
    try:
        whole = json.loads(serialised)
        if whole["form"] != _FORM:
            raise _problem("was written by another version of this program", where)
        files = {str(name): str(text).encode() for name, text in whole["files"].items()}
        return Question(RoundFile.model_validate(whole["round"]), Path(where), files)
    except ValidationError as error:
        raise _problem("\n".join(wrong_keys(error)), where) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _problem("is not a serialised question", where) from None


def wrong_keys(error: ValidationError) -> list[str]:
    """For each wrong key of a round file what is wrong, without what was written there."""
    found = []
    for one in error.errors(include_url=False, include_input=False):
        key = ".".join(map(str, one["loc"]))
        text = one["msg"].removeprefix("Value error, ")
        found.append(f"{key}: {text}" if key else text)
    return found


def read_question(path: Path) -> Question:
    """Reads a round file and the files that it names.

    Raises:
        Problem: If the file, or a file it names, cannot be read or is wrong.
    """
    file = load(RoundFile, path)
    return Question(file, path, dict(_named(file, path.parent)))


def _named(file: RoundFile, folder: Path) -> Iterator[tuple[str, bytes]]:
    for entry in file.attributes:
        if entry.areas is not None:
            remedy = "Give a UTF-8 CSV file with the header council,area"
            yield str(entry.areas), _read(folder / entry.areas, "cannot be read", remedy)
    if file.policy is not None:
        remedy = "Give the policy file's path relative to the round file, or policy_digest"
        yield str(file.policy), _read(folder / file.policy, "the policy cannot be read", remedy)


def _read(path: Path, problem: str, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problem(
            f"{problem} ({error.strerror})",
            where=str(path),
            remedy=remedy,
            exit_code=ExitCode.SETTINGS,
        ) from None


def _problem(problem: str, where: str) -> Problem:
    return Problem(
        problem,
        where=where,
        remedy="Correct the question, and save it again",
        exit_code=ExitCode.SETTINGS,
    )


def as_values(question: Question) -> dict[str, Any]:
    """What the round file of a question says, for `--json` and pages."""
    return question.file.model_dump(mode="json", exclude_none=True)
