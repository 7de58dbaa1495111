"""Prose is plain English: a list of turns that read as translated, each with a better one.

Checked are documents, docstrings, comments and texts in code. `make lint` runs this too.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Turn:
    """A turn of phrase to avoid.

    Attributes:
        pattern: What finds it; upper and lower case are the same.
        better: What to write instead.
    """

    pattern: str
    better: str


TURNS = [
    Turn(r"\bthat which\b", "what; or name the thing"),
    Turn(r"\bneeds? of (?:a|an|the|each)\b", "needs from"),
    Turn(r"\b(?:is|are|be) minded\b", "is handled"),
    Turn(r"\bdone without\b", "if it is lost, its work is rerun"),
    Turn(
        r"\bmak(?:e|es|ing)\b[^.;:]{0,80}?(?<!\bat )\b(?:least|smallest)\b(?= at\b| *[.;:,)]| *$)",
        "minimises",
    ),
    Turn(r"\bin earnest\b", "in production"),
    Turn(r"\bby as (?:many|much)\b", "by the same number"),
    Turn(r"\bfewer than none\b", "a count below zero"),
    Turn(r"\bfor good\b(?! (?:reason|measure|practice))", "permanently"),
    Turn(r"\bfor ?ever\b", "permanently, always; or say how long"),
    Turn(
        r"\b(?:tells?|telling|told)\b(?: \w+){0,3} \bapart\b"
        r"|\btold (?:from|by|as)\b"
        r"|\b(?:can|could|cannot|would|may|might) (?:not )?be told\b"
        r"|\b(?:can(?:not)?|could) tell\b"
        r"|\btells? (?:a|an|the|some|its|each) (?:protected |given )?"
        r"(?:group|characteristic|vintage|year)\b"
        r"|\btells? (?:them|nothing|in part|somebody|anybody)\b(?! (?:to|that|how|what)\b)",
        "distinguish, predict, identify, show, report",
    ),
    Turn(r"\b(?:not yet a|is a|is no) wrong\b", "unfair"),
    Turn(r"\bwhich says (?:it|so)\b", "which counts as"),
    Turn(r"\bmend(?:s|ed|ing)?\b", "fix, correct, repair"),
    Turn(r"\bamiss\b", "wrong"),
    Turn(r"\banew\b", "again, newly"),
    Turn(r"\bafresh\b", "again, from scratch"),
    Turn(
        r"\b(?:is|are|was|were|be) of (?!(?:no |great )?(?:use|interest|value)\b"
        r"|similar\b|different\b|working age\b)",
        "belongs to, comes from, has, is about",
    ),
    Turn(
        r"\bone\b(?! by one)(?<!by one)[^.;:]{1,50}\bone\b(?! by one)(?<!by one)"
        r"[^.;:]{1,50}\bones\b",
        "name the things",
    ),
    Turn(r"\bby the clock\b", "on a schedule"),
    Turn(r"\bfor want of\b", "for lack of, without, because there is no"),
    Turn(r"\b(?:round|run|series|visit)(?: has)? brought\b", "resulted in, collected"),
    Turn(r"\bone (?:row|record|line|task|file) an? (?!time\b)\w+", "one row for each"),
    Turn(r"\b(?:whilst|lest|thereof|whereof|nought)\b", "while, so that ... not, of it, nothing"),
]

ALLOWED: dict[str, list[str]] = {
    # What is said of two areas, in the words that were agreed with readers.
    "coordinator/folkmoot_coordinator/inference/comparisons.py": ["cannot tell apart"],
    "coordinator/folkmoot_coordinator/inference/change.py": ["cannot tell apart"],
    # These texts are kept in stores and compared with those of earlier versions.
    "node/folkmoot_node/scoring/audited_fields.py": [
        "one record a person",
        "one record an area",
        "one record a household or property",
    ],
}
"""By file, words that have to stay: quotations, and texts that are stored."""


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each paragraph, docstring, comment or text of a file, on one line."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from _code(text)
        return
    mark = {".proto": "//", ".toml": "#", ".service": "#", "": "#"}.get(path.suffix)
    line = 1
    for block in re.split(r"(\n\s*\n)", text):
        words = re.sub(rf"^\s*{re.escape(mark)} ?", "", block, flags=re.M) if mark else block
        yield line, _one_line(words)
        line += block.count("\n")


def _code(text: str) -> Iterator[tuple[int, str]]:
    layout = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT}
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in layout
    ]
    for kind, found in groupby(tokens, key=lambda token: token.type):
        if kind in {tokenize.STRING, tokenize.COMMENT}:
            # Texts and comments that follow each other are one.
            run = list(found)
            yield run[0].start[0], _one_line(" ".join(_bare(token.string) for token in run))


def _bare(token: str) -> str:
    """A comment without its mark; a text without quotes and with its spaces."""
    if token.startswith("#"):
        return token.lstrip("# ")
    return re.sub(r"^\w{0,2}(\"\"\"|'''|\"|')|(\"\"\"|'''|\"|')$", "", token)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def turns(text: str) -> Iterator[tuple[str, Turn]]:
    """What a text has of the list, with some words around it."""
    for turn in TURNS:
        for found in re.finditer(turn.pattern, text, re.IGNORECASE):
            yield text[max(0, found.start() - 30) : found.end() + 30], turn


def files() -> list[Path]:
    """The files whose prose is checked, without tests."""
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("tests/**/*.md"),
        *ROOT.glob("deploy/*"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
        ROOT / "one_version.py",
    ]
    for folder in ("proto", "plugins", "operator", "web", "node", "coordinator", "rehearsal"):
        for ending in (".py", ".md", ".toml", ".proto", ".html", "README.txt"):
            found += (ROOT / folder).rglob(f"*{ending}")
    return sorted(
        path
        for path in found
        if path.is_file()
        and not path.is_symlink()
        and not re.search(r"_pb2|/(build|dist|\.venv)/", path.as_posix())
    )


def findings(path: Path) -> list[str]:
    """File, line, words and what to write, for each turn in a file that is not allowed there."""
    name = path.relative_to(ROOT).as_posix()
    found = []
    for line, text in prose(path):
        for kept in ALLOWED.get(name, []):
            text = text.replace(kept, "")
        found += [f"{name}:{line}: ... {words} ... Write: {turn.better}"
                  for words, turn in turns(text)]  # fmt: skip
    return found


def test_prose_is_plain_english() -> None:
    checked = files()
    assert len(checked) > 400
    found = [one for path in checked for one in findings(path)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "Opens what receives that which linkage needs of a source.",
        "clocks that change are minded",
        "A worker that is lost is done without: what it had not finished is done again elsewhere.",
        "A plan makes the sum of variances over all cells least; fine marginals then weigh most",
        "There is no easier path for demonstrations: this is the one used in earnest.",
        "fewer than none by as many",
        "refuses those that expect the configured one, for good",
        "An input that tells a group is not yet a wrong: need differs between groups.",
        "how well the scoring inputs tell them",
        "no record of this household, which says it",
        "The stored answer is the answer for ever.",
        "an error says how to mend it",
        "what is amiss",
        "the policy is read anew",
        "the release policy is of another council",
        "one that is like one of the other ones",
        "the period cannot be told",
        "a CSV file, one row a household",
    ],
)
def test_what_reads_as_translated_is_found(text: str) -> None:
    assert list(turns(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "Opens spool writers for the identifiers that linkage needs from this source.",
        "By default a plan minimises total variance over all cells.",
        "If a worker dies, its unfinished stages are rerun on another.",
        "makes at least one request, in the smallest types, and needs the least work",
        "a proxy is not in itself unfair",
        "There is a rule for good reason; tell the region that it was restored.",
        "The region is told that an operator declined.",
        "The checks are of no use to anybody.",
        "one row at a time, one row for each household",
    ],
)
def test_plain_english_is_left_alone(text: str) -> None:
    assert not list(turns(text)), text


def test_what_is_allowed_is_still_there() -> None:
    for name, kept in ALLOWED.items():
        text = " ".join(text for _, text in prose(ROOT / name))
        assert all(words in text for words in kept), name


def test_every_place_for_words_is_read(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(
        '"""Read\nanew."""\n\nX = f"it is {1} read " "anew"\n\n# kept for\n# good\ny = 1  # amiss\n'
    )
    found = [turn.better for _, text in prose(path) for _, turn in turns(text)]
    assert len(found) == 4
    page = tmp_path / "page.md"
    page.write_text("A list:\n\n- is kept for\n  good\n\n```\nx = 1  # counts\n# is mended\n```\n")
    assert [line for line, text in prose(page) if list(turns(text))] == [3, 6]
