"""The file for clerical review: pairs of a record and a home, for a person to say yes or no.

It quotes addresses of residents. It is in the node's home, readable by the node's account
alone, and every run writes a new one, after taking over what a person wrote into the last.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from folkmoot_node.linkage.review_decisions import Decided, SourceReview
from folkmoot_operator.private_files import delete_private, make_private_folder, writing_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.spreadsheets import harmless_line

HEADER = (
    "id", "decision", "as_typed", "postcode_as_typed", "candidate",
    "candidate_postcode", "uprn", "weight", "file", "row",
)  # fmt: skip
_YES, _NO = frozenset(("yes", "y")), frozenset(("no", "n"))


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of the file.

    Attributes:
        id: See `ReviewDecisions.pair`.
        typed: Address and postcode as they were typed.
        candidate: Address and postcode of the candidate.
        uprn: The candidate.
        weight: Match weight, in bits.
        file: Where the record is; if there are several, the first.
        row: Row in it.
    """

    id: str
    typed: tuple[str, str]
    candidate: tuple[str, str]
    uprn: int
    weight: float
    file: str
    row: int


def path_of(folder: Path, source: str) -> Path:
    """The review file of a source."""
    return folder / f"{source}.csv"


def write(path: Path, pairs: Iterable[Pair]) -> None:
    """Writes the file, or removes it if nothing waits."""
    pairs = list(pairs)
    if not pairs:
        delete_private(path)
        return
    make_private_folder(path.parent)
    # With the mark at the beginning spreadsheets read it as UTF-8.
    with (
        writing_private(path, replace=True) as unfinished,
        unfinished.open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for pair in pairs:
            texts = (*pair.typed, *pair.candidate)
            shown = [harmless_line(text) for text in texts]
            place = (harmless_line(pair.file), pair.row)
            writer.writerow((pair.id, "", *shown, pair.uprn, f"{pair.weight:.1f}", *place))


def take_over(path: Path, review: SourceReview) -> SourceReview:
    """Adds what a person wrote into the file to the decisions.

    Args:
        path: The file; it need not be there.
        review: What is decided and what waits.

    Returns:
        The same with the new decisions; what is decided waits no more.

    Raises:
        Problem: Exit code DATA, naming the row, for a decision that is neither yes nor no,
            about a pair that does not wait, or that contradicts another.
    """
    waiting, decided = dict(review.waiting), dict(review.decided)
    confirmed: dict[str, int] = {}
    for number, row in _rows(path):
        decision = row["decision"].strip().casefold()
        if not decision:
            continue
        if decision not in _YES | _NO:
            raise _wrong(path, number, "the decision is neither yes nor no", "Write yes or no")
        pair = waiting.pop(row["id"].strip(), None)
        if pair is None:
            raise _wrong(
                path,
                number,
                "the id belongs to no waiting pair, or appears twice",
                "Leave the column `id` as it was written, or remove the row",
            )
        before = decided.get(pair.digest, Decided())
        if decision in _NO:
            decided[pair.digest] = Decided(
                is_home=before.is_home, is_not=before.is_not | {pair.uprn}
            )
            continue
        if pair.digest in confirmed:
            raise _wrong(
                path,
                number,
                f"says yes to a second home of the same address; row {confirmed[pair.digest]} "
                "says yes to another",
                "Leave one yes",
            )
        confirmed[pair.digest] = number
        decided[pair.digest] = Decided(is_home=pair.uprn, is_not=before.is_not)
    done = {digest for digest, entry in decided.items() if entry.is_home is not None}
    left = {name: pair for name, pair in waiting.items() if pair.digest not in done}
    return SourceReview(waiting=left, decided=decided)


def _rows(path: Path) -> Sequence[tuple[int, dict[str, str]]]:
    """The rows with their numbers; the header is row 1."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise Problem(
            f"is not UTF-8 text (byte {error.start})",
            where=str(path),
            remedy="Save it as CSV UTF-8",
            exit_code=ExitCode.DATA,
        ) from None
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    table = list(csv.reader(lines, delimiter=delimiter))
    header = [name.strip() for name in table[0]] if table else []
    for name in ("id", "decision"):
        if name not in header:
            raise Problem(
                f"has no column {name!r}",
                where=f"{path}: row 1",
                remedy="Leave the first row as it was written; or remove the file, and score again",
                exit_code=ExitCode.DATA,
            )
    found = []
    for number, row in enumerate(table[1:], start=2):
        if any(cell.strip() for cell in row):
            found.append((number, dict(zip(header, [*row, *[""] * len(header)], strict=False))))
    return found


def _wrong(path: Path, number: int, problem: str, remedy: str) -> Problem:
    return Problem(
        problem,
        where=f"{path}: row {number}",
        remedy=f"{remedy}; nothing of the file was taken over",
        exit_code=ExitCode.DATA,
    )
