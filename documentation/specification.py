"""The chapters of the specification, from the tests that hold them.

A chapter is a module of `tests/spec`: its docstring is the introduction, each test a statement,
and the tables in the tests are the examples. A list or table of literals at the level of the
module is an example too, if its first line is a comment that names the columns:
`# Columns: as typed, postcode, home`.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from documentation.markdown import escaped, table

ROOT = Path(__file__).resolve().parents[1]
_COLUMNS = "# Columns: "
_NAMES = {"uprn": "UPRN", "england": "England", "uprns": "UPRNs", "rho": "rho"}
"""Words that the name of a test cannot write as they are written."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One test, for people.

    Attributes:
        title: What it says.
        words: What its docstring adds; Markdown.
        tables: The examples, as tables of Markdown.
    """

    title: str
    words: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One module of worked examples.

    Attributes:
        source: Path in the repository.
        title: The first sentence of the docstring.
        words: The rest of it; Markdown.
        tables: Examples of the whole module.
        statements: What the tests say.
    """

    source: str
    title: str
    words: str
    tables: tuple[str, ...]
    statements: tuple[Statement, ...]

    @property
    def page(self) -> str:
        """Path of its page in the site."""
        return str(Path(self.source).with_suffix(".md"))


def chapters(root: Path = ROOT) -> Iterator[Chapter]:
    """All chapters, in the order of their folders."""
    for file in sorted((root / "tests" / "spec").rglob("test_*.py")):
        yield chapter(file.read_text("utf-8"), str(file.relative_to(root)))


def chapter(text: str, source: str) -> Chapter:
    """Reads the chapter of a module.

    Raises:
        ValueError: If it says nothing, or has a test that no reader could make sense of.
    """
    module = ast.parse(text)
    said = ast.get_docstring(module) or ""
    if not said:
        raise ValueError(f"{source}: a chapter begins with a docstring")
    title, _, words = said.partition("\n\n")
    tables: list[str] = []
    statements: list[Statement] = []
    for at, node in enumerate(module.body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            found = [*_pipe_tables(node.value), *_literal_table(node, text)]
            below = module.body[at + 1] if at + 1 < len(module.body) else None
            note = _text(below)
            tables.extend(f"{note}\n\n{one}" if note else one for one in found)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            statements.append(_statement(node))
    return Chapter(
        source, " ".join(title.split()).rstrip("."), words, tuple(tables), tuple(statements)
    )


def page(one: Chapter) -> str:
    """The page of a chapter."""
    text = [f"# {_capital(escaped(one.title))}\n\n"]
    if one.words:
        text.append(f"{_with_blocks(one.words)}\n\n")
    text.extend(f"{examples}\n" for examples in one.tables)
    for statement in one.statements:
        text.append(f"## {statement.title}\n\n")
        if statement.words:
            text.append(f"{_with_blocks(statement.words)}\n\n")
        text.extend(f"{examples}\n" for examples in statement.tables)
    text.append(f"\nThese examples are run: `{one.source}`.\n")
    return "".join(text)


def _statement(node: ast.FunctionDef) -> Statement:
    words = node.name.removeprefix("test_").split("_")
    title = _capital(" ".join(_NAMES.get(word, word) for word in words))
    tables = [one for inner in node.body for one in _pipe_tables(inner)]
    for decorator in node.decorator_list:
        tables.extend(_parametrized(decorator))
    return Statement(escaped(title), ast.get_docstring(node) or "", tuple(tables))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _with_blocks(text: str) -> str:
    """A docstring as Markdown: what is indented is shown as it is written."""
    return textwrap.dedent(text)


def _pipe_tables(node: ast.AST) -> Iterator[str]:
    """The tables that stand in the texts of a statement."""
    for one in ast.walk(node):
        if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
            continue
        lines = [line.strip() for line in one.value.strip().splitlines()]
        if len(lines) > 2 and all(line.startswith("|") for line in lines):
            yield "\n".join(_pipe_line(line) for line in lines) + "\n"


def _pipe_line(line: str) -> str:
    if set(line) <= set("|-: "):
        return line
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"


def _literal_table(node: ast.Assign | ast.AnnAssign, text: str) -> Iterator[str]:
    """A list or a table of literals whose first line names the columns in a comment."""
    value = node.value
    if not isinstance(value, ast.List | ast.Tuple | ast.Dict):
        return
    source = ast.get_source_segment(text, value) or ""
    first = source.partition("\n")[2].partition("\n")[0].strip()
    if not first.startswith(_COLUMNS):
        return
    headings = [one.strip() for one in first.removeprefix(_COLUMNS).split(",")]
    if isinstance(value, ast.Dict):
        rows = [
            _cells(key) + _cells(entry)
            for key, entry in zip(value.keys, value.values, strict=True)
            if key is not None
        ]
    else:
        rows = [_cells(one) for one in value.elts]
    if any(len(row) != len(headings) for row in rows):
        raise ValueError(f"the columns of {first!r} are not those of its rows")
    yield table([_capital(one) for one in headings], rows)


def _parametrized(decorator: ast.expr) -> Iterator[str]:
    """The cases of `pytest.mark.parametrize`, if they are written out."""
    if not (
        isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("parametrize")
    ):
        return
    names, cases = decorator.args[:2]
    try:
        given = ast.literal_eval(names)
    except ValueError:
        return
    headings = [given] if isinstance(given, str) else list(given)
    if not isinstance(cases, ast.List | ast.Tuple):
        return
    rows = [_cells(one) for one in cases.elts]
    if all(len(row) == len(headings) for row in rows):
        yield table([one.replace("_", " ") for one in headings], rows)


def _cells(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Tuple):
        return [cell for one in node.elts for cell in _cells(one)]
    if isinstance(node, ast.Constant):
        value = node.value
        return ["?" if value is None else escaped(str(value))]
    return [escaped(ast.unparse(node).replace("_", " ").lower())]


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value) if isinstance(node.value.value, str) else ""
    return ""
