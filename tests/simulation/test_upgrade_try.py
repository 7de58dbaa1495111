"""Another version of the node, in an environment of its own, tried on a copy of a real node."""

from __future__ import annotations

import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest
from region import TRAFFORD, Node, Region, copy_node

import folkmoot_plugin_household_factors

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has one package of its own: the factors."""
    folder = tmp_path_factory.mktemp("release")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3.*/site-packages")
    shared = next(path for path in site.getsitepackages() if Path(path).is_dir())
    (packages / "shared.pth").write_text(f"import site; site.addsitedir({shared!r})\n")
    factors = Path(folkmoot_plugin_household_factors.__file__).parent
    shutil.copytree(factors, packages / factors.name)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def node(enrolled: Region, tmp_path_factory: pytest.TempPathFactory) -> Node:
    return copy_node(Node(enrolled.folder / TRAFFORD), tmp_path_factory.mktemp("node") / TRAFFORD)


def state_of(node: Node) -> dict[str, bytes]:
    return {
        str(path.relative_to(node.home)): path.read_bytes()
        for path in node.home.rglob("*")
        if path.is_file() and path.name.endswith((".duckdb", ".sealed", ".key", ".toml"))
    }


def test_the_same_version_gives_the_same_scores(node: Node, other: Path) -> None:
    before = state_of(node)
    said = node.run("upgrade", "try", "--python", other)
    assert "the same" in said
    assert state_of(node) == before
    assert not list((node.home / "store").glob("trial-*"))


def test_a_factor_that_changed_is_shown_household_by_household(
    node: Node, other: Path, tmp_path: Path
) -> None:
    (factors,) = other.parent.parent.rglob("folkmoot_plugin_household_factors")
    changed = factors / "financial_hardship.py"
    sound = changed.read_text()
    begin = "    def score("
    assert begin in sound
    half = "    def score(self, *given):\n        return self.whole(*given) / 2\n\n    def whole("
    changed.write_text(sound.replace(begin, half, 1))
    try:
        out, before = tmp_path / "differ.csv", state_of(node)
        said = node.run("upgrade", "try", "--python", other, "--out", out, expect=4)
    finally:
        changed.write_text(sound)
    assert "households differ" in said
    assert "high" in said
    assert "none" in said
    rows = out.read_text().splitlines()
    assert "score_other" in rows[0]
    assert 1 < len(rows) < 212
    assert out.stat().st_mode & 0o077 == 0
    assert state_of(node) == before
    log = node.json("audit", "show")[-1]
    assert log["action"] == "another version tried"
    assert "households" not in str(log)


def test_one_that_fails_is_named_and_leaves_nothing(node: Node, other: Path) -> None:
    (broken,) = other.parent.parent.rglob("folkmoot_plugin_household_factors/__init__.py")
    sound = broken.read_text()
    broken.write_text("raise ImportError('half installed')\n")
    try:
        said = node.run("upgrade", "try", "--python", other, expect=None)
    finally:
        broken.write_text(sound)
    assert "Do not put it in place" in said
    assert not list((node.home / "store").glob("trial-*"))
    assert "no folkmoot-node is installed" in node.run(
        "upgrade", "try", "--python", "/usr/bin/true", expect=3
    )
