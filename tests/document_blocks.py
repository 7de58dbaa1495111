"""Blocks of code in the documents, the commands in them, and whether a command is one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from typer.main import get_command

from documentation.build import PROGRAMS, named

ROOT = Path(__file__).resolve().parents[1]
_DOCUMENTS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/**/*.md", "deploy/README.md")
_ALSO = ("documentation/README.md", "rehearsal/README.md", "examples/README.md")
_HOLE = re.compile(r"^[A-Z][A-Z0-9_.]*$|…|\.\.\.")
"""What a reader puts something of their own in the place of."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code.

    Attributes:
        page: The document, as a path in the repository.
        line: Its first line there, from 1.
        language: What is behind the fence; empty for an indented block and a fence without.
        text: What is in it.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Line:
    """One command of a block.

    Attributes:
        block: Where.
        text: As it is typed, on one line, without the prompt and what is said of it.
    """

    block: Block
    text: str

    @property
    def words(self) -> list[str]:
        """The words of the command."""
        return shlex.split(self.text)

    @property
    def program(self) -> str:
        """The first word."""
        return self.text.split()[0]


def pages() -> list[str]:
    """The documents."""
    found = {path for pattern in (*_DOCUMENTS, *_ALSO) for path in ROOT.glob(pattern)}
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


@cache
def blocks() -> tuple[Block, ...]:
    """All blocks of all documents."""
    return tuple(block for page in pages() for block in _blocks(page))


def _blocks(page: str) -> Iterator[Block]:
    for token in MarkdownIt("commonmark").parse((ROOT / page).read_text("utf-8")):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            yield Block(page, token.map[0] + 1, token.info.split(" ")[0], token.content)


def lines(block: Block) -> Iterator[Line]:
    """The commands of a block of `console` or `bash`, or of one that begins with a program."""
    untagged = not block.language and block.text.startswith("folkmoot-")
    if block.language not in ("console", "bash", "sh") and not untagged:
        return
    text = re.sub(r"\\\n\s*", "", block.text)
    for line in text.splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        line = re.sub(r"\s+#\s.*$", "", line.removeprefix("$ ")).strip()
        if line and not line.startswith("#"):
            yield Line(block, line)


def fault(words: list[str]) -> str:
    """What is wrong with a command of ours: no such command or option; empty if nothing is.

    Args:
        words: The command, program first. Where a word stands for one of the reader's own, what
            follows is not looked at.
    """
    program, *rest = words
    if program not in PROGRAMS:
        return f"there is no {program}"
    command: Any = get_command(named(PROGRAMS[program]))
    path = program
    while hasattr(command, "commands"):
        if not rest or _HOLE.search(rest[0]):
            return ""
        if rest[0].startswith("-") and command.invoke_without_command:
            break  # a group that does something by itself, such as `backup`
        word = rest.pop(0)
        if word in ("--help", "--version", "-h"):
            return ""
        if word not in command.commands:
            return f"{path} has no command {word}"
        command, path = command.commands[word], f"{path} {word}"
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    for word in rest:
        if word.startswith("--") and word.partition("=")[0] not in {*known, "--help", "--debug"}:
            return f"{path} has no option {word}"
    return ""


def inline(page: str) -> Iterator[str]:
    """Commands of ours in the running text of a page."""
    for token in MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text("utf-8")):
        for child in token.children or ():
            if child.type == "code_inline" and re.match(rf"({'|'.join(PROGRAMS)}) ", child.content):
                yield child.content
