"""Pages of the repository as the site's generator needs them: links that lead, lists with room.

The pages are written for CommonMark, as forges show them. The generator reads Python-Markdown,
which wants a blank line before a list or a table, and four spaces for what is inside a list.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from markdown_it import MarkdownIt

Resolve = Callable[[str], str | None]
"""From a path of the repository to the page of the site; None if the site has none."""

_COMMONMARK = MarkdownIt("commonmark").enable("table")
_BLOCKS = frozenset(
    {
        "bullet_list_open",
        "ordered_list_open",
        "table_open",
        "fence",
        "heading_open",
        "blockquote_open",
    }
)
_FENCE = re.compile(r"^(\s*)(```+|~~~+)")
_ITEM = re.compile(r"(\s*)([-*+]|\d+[.)])(\s+)(?=\S)")
_LIKE_ITEM = re.compile(r"^(\s*\d*)([-*+.)]\s)")
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
_CODE = re.compile(r"(`+)(?:.*?)\1")


@dataclass(frozen=True, slots=True)
class _Item:
    """One item of a list: its first line, the column at which its text begins, its marker."""

    line: int
    content: int
    marker: str


def first_heading(text: str) -> str:
    """The title of a page: its first heading of the first level.

    Raises:
        ValueError: If it has none.
    """
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif line.startswith("# ") and not fenced:
            return line.removeprefix("# ").strip()
    raise ValueError("a page begins with `# Its title`")


def first_sentence(text: str) -> str:
    """The first sentence under the title, without links; empty if a page begins otherwise."""
    for paragraph in re.split(r"\n\s*\n", text.partition("\n")[2]):
        plain = " ".join(paragraph.split())
        if plain and plain[0] not in "#|`<-" and not plain.startswith("Status:"):
            plain = _LINK.sub(r"\1", plain)
            sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z`*])", plain)
            # `For a council's IT team.` says who, and the next sentence what.
            said = sentences[: 1 + plain.startswith("For ")]
            # What announces a list or a block says too little without it.
            return " ".join(one for one in said if not one.endswith(":"))
    return ""


def with_links(text: str, page: str, target: str, resolve: Resolve) -> str:
    """Turns links between files of the repository into links between pages of the site.

    What the site does not show, such as a module, is named in words, for nothing is linked that
    the site cannot show.

    Args:
        text: Markdown.
        page: Path of the page in the repository.
        target: Path of the page in the site.
        resolve: Says where a path of the repository is in the site.
    """

    def moved(match: re.Match[str], code: list[str]) -> str:
        label, link = match.groups()
        if "://" in link or link.startswith(("#", "mailto:")):
            return match[0]
        path, mark, anchor = link.partition("#")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        found = resolve(place)
        if found is None:
            said = _shown(label, code)
            return label if said.strip("`") == place else f"{label} (`{place}`)"
        return (
            f"[{label}]({posixpath.relpath(found, posixpath.dirname(target) or '.')}{mark}{anchor})"
        )

    return _outside_code(text, lambda part, code: _LINK.sub(lambda found: moved(found, code), part))


def with_room(text: str) -> str:
    """Gives lists and tables the blank lines and the indents that Python-Markdown wants."""
    lines = text.splitlines()
    items: list[list[_Item]] = [[] for _ in lines]
    apart: set[int] = set()
    code: set[int] = set()
    for token in _COMMONMARK.parse(text):
        if token.map is None:
            continue
        begin, end = token.map
        while end > begin and not lines[end - 1].strip():
            end -= 1
        if token.type == "list_item_open":
            marker = _ITEM.match(lines[begin])
            if marker is None:  # an item within an item on one line
                continue
            for at in range(begin, end):
                items[at].append(_Item(begin, marker.end(), marker[2]))
        if token.type in ("fence", "code_block"):
            code.update(range(begin, end))
        if token.type in _BLOCKS and (token.level == 0 or not token.type.endswith("list_open")):
            apart.update((begin, end))
    done: list[str] = []
    for number, line in enumerate(lines):
        if number not in code and not any(item.line == number for item in items[number]):
            line = _LIKE_ITEM.sub(r"\1\\\2", line)  # a sentence that happens to begin with `6. `
        if number in apart and line.strip() and done and done[-1].strip():
            done.append("")
        done.append(_indented(line, number, items[number]) if line.strip() else "")
    return "\n".join(done) + "\n"


def escaped(text: str) -> str:
    """Plain text as a cell of a table or a line of Markdown."""
    text = html.escape(text, quote=False)
    return re.sub(r"([\\`*_{}\[\]|])", r"\\\1", " ".join(text.split()))


def cell(text: str) -> str:
    """Markdown as a cell of a table: on one line, its bars escaped outside of nothing."""
    return " ".join(text.split()).replace("\\|", "|").replace("|", "\\|")


def table(headings: Collection[str], rows: Collection[Collection[str]]) -> str:
    """A table; cells are Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell(one) for one in line)} |\n" for line in lines)


def _indented(line: str, number: int, items: list[_Item]) -> str:
    if not items:
        return line
    innermost = items[-1]
    if innermost.line == number:
        return f"{' ' * 4 * (len(items) - 1)}{innermost.marker:<4}{line[innermost.content :]}"
    column = len(line) - len(line.lstrip())
    return " " * (4 * len(items) + max(column - innermost.content, 0)) + line.lstrip()


def _shown(text: str, code: list[str]) -> str:
    return re.sub(r"\0(\d+)\0", lambda found: code[int(found[1])], text)


def _outside_code(text: str, change: Callable[[str, list[str]], str]) -> str:
    """Applies a change to paragraphs outside of fences, and leaves code in a line alone."""
    parts: list[str] = []
    fence = ""
    run: list[str] = []

    def flush() -> None:
        if run:
            kept: list[str] = []

            def hide(match: re.Match[str]) -> str:
                kept.append(match[0])
                return f"\0{len(kept) - 1}\0"

            hidden = _CODE.sub(hide, "\n".join(run))
            parts.append(_shown(change(hidden, kept), kept))
            run.clear()

    for line in text.splitlines():
        opening = _FENCE.match(line)
        if fence:
            parts.append(line)
            if line.strip() == fence:
                fence = ""
        elif opening:
            flush()
            fence = opening[2]
            parts.append(line)
        else:
            run.append(line)
    flush()
    return "\n".join(parts) + "\n"
