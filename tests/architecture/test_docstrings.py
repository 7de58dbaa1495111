"""Public functions that return arrays or tables say what is in them.

An array: its shape (or what there is one of), its type, and what stands for unknown. A table: what
a row is, its columns or their types, and nulls. Units are said where the numbers have one; that a
docstring leaves one out cannot be seen by a program.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("proto", "plugins", "operator", "web", "node", "coordinator", "rehearsal")

_ALIAS = re.compile(r"^(\w+) = (?:.*[^\w])?NDArray\[", re.M)
_TABLES = re.compile(
    r"\b(?:pl|polars)\.(?:DataFrame|LazyFrame|Series)|\bDataFrame\b|\bLazyFrame\b|\bpa\.\w+"
    r"|\bpyarrow\.\w+|\bDuckDBPyRelation\b"
)
_SHAPE = re.compile(
    r"\b[Ss]hape\b|\b[Oo]ne (?:row|value|flat|entry|column|number|index|array|table|item)\b"
    r"|\b[Ff]or each\b|\brows?\b"
    r"|\b[Ee]ach (?:household|record|row|cell|council|area|value|batch|code)\b",
)
_TYPE = re.compile(
    r"\b(?:u?int\d+|float\d+|bool(?:ean)?s?|[Ff]loat64|U?Int\d+|UInt\d+|Float64|String|strings?"
    r"|[Tt]ext|Date|Categorical|Enum|Boolean|categor\w+|[Cc]olumns?|indexes|types?|dtype|object)\b"
)
_NULL = re.compile(r"\b(?:null|nulls|NaN|None|missing|unknown|empty|never|-1|UNKNOWN_POINTS)\b")


@dataclass(frozen=True)
class Function:
    """A public function that returns an array or a table.

    Attributes:
        where: File, line and name.
        returns: Its annotation.
        docstring: With what the class says of itself, for a property or attribute.
    """

    where: str
    returns: str
    docstring: str

    def faults(self) -> list[str]:
        """What its docstring does not say."""
        wanted = {"shape or rows": _SHAPE, "types or columns": _TYPE, "null": _NULL}
        return [name for name, pattern in wanted.items() if not pattern.search(self.docstring)]


def is_public(name: str) -> bool:
    return not name.startswith("_")


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not re.search(r"_pb2|/(build|dist|tests)/", path.as_posix()):
                yield path


@dataclass(frozen=True)
class Code:
    """Our modules, read once and only by the process that runs these tests.

    Attributes:
        trees: By name of the file.
        arrays: Names that stand for an array in an annotation.
        methods: Names of the methods of each class; classes of one name are not distinguished.
    """

    trees: dict[str, ast.Module]
    arrays: set[str]
    methods: dict[str, set[str]]


@functools.cache
def code() -> Code:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in modules()}
    trees = {name: ast.parse(text) for name, text in texts.items()}
    aliases = {alias for text in texts.values() for alias in _ALIAS.findall(text)}
    methods: dict[str, set[str]] = defaultdict(set)
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                methods[node.name] |= {
                    item.name for item in node.body if isinstance(item, ast.FunctionDef)
                }
    return Code(trees, {"NDArray", "ndarray"} | aliases, methods)


def is_documented_above(scope: ast.AST, name: str) -> bool:
    """Whether a base class of ours describes the method."""
    bases = scope.bases if isinstance(scope, ast.ClassDef) else []
    names = [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in bases]
    return any(name in code().methods.get(base, ()) for base in names)


def refers_to_protocol(docstring: str, name: str) -> bool:
    """Whether it names a protocol of ours, which describes the method."""
    protocol = re.match(r"See `(\w+)`", docstring)
    return protocol is not None and name in code().methods.get(protocol[1], ())


def returns_numbers_or_rows(annotation: str) -> bool:
    """Whether what is returned is an array or table, or holds some."""
    plain = re.sub(r"\bCallable\[.*\]", "", annotation)  # described where it is called
    return bool(_TABLES.search(plain) or code().arrays & set(re.findall(r"\w+", plain)))


def functions(tree: ast.AST, name: str) -> Iterator[Function]:
    """The functions of a module that are meant, methods of public classes too."""
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        inside, scope = waiting.pop()
        for node in ast.iter_child_nodes(scope):
            if isinstance(node, ast.ClassDef) and is_public(node.name):
                waiting.append((f"{inside}{node.name}.", node))
            elif isinstance(node, ast.FunctionDef) and is_public(node.name) and node.returns:
                returns = ast.unparse(node.returns).strip("'\"")
                if returns_numbers_or_rows(returns) and not is_documented_above(scope, node.name):
                    where = f"{name}:{node.lineno} {inside}{node.name}"
                    docstring = ast.get_docstring(node) or ""
                    if not refers_to_protocol(docstring, node.name):
                        yield Function(where, returns, docstring)


def test_arrays_and_tables_are_described() -> None:
    meant = [one for name, tree in code().trees.items() for one in functions(tree, name)]
    assert len(meant) > 60
    found = [
        f"{one.where} -> {one.returns}: say {', '.join(one.faults())}"
        for one in meant
        if one.faults()
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "docstring, missing",
    [
        ("The scores.", ["shape or rows", "types or columns", "null"]),
        ("Scores: float64, shape (households,).", ["null"]),
        ("One row for each household: its `uprn`, int64.", ["null"]),
        ("Scores: float64, shape (households,); NaN where unknown.", []),
        ("One row for each household: columns `uprn` and `score`, neither null.", []),
    ],
)
def test_what_a_docstring_leaves_out_is_seen(docstring: str, missing: list[str]) -> None:
    text = f'import polars as pl\n\ndef score() -> pl.DataFrame:\n    """{docstring}"""\n'
    (function,) = functions(ast.parse(text), "example.py")
    assert function.faults() == missing


def test_aliases_and_containers_of_arrays_count() -> None:
    for annotation in ("Int64", "dict[str, Float64]", "Iterator[pl.DataFrame]", "tuple[Mask, int]"):
        assert returns_numbers_or_rows(annotation), annotation
    for annotation in ("int", "Callable[[Int64], None]", "Sequence[str]"):
        assert not returns_numbers_or_rows(annotation), annotation
